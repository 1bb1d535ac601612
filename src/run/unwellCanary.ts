import { replicasOf } from '../cluster/replicas.js';
import type { ClusterView } from '../cluster/view.js';
import type { NodesPolicy } from '../playbook/playbook.js';
import type { RunState } from './state.js';

/**
 * A canary shows what an update does: true where pods of an owner that it has left short are on it and do not become
 * Ready there. What is missing elsewhere says nothing of the update.
 */
export function isUnwellCanary(
  run: {
    readonly store: { readonly state: () => Pick<RunState, 'status' | 'turns'> };
    readonly cache: { readonly view: () => ClusterView };
    readonly playbook: { readonly nodes: Pick<NodesPolicy, 'canaries'> };
  },
  node: string,
): boolean {
  const { status, turns } = run.store.state();
  const left = turns.get(node)?.status.unrecovered;
  if (left === undefined || !(status.order ?? []).slice(0, run.playbook.nodes.canaries).includes(node)) return false;
  const owners = replicasOf(run.cache.view(), new Set(left.map(({ owner }) => owner)));
  return [...owners.values()].some(({ pods }) => pods.some((pod) => pod.nodeName === node && !pod.ready));
}
