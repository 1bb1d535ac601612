import { due } from '../../calendar/due.js';
import type { ClusterPort } from '../../cluster/clusterPort.js';
import type { HostPorts } from '../../host/hostPort.js';
import type { Playbook } from '../../playbook/playbook.js';
import { withHistory } from '../../run/forecastRun.js';
import { runName } from '../../run/identity.js';
import type { ThisMachine } from '../../run/ownNode.js';
import { noOverrides } from '../../run/overrides.js';
import { readPastTurns } from '../../run/pastTurns.js';
import type { Plan } from '../../run/plan.js';
import { prepareRun } from '../../run/prepareRun.js';
import type { Clock } from '../../time/clock.js';
import { periodOf } from '../../calendar/period.js';
import { stateAt } from '../../calendar/decide.js';
import { TurnusError } from '../../turnusError.js';
import type { Desk } from './desk.js';
import type { OwnObjects } from '../ownObjects.js';
import { servedRuns } from './servedRuns.js';
import { isOver } from '../acts/nextDeed.js';
import type { WakeUp } from '../wakeUp.js';

export interface PlanAnnouncement {
  readonly playbook: Playbook;
  readonly plan: Plan;
  /** Milliseconds since the epoch. */
  readonly window: { readonly opensAt: number; readonly closesAt: number };
}

export interface Announcing {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly random: () => number;
  readonly thisMachine: ThisMachine;
  readonly openHosts: (playbook: Playbook) => Promise<HostPorts>;
  readonly desk: Desk;
  readonly own: OwnObjects;
  readonly wakeUp: WakeUp;
  readonly signal: AbortSignal;
  readonly onPlan: (announcement: PlanAnnouncement) => void;
  readonly log: (event: string, fields: { readonly playbook?: string }, text: string) => void;
}

/** A plan that could not be made is tried again after this. */
const againMs = 10 * 60_000;

/**
 * Makes the plan of each playbook `spec.notify.before` its next window and hands it on, once for each window, until the
 * signal aborts; it rejects with its reason then, or resolves. Changes nothing in the cluster.
 */
export async function announcePlans(announcing: Announcing): Promise<void> {
  const { clock, desk, wakeUp, signal, log } = announcing;
  const told = new Map<string, number>();
  const restsUntil = new Map<string, number>();
  while (!signal.aborted) {
    const { version } = desk;
    const times: number[] = [];
    for (const { name, inForce, next: changed } of desk.judged()) {
      if (inForce === undefined) continue;
      // The next window's run begins with what was changed meanwhile.
      const { playbook } = changed ?? inForce;
      const next = nextAnnouncement(playbook, announcing);
      if (next === undefined || told.get(name) === next.opensAt) continue;
      const at = Math.max(next.at, restsUntil.get(name) ?? 0);
      if (at > clock.now()) {
        times.push(at);
        continue;
      }
      try {
        await announce(playbook, next, announcing);
        told.set(name, next.opensAt);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof TurnusError)) throw error;
        log('plan.failed', { playbook: name }, `The plan of ${name} cannot be made: ${error.message}`);
        restsUntil.set(name, clock.now() + againMs);
        times.push(clock.now() + againMs);
      }
    }
    const until = times.length === 0 ? undefined : Math.min(...times);
    await wakeUp.wait({ until, changed: (either) => desk.changed(version, either), signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

interface NextAnnouncement {
  readonly at: number;
  readonly opensAt: number;
  readonly closesAt: number;
  readonly run: string;
}

/** Of the next window in which something is due; undefined where nobody wants to know, or it is open already. */
function nextAnnouncement(
  { name, nodes, schedule, notify }: Playbook,
  { own, clock }: Pick<Announcing, 'own' | 'clock'>,
): NextAnnouncement | undefined {
  if (notify.beforeMs === undefined || notify.webhooks.length === 0) return undefined;
  const runs = servedRuns({ name, nodes }, { runs: own.runs(), turns: own.turns() });
  const past = runs.map((run) => ({ period: run.period, isEnded: isOver(run) }));
  const answer = due({ schedule, now: clock.now(), runs: past });
  if (answer.kind !== 'nothing' || answer.until === undefined) return undefined;
  const state = stateAt({ schedule, now: answer.until });
  if (state.kind !== 'open') return undefined;
  const { opensAt, closesAt, opening } = state.window;
  const run = runName({ playbook: name, period: periodOf(opening, schedule.timeZone), number: 0, rehearsal: false });
  return { at: opensAt - notify.beforeMs, opensAt, closesAt, run };
}

async function announce(playbook: Playbook, next: NextAnnouncement, announcing: Announcing): Promise<void> {
  const { cluster, clock, random, signal } = announcing;
  const closing = new AbortController();
  const prepared = await prepareRun({
    command: 'plan',
    playbook,
    cluster,
    openHosts: async () => await announcing.openHosts(playbook),
    clock,
    random,
    thisMachine: announcing.thisMachine,
    mustBeNamed: false,
    rehearsal: false,
    replace: false,
    overrides: noOverrides,
    names: [],
    selector: undefined,
    signal: AbortSignal.any([signal, closing.signal]),
    onProblem: () => undefined,
  });
  try {
    const past = await readPastTurns({ cluster, playbook: playbook.name }, signal);
    const plan = { ...withHistory(prepared.plan, past), run: next.run };
    announcing.onPlan({ playbook, plan, window: { opensAt: next.opensAt, closesAt: next.closesAt } });
  } finally {
    await prepared.close();
    closing.abort(new Error('the plan is made'));
  }
}
