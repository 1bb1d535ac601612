import type { ApiObject, Resource } from '../../cluster/clusterPort.js';
import { numberOf, recordOf, recordsOf } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import type { SimulatedApi } from '../api/simulatedApi.js';
import type { NodeDescription, SimulatedCluster } from '../simulatedCluster.js';
import type { Timeline } from '../timeline.js';
import { awaitScene } from './awaitScene.js';
import type { ScenePace } from './scenePace.js';
import { gatheredReplicas, gatheredWorkload, namespaces, workloads } from './workloads.js';

const resourceOf: Readonly<Record<string, Resource>> = {
  Namespace: resources.namespaces,
  Deployment: resources.deployments,
  StatefulSet: resources.statefulSets,
  DaemonSet: resources.daemonSets,
  PodDisruptionBudget: resources.budgets,
  Job: { group: 'batch', version: 'v1', plural: 'jobs', namespaced: true },
};

/**
 * Puts nodes and workloads into an empty cluster and waits until every pod is Ready. One workload gathers on the node in
 * the middle, because it is there before the others.
 *
 * @throws TurnusError `scene-not-ready`
 */
export async function setScene(
  scene: {
    readonly cluster: SimulatedCluster;
    readonly timeline: Timeline;
    readonly nodes: readonly NodeDescription[];
    readonly pace: ScenePace;
  },
  signal: AbortSignal,
): Promise<void> {
  const { cluster, timeline, nodes, pace } = scene;
  const { api } = cluster;
  const until = async (what: string, holds: () => boolean) => {
    await awaitScene({ api, timeline }, { what, holds }, signal);
  };
  for (const namespace of namespaces) create(api, namespace);
  const middle = nodes[Math.floor(nodes.length / 2)];
  if (middle !== undefined) cluster.addNode(middle);
  create(api, gatheredWorkload(pace));
  await until('the first pods have a node', () => {
    const pods = podsOf(api);
    return pods.length === gatheredReplicas && pods.every(hasNode);
  });
  for (const node of nodes) if (node !== middle) cluster.addNode(node);
  await until('the nodes are Ready', () => listOf(api, resources.nodes).every(isReady));
  for (const object of workloads(pace)) create(api, object);
  await until('every pod is Ready', () => isSceneComplete(api));
}

function create(api: SimulatedApi, object: ApiObject): void {
  const resource = resourceOf[object.kind ?? ''];
  if (resource === undefined) throw new Error(`the scene does not know where kind ${object.kind ?? ''} is served`);
  const { name = '', namespace } = object.metadata;
  const where = namespace === undefined ? {} : { namespace };
  const reply = api.create({ resource, object, ...where }, 'sandbox');
  if (reply.kind === 'refused' && reply.status.reason !== 'AlreadyExists')
    throw new Error(`${object.kind ?? ''} ${name} cannot be created: ${reply.status.message}`);
}

/** Every workload has the pods it wants, all Ready, and every budget has counted them. */
export function isSceneComplete(api: SimulatedApi): boolean {
  const [deployments, statefulSets] = [listOf(api, resources.deployments), listOf(api, resources.statefulSets)];
  const wanted = [...deployments, ...statefulSets].every((owner) => {
    return numberOf(statusOf(owner)['readyReplicas']) === numberOf(recordOf(owner['spec'])['replicas']);
  });
  const perNode = listOf(api, resources.daemonSets).every((owner) => {
    const { desiredNumberScheduled, numberReady } = statusOf(owner);
    return desiredNumberScheduled === numberReady && desiredNumberScheduled === listOf(api, resources.nodes).length;
  });
  const counted = listOf(api, resources.budgets).every((budget) => {
    const { currentHealthy, expectedPods } = statusOf(budget);
    return currentHealthy === expectedPods && numberOf(expectedPods) !== 0;
  });
  return wanted && perNode && counted && podsOf(api).every((pod) => isReady(pod) || hasSucceeded(pod));
}

function podsOf(api: SimulatedApi): readonly ApiObject[] {
  return listOf(api, resources.pods);
}

function listOf(api: SimulatedApi, resource: Resource): readonly ApiObject[] {
  const reply = api.list({ resource });
  if (reply.kind === 'refused') throw new Error(`${resource.plural} cannot be listed: ${reply.status.message}`);
  return reply.value.items;
}

function hasNode(pod: ApiObject): boolean {
  return recordOf(pod['spec'])['nodeName'] !== undefined;
}

function hasSucceeded(pod: ApiObject): boolean {
  return statusOf(pod)['phase'] === 'Succeeded';
}

function statusOf(object: ApiObject) {
  return recordOf(object['status']);
}

function isReady(object: ApiObject): boolean {
  return recordsOf(statusOf(object)['conditions']).some(({ type, status }) => type === 'Ready' && status === 'True');
}
