import type { ApiObject } from '../../cluster/clusterPort.js';
import { recordOf, recordsOf, stringOf } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import { wantedReplicas } from './replicaSets.js';
import { keyOf, type PodRecord } from './records.js';
import { workloadQueue } from './workloadQueue.js';
import { podOf, templateHashes, workloadKinds } from './workloadKinds.js';
import { controllerName, writerAs } from './writer.js';
import type { World } from './world.js';

const kind = workloadKinds.StatefulSet;
const revisionLabel = 'controller-revision-hash';

/**
 * Keeps one pod for each ordinal of a StatefulSet, a name again only when its former bearer is gone
 * (pkg/controller/statefulset/stateful_set_control.go).
 */
export function runStatefulSets(world: World): void {
  const { api, state } = world;
  const write = writerAs(api, controllerName('statefulset-controller'));
  const queue = workloadQueue(world, kind, (set) => {
    if (set.metadata.deletionTimestamp === undefined) takeNextStep(set);
    write.status(kind.resource, set, statusOf(set));
  });

  const podsOf = (set: ApiObject): readonly PodRecord[] => state.podsOf(set.metadata.uid ?? '');
  const hashOf = templateHashes();
  const revisionOf = (set: ApiObject): string => `${set.metadata.name ?? ''}-${hashOf(set)}`;

  const takeNextStep = (set: ApiObject): void => {
    const isOrdered = recordOf(set['spec'])['podManagementPolicy'] !== 'Parallel';
    const replicas = wantedReplicas(set);
    const pods = new Map(podsOf(set).map((pod) => [ordinalOf(pod), pod]));
    for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
      const pod = pods.get(ordinal);
      if (pod === undefined) createPod(set, ordinal);
      else if (pod.finished && !pod.terminating) write.delete(resources.pods, pod.object);
      if (isOrdered && (pod === undefined || !isHealthy(pod))) return;
    }
    const condemned = [...pods.values()].filter((pod) => ordinalOf(pod) >= replicas).sort(byOrdinalDown);
    for (const pod of condemned) {
      if (!pod.terminating) write.delete(resources.pods, pod.object);
      if (isOrdered) return;
    }
    if (recordOf(recordOf(set['spec'])['updateStrategy'])['type'] !== 'OnDelete') updateNext(set, [...pods.values()]);
  };

  /** From the highest ordinal down, one after the other. */
  const updateNext = (set: ApiObject, pods: readonly PodRecord[]): void => {
    const revision = revisionOf(set);
    for (const pod of [...pods].sort(byOrdinalDown)) {
      if (pod.labels[revisionLabel] !== revision && !pod.terminating) {
        write.delete(resources.pods, pod.object);
        return;
      }
      if (!isHealthy(pod)) return;
    }
  };

  const createPod = (set: ApiObject, ordinal: number): void => {
    const name = `${set.metadata.name ?? ''}-${String(ordinal)}`;
    const namespace = set.metadata.namespace ?? '';
    const templates = recordsOf(recordOf(set['spec'])['volumeClaimTemplates']).map((template) => ({
      volume: stringOf(recordOf(template['metadata'])['name']) ?? '',
      spec: recordOf(template['spec']),
    }));
    for (const { volume, spec } of templates) {
      const claim = { name: `${volume}-${name}`, namespace };
      if (state.objects(resources.claims.plural).has(`${namespace}/${claim.name}`)) continue;
      write.create(resources.claims, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: claim, spec });
    }
    const claimed = templates.map(({ volume }) => ({
      name: volume,
      persistentVolumeClaim: { claimName: `${volume}-${name}` },
    }));
    const own = recordsOf(recordOf(recordOf(recordOf(set['spec'])['template'])['spec'])['volumes']);
    const reply = write.create(
      resources.pods,
      podOf(set, kind, {
        name,
        labels: {
          [revisionLabel]: revisionOf(set),
          'statefulset.kubernetes.io/pod-name': name,
          'apps.kubernetes.io/pod-index': String(ordinal),
        },
        spec: { hostname: name, ...(claimed.length === 0 ? {} : { volumes: [...own, ...claimed] }) },
      }),
    );
    if (reply.kind === 'refused') queue.add(keyOf(set), 1000);
  };

  const statusOf = (set: ApiObject) => {
    const pods = podsOf(set);
    const revision = revisionOf(set);
    const updated = pods.filter((pod) => pod.labels[revisionLabel] === revision).length;
    const ready = pods.filter((pod) => pod.ready && pod.phase === 'Running').length;
    const isUpdated = updated === pods.length && pods.length >= wantedReplicas(set);
    const former = stringOf(recordOf(set['status'])['currentRevision']);
    return {
      observedGeneration: set.metadata.generation ?? 1,
      replicas: pods.length,
      readyReplicas: ready,
      availableReplicas: ready,
      updatedReplicas: updated,
      currentReplicas: isUpdated ? pods.length : pods.length - updated,
      currentRevision: isUpdated ? revision : (former ?? revision),
      updateRevision: revision,
      collisionCount: 0,
    };
  };
}

function isHealthy(pod: PodRecord): boolean {
  return pod.phase === 'Running' && pod.ready && !pod.terminating;
}

function ordinalOf(pod: PodRecord): number {
  return Number(pod.name.slice(pod.name.lastIndexOf('-') + 1));
}

function byOrdinalDown(a: PodRecord, b: PodRecord): number {
  return ordinalOf(b) - ordinalOf(a);
}
