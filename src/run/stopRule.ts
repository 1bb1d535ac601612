import type { NodesPolicy } from '../playbook/playbook.js';

/** stopAfterFailures is reached, or one of the canaries (the first nodes of the order) has failed. */
export function mustStop(run: {
  readonly failed: readonly string[];
  readonly order: readonly string[];
  readonly policy: Pick<NodesPolicy, 'canaries' | 'stopAfterFailures'>;
}): boolean {
  const { failed, order, policy } = run;
  const canaries = order.slice(0, policy.canaries);
  return failed.length >= policy.stopAfterFailures || failed.some((node) => canaries.includes(node));
}
