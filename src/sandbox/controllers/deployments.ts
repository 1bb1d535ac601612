import type { ApiObject } from '../../cluster/clusterPort.js';
import { numberOf, recordOf, stringMapOf, type JsonRecord } from '../../cluster/json.js';
import { activePodsOf, wantedReplicas } from './replicaSets.js';
import { conditionOf, keyOf, withCondition } from './records.js';
import { replicaPlan } from './replicaPlan.js';
import { workQueue } from './workQueue.js';
import { controlledBy, templateHashes, workloadKinds } from './workloadKinds.js';
import { controllerName, writerAs } from './writer.js';
import type { World } from './world.js';

const kind = workloadKinds.Deployment;
const sets = workloadKinds.ReplicaSet.resource;
const revisionAnnotation = 'deployment.kubernetes.io/revision';
const hashLabel = 'pod-template-hash';
/** `spec.revisionHistoryLimit` where it is absent. */
const keptRevisions = 10;

/** Keeps a ReplicaSet for the template of each Deployment and moves the replicas to it (pkg/controller/deployment). */
export function runDeployments(world: World): void {
  const { api, state, timeline, pace } = world;
  const write = writerAs(api, controllerName('deployment-controller'));
  const queue = workQueue(world, pace.controllerMs, (key) => {
    const deployment = state.objects(kind.resource.plural).get(key);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    const recreates = recordOf(recordOf(deployment['spec'])['strategy'])['type'] === 'Recreate';
    const current = currentSetOf(deployment);
    if (current !== undefined) renewRevision(deployment, current);
    else if (!(recreates && hasOldPods(deployment))) createSet(deployment);
    scale(deployment, recreates);
    const latest = state.objects(kind.resource.plural).get(key);
    if (latest !== undefined) write.status(kind.resource, latest, statusOf(latest));
  });

  const setsOf = (deployment: ApiObject): ApiObject[] =>
    state
      .controlledBy(deployment.metadata.uid ?? '')
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const hashOf = templateHashes();
  const currentSetOf = (deployment: ApiObject): ApiObject | undefined => {
    const hash = hashOf(deployment);
    return setsOf(deployment).find(({ metadata }) => metadata.labels?.[hashLabel] === hash);
  };
  const hasOldPods = (deployment: ApiObject): boolean =>
    setsOf(deployment).some((set) => state.podsOf(set.metadata.uid ?? '').some((pod) => !pod.finished));

  const createSet = (deployment: ApiObject): void => {
    const { name = '', namespace = '' } = deployment.metadata;
    const spec = recordOf(deployment['spec']);
    const template = recordOf(spec['template']);
    const hash = hashOf(deployment);
    const revision = 1 + Math.max(0, ...setsOf(deployment).map(revisionOf));
    const templateMetadata = recordOf(template['metadata']);
    const labels = { ...stringMapOf(templateMetadata['labels']), [hashLabel]: hash };
    const selector = recordOf(spec['selector']);
    write.create(sets, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${name}-${hash}`,
        namespace,
        labels,
        annotations: { [revisionAnnotation]: String(revision) },
        ownerReferences: [controlledBy(deployment, kind)],
      },
      spec: {
        replicas: 0,
        selector: { ...selector, matchLabels: { ...stringMapOf(selector['matchLabels']), [hashLabel]: hash } },
        template: { ...template, metadata: { ...templateMetadata, labels } },
      },
    });
    write.merge(kind.resource, deployment, { metadata: { annotations: { [revisionAnnotation]: String(revision) } } });
  };

  /** A template that was used before has its ReplicaSet still, which becomes the latest revision. */
  const renewRevision = (deployment: ApiObject, current: ApiObject): void => {
    const older = setsOf(deployment).filter((set) => set !== current);
    const latest = 1 + Math.max(0, ...older.map(revisionOf));
    if (revisionOf(current) >= latest) return;
    const annotations = { [revisionAnnotation]: String(latest) };
    write.merge(sets, current, { metadata: { annotations } });
    write.merge(kind.resource, deployment, { metadata: { annotations } });
  };

  const scale = (deployment: ApiObject, recreates: boolean): void => {
    const current = currentSetOf(deployment);
    const old = setsOf(deployment).filter((set) => set !== current);
    const spec = recordOf(deployment['spec']);
    const wanted = replicaPlan({
      replicas: wantedReplicas(deployment),
      strategy: recreates ? 'Recreate' : recordOf(recordOf(spec['strategy'])['rollingUpdate']),
      current: current && countsOf(current),
      old: old.map(countsOf),
      hasOldPods: recreates && old.some((set) => state.podsOf(set.metadata.uid ?? '').some((pod) => !pod.finished)),
    });
    const scaleTo = (set: ApiObject, replicas: number): void => {
      if (wantedReplicas(set) !== replicas) write.merge(sets, set, { spec: { replicas } });
    };
    if (current !== undefined) scaleTo(current, wanted.current);
    old.forEach((set, place) => {
      scaleTo(set, wanted.old[place] ?? 0);
    });
    const idle = old.filter(
      (set, place) => wanted.old[place] === 0 && state.podsOf(set.metadata.uid ?? '').length === 0,
    );
    const surplus = idle.length - (numberOf(spec['revisionHistoryLimit']) ?? keptRevisions);
    for (const set of idle.slice(0, Math.max(0, surplus))) write.delete(sets, set);
  };
  const countsOf = (set: ApiObject) => ({
    wanted: wantedReplicas(set),
    available: numberOf(recordOf(set['status'])['availableReplicas']) ?? 0,
  });

  const statusOf = (deployment: ApiObject): JsonRecord => {
    const current = currentSetOf(deployment);
    const wanted = wantedReplicas(deployment);
    const all = setsOf(deployment);
    const total = all.reduce((sum, set) => sum + activePodsOf(state, set).length, 0);
    const ready = all.reduce((sum, set) => sum + countsOf(set).available, 0);
    const updated = current === undefined ? 0 : activePodsOf(state, current).length;
    const before = recordOf(deployment['status']);
    const isAvailable = ready >= Math.min(wanted, Math.max(1, wanted - Math.ceil(wanted / 4)));
    const isComplete = updated === wanted && total === wanted && ready === wanted;
    const available = {
      type: 'Available',
      status: isAvailable ? 'True' : 'False',
      reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    };
    // Once complete, a Deployment stays so until its template changes.
    const wasComplete = conditionOf(before, 'Progressing')?.['reason'] === 'NewReplicaSetAvailable';
    const isSettled = isComplete || (wasComplete && all.every((set) => set === current || wantedReplicas(set) === 0));
    const progressing = {
      type: 'Progressing',
      status: 'True',
      reason: isSettled ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
    };
    const now = timeline.now();
    return {
      observedGeneration: deployment.metadata.generation ?? 1,
      replicas: total,
      updatedReplicas: updated,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: Math.max(0, wanted - ready),
      conditions: withCondition({ conditions: withCondition(before, available, now) }, progressing, now),
    };
  };

  state.on(kind.resource.plural, ({ object }) => {
    queue.add(keyOf(object));
  });
  state.on(sets.plural, ({ object }) => {
    const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner?.kind === kind.kind) queue.add(`${object.metadata.namespace ?? ''}/${owner.name}`);
  });
  state.onPod((now, before) => {
    // Recreate waits for the last old pod.
    const set = now === undefined && before?.controller?.kind === 'ReplicaSet' ? before.controller : undefined;
    if (set === undefined || before === undefined) return;
    const owner = state
      .objects(sets.plural)
      .get(`${before.namespace}/${set.name}`)
      ?.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner?.kind === kind.kind) queue.add(`${before.namespace}/${owner.name}`);
  });
}

function revisionOf(set: ApiObject): number {
  return Number(set.metadata.annotations?.[revisionAnnotation] ?? 0);
}
