import { remembered } from '../cluster/remembered.js';
import { ownerName, readyCount, replicasOf } from '../cluster/replicas.js';
import { ownerKey, type ClusterView } from '../cluster/view.js';
import type { Finding } from './finding.js';

/** What the API server says about itself (`/readyz`). */
export interface ApiReadiness {
  readonly ready: boolean;
  /** Its own words where it is not. */
  readonly message: string;
}

/**
 * Is the cluster well enough to lose a node? The API server reports itself ready, and everything in kube-system has
 * its desired replicas. To be asked before the cordon alone: later, this node's own drain may be why one is missing.
 */
export function clusterHealthGate({
  view,
  api,
  node,
}: {
  readonly view: ClusterView;
  readonly api: ApiReadiness;
  readonly node: string;
}): readonly Finding[] {
  return [...(api.ready ? [] : [apiNotReady(api.message, node)]), ...systemOwnersShort(view, node)];
}

function apiNotReady(message: string, node: string): Finding {
  return {
    code: 'api-not-ready',
    severity: 'block',
    node,
    objects: ['API server'],
    message: `The API server does not report itself ready: ${message}`,
    hint: 'Look at /readyz?verbose of the API server; the run goes on when it is ready.',
  };
}

function systemOwnersShort(view: ClusterView, node: string): readonly Finding[] {
  return shortIn(view).map(({ name, desired, ready }) => ({
    code: 'system-owner-short',
    severity: 'block',
    node,
    objects: [name],
    message: `${name} has ${String(ready)} of ${String(desired)} replicas Ready.`,
    hint: `Get ${name} to its replicas (kubectl describe shows why not); losing a node now could stop it.`,
  }));
}

/** What is short of replicas in kube-system: the same for every node. */
const shortIn = remembered((view: ClusterView): readonly ShortOwner[] => {
  const owners = [...view.owners.values()].filter(({ namespace }) => namespace === 'kube-system').map(ownerKey);
  return [...replicasOf(view, new Set(owners)).values()]
    .filter(({ owner }) => owner?.desired !== undefined && !owner.terminating)
    .map((replicas) => ({ name: ownerName(replicas.key), desired: replicas.desired, ready: readyCount(replicas) }))
    .filter(({ desired, ready }) => ready < desired)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
});

interface ShortOwner {
  readonly name: string;
  readonly desired: number;
  readonly ready: number;
}
