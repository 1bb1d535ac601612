import { didItsWork, isBegun } from './execution.js';
import type { TurnStatus } from './state.js';

/**
 * May script `leave` have taken the node out of whatever sends traffic to it, without a `join` that ended well since? Such
 * a node is given back only after `join` (docs/decisions/0012-leave-and-join-belong-together.md).
 */
export function hasLeft({ jobs, leftBefore }: Pick<TurnStatus, 'jobs' | 'leftBefore'>): boolean {
  const isBack = isBegun(jobs?.join) && didItsWork(jobs?.join);
  return !isBack && (leftBefore === true || isBegun(jobs?.leave));
}
