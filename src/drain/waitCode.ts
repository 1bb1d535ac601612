import type { FindingCode } from '../gates/finding.js';
import type { WaitReason } from './nextStep.js';

/** The finding that a wait is where it does not end by itself; undefined for one that does. */
export function codeOfWait(reason: WaitReason): FindingCode | undefined {
  switch (reason) {
    case 'budget-not-now':
    case 'budget-stale':
    case 'budget-not-synced':
    case 'job-running':
    case 'pod-objects':
    case 'pod-awaited':
      return reason;
    case 'managed-budget':
      return 'budget-managed';
    case 'last-backend':
      return 'last-webhook-backend';
    case 'spread':
      return 'replica-spread';
    case 'rollout':
      return 'rollout-under-way';
    case 'surging':
    case 'terminating':
    case 'overdue':
    case 'namespace-deleted':
    case 'earlier-pods':
    case 'retry':
      return undefined;
  }
}
