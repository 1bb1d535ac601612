import { didItsWork, isBegun, nextExecution } from './execution.js';
import { hasLeft } from './hasLeft.js';
import type { TurnStatus } from './state.js';

/**
 * What a turn that begins from its first step remembers of the scripts of the attempt before. `prepare` runs again where
 * it failed; `leave` and `join` belong to an attempt, so that each runs again, but for a `leave` whose node is still away
 * because somebody held it. A script whose end is not known is followed to it first.
 */
export function newAttempt(status: TurnStatus): Pick<TurnStatus, 'jobs' | 'leftBefore'> {
  const { jobs } = status;
  const isAway = hasLeft(status);
  const staysAway = isAway && !isBegun(jobs?.join) && didItsWork(jobs?.leave);
  return {
    leftBefore: isAway && !staysAway ? true : undefined,
    jobs: jobs && {
      ...jobs,
      prepare: didItsWork(jobs.prepare) ? jobs.prepare : nextExecution(jobs.prepare),
      leave: staysAway ? jobs.leave : nextExecution(jobs.leave),
      join: nextExecution(jobs.join),
    },
  };
}

/** The same where the node has been given back: whatever `leave` did is over, and another attempt has both anew. */
export function givenBack({ jobs }: TurnStatus): Pick<TurnStatus, 'jobs' | 'leftBefore'> {
  return {
    leftBefore: undefined,
    jobs: jobs && { ...jobs, leave: nextExecution(jobs.leave), join: nextExecution(jobs.join) },
  };
}
