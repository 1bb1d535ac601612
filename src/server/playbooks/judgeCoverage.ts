import { ChangeSignal } from '../../cluster/changeSignal.js';
import type { ClusterPort } from '../../cluster/clusterPort.js';
import { readCoverage } from '../../run/readCoverage.js';
import type { Clock } from '../../time/clock.js';
import type { Desk } from './desk.js';
import type { InForce } from './inForce.js';

/** Coverage is measured in days; what runs change is judged when they end. */
const dailyMs = 24 * 3_600_000;
/** An API server that is away, or a playbook that has come into force since. */
const lookEveryMs = 60_000;

interface Judged {
  readonly planHash: string;
  /** Monotonic. */
  readonly at: number;
}

/**
 * Judges the coverage of every playbook in force: as soon as it is, when `again` is called and once a day, until the
 * signal aborts. `ended` never rejects: what cannot be read is told, and read again.
 */
export function judgeCoverage(judging: {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly desk: Pick<Desk, 'judged' | 'note'>;
  readonly signal: AbortSignal;
  readonly log: (event: string, fields: { readonly playbook?: string }, text: string) => void;
}): { again(): void; readonly ended: Promise<void> } {
  const { cluster, clock, desk, signal, log } = judging;
  const calls = new ChangeSignal();
  let known = new Map<string, Judged>();
  let isStale = false;
  const failures = new Map<string, string>();

  const judge = async (name: string, { playbook, planHash }: InForce): Promise<void> => {
    try {
      const { coverage } = await readCoverage({ cluster, clock, playbook }, signal);
      const found = coverage.playbooks.find((each) => each.playbook === name);
      if (found !== undefined) desk.note(name, { coverage: found });
      known.set(name, { planHash, at: clock.monotonic() });
      failures.delete(name);
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      if (failures.get(name) !== message) log('coverage.unread', { playbook: name }, message);
      failures.set(name, message);
    }
  };

  const judgeAll = async (): Promise<void> => {
    const inForce = new Map(
      desk.judged().flatMap((each) => (each.inForce ? [[each.name, each.inForce] as const] : [])),
    );
    // Also of what was being read when a run ended.
    known = new Map([...known].filter(([name]) => inForce.has(name) && !isStale));
    isStale = false;
    for (const [name, version] of inForce) {
      const before = known.get(name);
      const isKnown = before?.planHash === version.planHash && clock.monotonic() - before.at < dailyMs;
      if (!isKnown) await judge(name, version);
    }
  };

  const keep = async (): Promise<never> => {
    for (;;) {
      const { version } = calls;
      await judgeAll();
      const deadline = clock.deadline(lookEveryMs, signal);
      await calls.after(version, deadline.signal).catch(() => undefined);
      deadline.clear();
      signal.throwIfAborted();
    }
  };
  return {
    again() {
      isStale = true;
      calls.changed();
    },
    ended: keep().catch((error: unknown) => {
      if (!signal.aborted) log('coverage.unread', {}, `coverage is judged no longer: ${String(error)}`);
    }),
  };
}
