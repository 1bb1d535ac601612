import type { ApiAnswer, ApiFailure, ClusterPort } from './clusterPort.js';
import { foreignOwnerOfPod, foreignOwnerOfReplicaSet, type ClusterStores } from './clusterStores.js';
import { inParallel } from './inParallel.js';
import { isFinished } from './replicas.js';
import type { ScaleOwners } from './scaleOwners.js';
import type { PodView } from './view.js';

/** Lists that run at the same time; the API server's own limit for one client is far above. */
const parallelLists = 8;

/**
 * Reads one node, its pods, and what decides about those that would have to move: the budgets of their namespaces and
 * the owners of their kinds there, all consistently (lists without a resourceVersion), and merges them into the stores.
 * Scales that were read within the last 30 s are not read again. Answers whether the stores changed.
 */
export async function refreshNode(
  {
    stores,
    scales,
    cluster,
  }: { readonly stores: ClusterStores; readonly scales: ScaleOwners; readonly cluster: ClusterPort },
  nodeName: string,
  signal: AbortSignal,
): Promise<ApiAnswer<boolean>> {
  const [node, pods] = await Promise.all([
    stores.nodes.listScope(cluster, { scope: nodeName, fieldSelector: `metadata.name=${nodeName}` }, signal),
    stores.pods.listScope(cluster, { scope: nodeName, fieldSelector: `spec.nodeName=${nodeName}` }, signal),
  ]);
  if (node.kind !== 'ok') return node;
  if (pods.kind !== 'ok') return pods;

  const movable = pods.value.values.filter(
    (pod) => !pod.mirror && !isFinished(pod) && pod.controller?.kind !== 'DaemonSet',
  );
  const namespaces = [...new Set(movable.map((pod) => pod.namespace))];
  const lists = namespaces.flatMap((namespace) =>
    decidingStores(
      stores,
      movable.filter((pod) => pod.namespace === namespace),
    ).map((watched) => ({ namespace, watched })),
  );
  let changed = node.value.changed || pods.value.changed;
  let failure: ApiFailure | undefined;
  await inParallel(lists, parallelLists, async ({ namespace, watched }) => {
    if (failure !== undefined) return;
    const listed = await watched.listScope(cluster, { scope: namespace, namespace }, signal);
    if (listed.kind !== 'ok') failure = listed;
    else changed = listed.value.changed || changed;
  });
  if (failure !== undefined) return failure;

  const before = scales.changes;
  const replicaSets = stores.replicaSets.store.snapshot();
  const foreign = [
    ...pods.value.values.flatMap((pod) => foreignOwnerOfPod(pod) ?? []),
    ...[...replicaSets.values()]
      .filter(({ owner }) => namespaces.includes(owner.namespace))
      .flatMap((replicaSet) => foreignOwnerOfReplicaSet(replicaSet) ?? []),
  ];
  await scales.read(foreign, signal);
  return { kind: 'ok', value: changed || scales.changes !== before };
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
