import { controllerOf } from '../../cluster/apiObject.js';
import type { ApiObject, OwnerReference } from '../../cluster/clusterPort.js';
import { numberOf, recordOf, type JsonRecord } from '../../cluster/json.js';
import { matchesLabels, parseLabelSelectorObject } from '../../cluster/labelSelector.js';
import { resources } from '../../cluster/resources.js';
import { countBudget, type Scale } from './budgetStatus.js';
import { wantedReplicas } from './replicaSets.js';
import { keyOf, withCondition, type PodRecord } from './records.js';
import { remembered } from '../../cluster/remembered.js';
import { workQueue } from './workQueue.js';
import { controllerName, writerAs } from './writer.js';
import type { World } from './world.js';

/**
 * Keeps the status of PodDisruptionBudgets. As the real controller it looks at a budget when it changes or one of its
 * pods does, not when a workload is scaled (pkg/controller/disruption/disruption.go).
 */
export function runDisruptionBudgets(world: World): void {
  const { api, state, timeline, pace } = world;
  const write = writerAs(api, controllerName('disruption-controller'));
  const budgets = state.objects(resources.budgets.plural);
  const queue = workQueue(world, pace.controllerMs, (key) => {
    const budget = budgets.get(key);
    if (budget === undefined) return;
    const count = countBudget({
      spec: recordOf(budget['spec']),
      disruptedPods: recordOf(budget['status'])['disruptedPods'],
      pods: podsOf(budget),
      scaleOf: (controller, pod) => scaleOf(world, controller, pod),
      now: timeline.now(),
    });
    write.status(resources.budgets, budget, statusOf(budget, count));
    if (count.kind === 'counted' && count.lookAgainAt !== undefined) {
      queue.add(key, Math.max(0, count.lookAgainAt - timeline.now()) + 1);
    }
  });

  const selectorOf = remembered((budget: ApiObject) => parseLabelSelectorObject(recordOf(budget['spec'])['selector']));
  const podsOf = (budget: ApiObject): readonly PodRecord[] =>
    state.podsMatching(budget.metadata.namespace ?? '', selectorOf(budget));
  const statusOf = (budget: ApiObject, count: ReturnType<typeof countBudget>): JsonRecord => {
    const before = recordOf(budget['status']);
    const { generation: observedGeneration = 0 } = budget.metadata;
    if (count.kind === 'failed') {
      const failed = {
        type: 'DisruptionAllowed',
        status: 'False',
        reason: 'SyncFailed',
        message: count.message,
        observedGeneration: numberOf(before['observedGeneration']) ?? 0,
      };
      return {
        observedGeneration: 0,
        currentHealthy: 0,
        desiredHealthy: 0,
        expectedPods: 0,
        ...before,
        disruptionsAllowed: 0,
        conditions: withCondition(before, failed, timeline.now()),
      };
    }
    const { kind: _, lookAgainAt: __, disruptedPods, ...counts } = count;
    const allowed = {
      type: 'DisruptionAllowed',
      status: counts.disruptionsAllowed > 0 ? 'True' : 'False',
      reason: counts.disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
      message: '',
      observedGeneration,
    };
    return {
      ...counts,
      ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
      observedGeneration,
      conditions: withCondition(before, allowed, timeline.now()),
    };
  };

  /** Budgets by the first label that their pods must have, so that a pod need not ask all of them. */
  const byLabel = new Map<string, Set<string>>();
  const labelOf = (budget: ApiObject): string => {
    const [label] = Object.entries(selectorOf(budget)?.matchLabels ?? {});
    return `${budget.metadata.namespace ?? ''}/${label === undefined ? '' : label.join('=')}`;
  };
  state.on(resources.budgets.plural, ({ type, object, before }) => {
    const key = keyOf(object);
    if (before !== undefined) byLabel.get(labelOf(before))?.delete(key);
    if (type === 'deleted') return;
    const label = labelOf(object);
    byLabel.set(label, (byLabel.get(label) ?? new Set()).add(key));
    queue.add(key);
  });
  state.onPod((now, before) => {
    const pod = now ?? before;
    if (pod === undefined) return;
    const labels = Object.entries(pod.labels).map(([key, value]) => `${key}=${value}`);
    for (const label of ['', ...labels]) {
      for (const key of byLabel.get(`${pod.namespace}/${label}`) ?? []) {
        const budget = budgets.get(key);
        if (budget !== undefined && matchesLabels(selectorOf(budget), pod.labels)) queue.add(key);
      }
    }
  });
}

/**
 * The scale of a pod's controller: of the Deployment behind a ReplicaSet, else whatever the API serves as the scale of
 * its kind. DaemonSets and Jobs have none.
 */
function scaleOf({ api, state }: World, controller: OwnerReference, { namespace, name }: PodRecord): Scale {
  if (controller.kind === 'ReplicaSet') {
    const set = state.objects(resources.replicaSets.plural).get(`${namespace}/${controller.name}`);
    const above = set?.metadata.uid === controller.uid ? controllerOf(set) : undefined;
    const deployment = state.objects(resources.deployments.plural).get(`${namespace}/${above?.name ?? ''}`);
    if (above?.kind === 'Deployment' && deployment?.metadata.uid === above.uid) {
      return { kind: 'replicas', uid: above.uid, replicas: wantedReplicas(deployment) };
    }
  }
  const served = api
    .served()
    .find(
      ({ kind, group, version }) => kind === controller.kind && apiVersion(group, version) === controller.apiVersion,
    );
  if (served === undefined) {
    return { kind: 'none', message: `no matches for kind "${controller.kind}" in version "${controller.apiVersion}"` };
  }
  if (!served.subresources.includes('scale')) {
    const resource = served.group === '' ? served.plural : `${served.plural}.${served.group}`;
    return { kind: 'none', message: `${resource} does not implement the scale subresource` };
  }
  const reply = api.get({ resource: served, namespace, name: controller.name, subresource: 'scale' });
  if (reply.kind === 'refused' || reply.value.metadata.uid !== controller.uid) {
    return { kind: 'none', message: `found no controllers for pod "${name}"` };
  }
  const replicas = numberOf(recordOf(reply.value['spec'])['replicas']) ?? 0;
  return { kind: 'replicas', uid: controller.uid, replicas };
}

function apiVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}
