import type { Playbook } from '../playbook/playbook.js';
import type { ClusterTarget } from '../cluster/clusterPort.js';
import type { Check, CheckState, DoctorReport } from './check.js';

/** The checks with their sum. */
export function reportOf(made: {
  readonly playbook: Pick<Playbook, 'name'>;
  readonly target: ClusterTarget;
  readonly clusterUid: string | undefined;
  readonly checkedAtMs: number;
  readonly checks: readonly Check[];
}): DoctorReport {
  const { checks, clusterUid } = made;
  const count = (state: CheckState) => checks.filter((check) => check.state === state).length;
  const counts = {
    ok: count('ok'),
    warning: count('warning'),
    failed: count('failed'),
    skipped: count('skipped'),
  };
  return {
    schemaVersion: 1,
    playbook: made.playbook.name,
    target: made.target,
    ...(clusterUid === undefined ? {} : { clusterUid }),
    checkedAt: new Date(made.checkedAtMs).toISOString(),
    verdict: counts.failed > 0 ? 'failed' : counts.warning > 0 ? 'warning' : 'ok',
    counts,
    checks,
  };
}
