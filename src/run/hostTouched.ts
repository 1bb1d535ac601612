import type { Stage } from '../host/hostPort.js';
import { didItsWork } from './execution.js';
import { stages } from './stages.js';
import type { JobRecord, TurnStatus } from './state.js';

/**
 * Has this turn changed the host, or may it have? A reboot was requested, a job was begun that has not answered
 * `changed=no`, or the host may have been changed before this record began.
 */
export function isHostTouched(status: Pick<TurnStatus, 'jobs' | 'rebootRequestedAt' | 'touchedBefore'>): boolean {
  return (
    status.touchedBefore === true ||
    status.rebootRequestedAt !== undefined ||
    stages.some((stage) => mayHaveChanged(stage, status.jobs?.[stage]))
  );
}

/**
 * Does this job count as having touched the host? `prepare` runs while the node is in service and must leave it fit for
 * service. `leave` is taken back by `join`, unless the host was rebooted under it. A `join` that was begun and did not do
 * its work keeps the node out, whatever it answered.
 */
export function mayHaveChanged(stage: Stage, job: JobRecord | undefined): boolean {
  if (job === undefined) return false;
  switch (stage) {
    case 'prepare':
      return false;
    case 'leave':
      return job.rebootedUnasked === true;
    case 'update':
      return job.changed !== 'no';
    case 'join':
      return job.changed !== 'no' || (job.again !== true && !didItsWork(job));
  }
}
