import { canonicalDigest } from '../journal/canonicalJson.js';
import type { Playbook } from '../playbook/playbook.js';

/**
 * Identity of what would be done: SHA-256 over the canonical JSON of cluster uid, normalised playbook and digests of
 * its scripts and calendars (docs/decisions/0026). Findings, forecast and order are not part of it.
 */
export function planHash(plan: { clusterUid: string; playbook: Playbook }): string {
  return canonicalDigest({
    clusterUid: plan.clusterUid,
    playbook: plan.playbook.normalised,
    files: [...plan.playbook.files].sort((one, other) => (one.path < other.path ? -1 : 1)),
  });
}
