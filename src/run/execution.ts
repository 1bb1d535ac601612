import { stages, type Stage } from './stages.js';
import type { JobRecord, TurnStatus } from './state.js';

/** Ends of a job that are final on the host: it will not be followed again. */
const finalStates: readonly (string | undefined)[] = ['exited', 'timed-out', 'vanished', 'absent'];

/** The job ran, or was started, and its end on the host is known. */
export function hasEnded(job: JobRecord): boolean {
  return finalStates.includes(job.state);
}

/** It is certain that the job does not run now. */
export function isOver(job: JobRecord): boolean {
  return hasEnded(job) || job.state === 'not-started';
}

/** The script that did not do what it should; undefined where the turn failed for another reason. */
export function failedStage(status: TurnStatus): Stage | undefined {
  const failed = stages.find((stage) => {
    const job = status.jobs?.[stage];
    return job !== undefined && job.vouchedBy === undefined && (job.state !== 'exited' || job.exitCode !== 0);
  });
  return failed ?? (status.failure?.code === 'no-reboot-answer' ? 'update' : undefined);
}

/** The script that `retry --again` runs: the failed one, else the update. */
export function stageToRepeat(status: TurnStatus): Stage | undefined {
  return failedStage(status) ?? (status.jobs?.update === undefined ? undefined : 'update');
}

/** Why no script may be run again now; undefined where one may. */
export function noSecondExecution(status: TurnStatus): string | undefined {
  const stage = stageToRepeat(status);
  const job = stage === undefined ? undefined : status.jobs?.[stage];
  if (stage === undefined || job === undefined) {
    return 'no script of this turn can be run again; ask for a retry without --again.';
  }
  if (isOver(job)) return undefined;
  return `whether script ${stage} still runs on the host is not known; ask for a retry without --again, which follows it.`;
}
