import type { ClusterPort } from '../cluster/clusterPort.js';
import type { Clock } from '../time/clock.js';
import { listRuns } from './findRun.js';
import { followRun } from './followRun.js';
import type { RunObject } from './objects.js';
import { refuseOtherPlan } from './openRun.js';
import type { Plan } from './plan.js';
import type { RunState } from './state.js';

export interface OtherActor {
  readonly clock: Clock;
  /** Chance in [0, 1), for jitter. */
  readonly random: () => number;
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly plan: Plan;
  /** Who holds the lease. */
  readonly holder: string;
  readonly onChange: (state: RunState) => void;
  readonly log: (line: string) => void;
}

/** An actor that has just taken the lease writes its run within this time. */
const writesWithinMs = 15_000;
const lookAgainMs = 500;

/**
 * Is the holder of the lease at work on the run that this call is about? Then its state is shown until the signal
 * aborts.
 *
 * @throws TurnusError `plan-changed` where this call has another plan than the run
 */
export async function followOther(other: OtherActor, signal: AbortSignal): Promise<boolean> {
  const { clock, random, cluster, namespace, plan, holder, log } = other;
  const run = await runOfHolder(other, signal);
  if (run?.name !== plan.run) return false;
  refuseOtherPlan(run, plan.hash);
  log(`${holder} is at work on run ${plan.run}; following it. Ctrl-C ends following, not the run.`);
  const following = followRun({ cluster, namespace, name: plan.run, clock, random, signal, onChange: other.onChange });
  following.catch((error: unknown) => {
    if (!signal.aborted) {
      log(`warning: run ${plan.run} cannot be followed: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  return true;
}

/** The run that the holder writes; undefined where it writes none in time. */
async function runOfHolder(other: OtherActor, signal: AbortSignal): Promise<RunObject | undefined> {
  const { clock, cluster, namespace, holder, plan } = other;
  const until = clock.monotonic() + writesWithinMs;
  for (;;) {
    const runs = await listRuns({ cluster, namespace, prefix: '' }, signal);
    const its = runs.filter(({ status }) => status.actor === holder);
    // Who supersedes a run writes both.
    const run = its.find(({ name }) => name === plan.run) ?? its[0];
    if (run !== undefined || clock.monotonic() >= until) return run;
    await clock.sleep(lookAgainMs, signal);
  }
}
