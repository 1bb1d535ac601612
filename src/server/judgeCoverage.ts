import { ChangeSignal } from '../cluster/changeSignal.js';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { readCoverage } from '../run/readCoverage.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import type { Desk } from './desk.js';

/** Coverage is measured in days; what runs change is judged when they end. */
const dailyMs = 24 * 3_600_000;
/** An API server that is away, or a playbook that nothing is known of yet. */
const againMs = 60_000;

/** Judges the coverage of every playbook in force: at once, when `again` is called and once a day, until the signal aborts. */
export function judgeCoverage(judging: {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly desk: Desk;
  readonly signal: AbortSignal;
  readonly log: (event: string, fields: { readonly playbook?: string }, text: string) => void;
}): { again(): void; readonly ended: Promise<void> } {
  const { cluster, clock, desk, signal, log } = judging;
  const calls = new ChangeSignal();

  const judgeAll = async (): Promise<boolean> => {
    let isAllJudged = true;
    for (const { name, inForce } of desk.judged()) {
      if (inForce === undefined) continue;
      try {
        const reading = await readCoverage({ cluster, clock, playbook: inForce.playbook }, signal);
        const found = reading.coverage.playbooks.find(({ playbook }) => playbook === name);
        if (found !== undefined) desk.note(name, { coverage: found });
      } catch (error) {
        if (signal.aborted) throw error;
        if (!(error instanceof TurnusError)) throw error;
        log('coverage.unread', { playbook: name }, error.message);
        isAllJudged = false;
      }
    }
    return isAllJudged && desk.judged().length > 0;
  };

  const keep = async (): Promise<void> => {
    for (;;) {
      const { version } = calls;
      const isAllJudged = await judgeAll();
      const deadline = clock.deadline(isAllJudged ? dailyMs : againMs, signal);
      await calls.after(version, deadline.signal).catch(() => undefined);
      deadline.clear();
      signal.throwIfAborted();
    }
  };
  return {
    again() {
      calls.changed();
    },
    ended: keep().catch((error: unknown) => {
      if (!signal.aborted) log('coverage.ended', {}, `coverage is no longer judged: ${String(error)}`);
    }),
  };
}
