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

/** The job was started, or may have been, and what came of it still counts. */
export function isBegun(job: JobRecord | undefined): boolean {
  return job !== undefined && job.again !== true && job.state !== 'not-started';
}

/** The job ended as it should, or a person has said so. One that answered and then rebooted its host has said all. */
export function didItsWork(job: JobRecord | undefined): boolean {
  if (job === undefined) return false;
  if (job.vouchedBy !== undefined) return true;
  if (job.state === 'exited') return job.exitCode === 0;
  return job.state === 'vanished' && job.rebootedUnasked === true && job.reboot !== undefined;
}

/** The job as it stood before its end was recorded: the host is asked anew. */
export function intentOf({ execution, intentAt, bootIdBefore }: JobRecord): JobRecord {
  return { execution, intentAt, bootIdBefore };
}

/**
 * The record of a job of which nothing counts any more: its script is executed once more, under the next number. Where its
 * end is not known it may still run, and is asked for first.
 */
export function nextExecution(job: JobRecord | undefined): JobRecord | undefined {
  if (job?.state === undefined || job.again === true) return job;
  return isOver(job) ? { ...job, changed: 'no', again: true } : intentOf(job);
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
