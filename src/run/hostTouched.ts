import type { Stage } from '../host/hostPort.js';
import { stages } from './stages.js';
import type { TurnStatus } from './state.js';

/**
 * Has this turn changed the host, or may it have? A reboot was requested, a job was begun that has not answered
 * `changed=no`, or the host may have been changed before this record began. `prepare` runs while the node is in service
 * and must leave it fit for service, so it does not count.
 */
export function isHostTouched(status: Pick<TurnStatus, 'jobs' | 'rebootRequestedAt' | 'touchedBefore'>): boolean {
  return (
    status.touchedBefore === true ||
    status.rebootRequestedAt !== undefined ||
    stages.some((stage) => mayHaveChanged(status, stage))
  );
}

function mayHaveChanged(status: Pick<TurnStatus, 'jobs'>, stage: Stage): boolean {
  const job = status.jobs?.[stage];
  return stage !== 'prepare' && job !== undefined && job.changed !== 'no';
}
