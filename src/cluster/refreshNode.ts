import type { ApiAnswer, ApiFailure, ClusterPort } from './clusterPort.js';
import { foreignOwnerOfPod, foreignOwnerOfReplicaSet, type ClusterStores } from './clusterStores.js';
import { inParallel } from './inParallel.js';
import { isFinished } from './podPhase.js';
import type { ScaleOwners } from './scaleOwners.js';
import type { PodView } from './view.js';

/** Lists that run at the same time; the API server's own limit for one client is far above. */
const parallelLists = 8;

/** What is read of a node: itself and its pods, or also what decides whether these may leave. */
export type NodeRefresh = 'pods' | 'pods, budgets and owners';

interface Refreshed {
  readonly stores: ClusterStores;
  readonly scales: ScaleOwners;
  readonly cluster: ClusterPort;
}

/**
/**
 * Reads one node and its pods consistently (lists without a resourceVersion), where it is asked for also what decides
 * about those that would have to move: the budgets of their namespaces and the owners of the kinds that they have there.
 * All is merged into the stores. Scales that were read within the last 30 s are not read again. Answers whether the
 * stores changed.
 */
export async function refreshNode(
  refreshed: Refreshed,
  node: { readonly name: string; readonly what: NodeRefresh },
  signal: AbortSignal,
): Promise<ApiAnswer<boolean>> {
  const { stores, cluster } = refreshed;
  const { name, what } = node;
  const [read, pods] = await Promise.all([
    stores.nodes.listScope(cluster, { scope: name, fieldSelector: `metadata.name=${name}` }, signal),
    stores.pods.listScope(cluster, { scope: name, fieldSelector: `spec.nodeName=${name}` }, signal),
  ]);
  if (read.kind !== 'ok') return read;
  if (pods.kind !== 'ok') return pods;
  const changed = read.value.changed || pods.value.changed;
  if (what === 'pods') return { kind: 'ok', value: changed };
  const owners = await refreshOwners(refreshed, pods.value.values, signal);
  return owners.kind === 'ok' ? { kind: 'ok', value: owners.value || changed } : owners;
}

async function refreshOwners(
  { stores, scales, cluster }: Refreshed,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<ApiAnswer<boolean>> {
  const movable = pods.filter((pod) => !pod.mirror && !isFinished(pod) && pod.controller?.kind !== 'DaemonSet');
  const namespaces = [...new Set(movable.map((pod) => pod.namespace))];
  const lists = namespaces.flatMap((namespace) =>
    decidingStores(
      stores,
      movable.filter((pod) => pod.namespace === namespace),
    ).map((watched) => ({ namespace, watched })),
  );
  let changedLists = 0;
  let failure: ApiFailure | undefined;
  await inParallel(lists, parallelLists, async ({ namespace, watched }) => {
    if (failure !== undefined) return;
    const listed = await watched.listScope(cluster, { scope: namespace, namespace }, signal);
    if (listed.kind !== 'ok') failure = listed;
    else if (listed.value.changed) changedLists += 1;
  });
  if (failure !== undefined) return failure;

  const before = scales.changes;
  const replicaSets = stores.replicaSets.store.snapshot();
  const foreign = [
    ...pods.flatMap((pod) => foreignOwnerOfPod(pod) ?? []),
    ...[...replicaSets.values()]
      .filter(({ owner }) => namespaces.includes(owner.namespace))
      .flatMap((replicaSet) => foreignOwnerOfReplicaSet(replicaSet) ?? []),
  ];
  await scales.read(foreign, signal);
  return { kind: 'ok', value: changedLists > 0 || scales.changes !== before };
}

/** What must be known of a namespace before these pods of it move: the budgets, and owners of the kinds that they have. */
function decidingStores(stores: ClusterStores, pods: readonly PodView[]) {
  const kinds = new Set(pods.map(({ controller }) => controller?.kind));
  return [
    stores.budgets,
    ...(kinds.has('ReplicaSet') ? [stores.replicaSets, stores.deployments] : []),
    ...(kinds.has('StatefulSet') ? [stores.statefulSets] : []),
    ...(kinds.has('ReplicationController') ? [stores.replicationControllers] : []),
  ];
}
