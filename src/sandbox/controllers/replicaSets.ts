import type { ApiObject } from '../../cluster/clusterPort.js';
import { numberOf, recordOf } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import type { ClusterState } from './clusterState.js';
import { keyOf, type PodRecord } from './records.js';
import { workloadQueue } from './workloadQueue.js';
import { podOf, workloadKinds } from './workloadKinds.js';
import { controllerName, writerAs } from './writer.js';
import type { World } from './world.js';

const kind = workloadKinds.ReplicaSet;

/** Keeps the number of pods of each ReplicaSet (pkg/controller/replicaset/replica_set.go). */
export function runReplicaSets(world: World): void {
  const { api, state } = world;
  const write = writerAs(api, controllerName('replicaset-controller'));
  const queue = workloadQueue(world, kind, (set) => {
    if (set.metadata.deletionTimestamp === undefined) keepNumber(set);
    write.status(kind.resource, set, statusOf(set, state));
  });
  const keepNumber = (set: ApiObject): void => {
    const active = activePodsOf(state, set);
    const missing = wantedReplicas(set) - active.length;
    for (let made = 0; made < missing; made += 1) {
      if (write.create(resources.pods, podOf(set, kind, {})).kind === 'refused') queue.add(keyOf(set), 1000);
    }
    if (missing >= 0) return;
    for (const pod of leastMissed(active).slice(0, -missing)) write.delete(resources.pods, pod.object);
  };
}

export function wantedReplicas(owner: ApiObject): number {
  return numberOf(recordOf(owner['spec'])['replicas']) ?? 1;
}

/** Neither finished nor being deleted. */
export function activePodsOf(state: ClusterState, owner: ApiObject): PodRecord[] {
  return state.podsOf(owner.metadata.uid ?? '').filter((pod) => !pod.terminating && !pod.finished);
}

function statusOf(set: ApiObject, state: ClusterState) {
  const active = activePodsOf(state, set);
  const ready = active.filter((pod) => pod.ready).length;
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.length,
    readyReplicas: ready,
    availableReplicas: ready,
    observedGeneration: set.metadata.generation ?? 1,
  };
}

/**
 * Which pods to give up first: without a node, not running, not Ready, beside others of their kind, young
 * (pkg/controller/controller_utils.go, ActivePodsWithRanks).
 */
function leastMissed(pods: readonly PodRecord[]): PodRecord[] {
  const beside = new Map<string | undefined, number>();
  for (const { nodeName } of pods) beside.set(nodeName, (beside.get(nodeName) ?? 0) + 1);
  const rank = (pod: PodRecord): number[] => [
    pod.nodeName === undefined ? 0 : 1,
    pod.phase === 'Running' ? 1 : 0,
    pod.ready ? 1 : 0,
    -(beside.get(pod.nodeName) ?? 0),
    -Date.parse(pod.object.metadata.creationTimestamp ?? ''),
  ];
  return pods
    .map((pod) => ({ pod, rank: rank(pod) }))
    .sort((a, b) => a.rank.map((value, place) => value - (b.rank[place] ?? 0)).find((order) => order !== 0) ?? 0)
    .map(({ pod }) => pod);
}
