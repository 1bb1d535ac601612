import type { ClusterPort } from '../cluster/clusterPort.js';
import { isInWork } from '../run/nextTurn.js';
import { findRun } from '../run/findRun.js';
import { followRun } from '../run/followRun.js';
import { refuseOtherPlan } from '../run/openRun.js';
import type { Plan } from '../run/plan.js';
import type { RunState } from '../run/state.js';
import type { CommandIo } from './io.js';

export interface OtherActor {
  readonly io: CommandIo;
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly plan: Plan;
  /** Who holds the lease. */
  readonly holder: string;
  readonly onChange: (state: RunState) => void;
  readonly log: (line: string) => void;
}

/**
 * Is the holder of the lease at work on the run that this call is about? Then its state is shown until the signal
 * aborts. An actor that began a moment ago may not have written the run yet: then it counts as at work on another.
 *
 * @throws TurnusError `plan-changed` where this call has another plan than the run
 */
export async function followOther(other: OtherActor, signal: AbortSignal): Promise<boolean> {
  const { io, cluster, namespace, plan, holder, log } = other;
  const found = await findRun({ cluster, namespace, name: plan.run }, signal);
  const isItsRun =
    found !== undefined &&
    [
      found.run.status.actor,
      ...found.turns.filter(({ status }) => isInWork(status.phase)).map(({ status }) => status.actor),
    ].includes(holder);
  if (found === undefined || !isItsRun) return false;
  refuseOtherPlan(found.run, plan.hash);
  log(`${holder} is at work on run ${plan.run}; following it. Ctrl-C ends following, not the run.`);
  const { clock, random } = io;
  const following = followRun({ cluster, namespace, name: plan.run, clock, random, signal, onChange: other.onChange });
  following.catch((error: unknown) => {
    if (!signal.aborted)
      log(`warning: run ${plan.run} cannot be followed: ${error instanceof Error ? error.message : String(error)}`);
  });
  return true;
}
