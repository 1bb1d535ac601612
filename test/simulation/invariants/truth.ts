import type { ApiObject, Resource } from '../../../src/cluster/clusterPort.js';
import { recordOf, recordsOf, stringOf } from '../../../src/cluster/json.js';
import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import { defaultNamespace } from '../../../src/install/manifests.js';
import { runResource, turnResource } from '../../../src/run/objects.js';
import type { RunStatus, TurnStatus } from '../../../src/run/state.js';
import { leaseName } from '../../../src/run/underLease.js';
import type { SimulatedApi } from '../../../src/sandbox/api/simulatedApi.js';

/** What is stored in the cluster at this moment, whatever anybody was told. */
export interface Truth {
  node(name: string): ApiObject | undefined;
  nodes(): readonly ApiObject[];
  pod(key: { readonly namespace: string; readonly name: string }): ApiObject | undefined;
  pods(namespace?: string): readonly ApiObject[];
  /** Desired replicas of the workload with this name; undefined where it has none. */
  desired(namespace: string, app: string): number | undefined;
  leaseHolder(): string;
  runs(): readonly ApiObject[];
  turns(): readonly ApiObject[];
}

export function truthOf(api: Pick<SimulatedApi, 'get' | 'list'>): Truth {
  const get = (resource: Resource, name: string, namespace?: string): ApiObject | undefined => {
    const reply = api.get({ resource, name, ...(namespace === undefined ? {} : { namespace }) });
    return reply.kind === 'ok' ? reply.value : undefined;
  };
  const list = (resource: Resource, namespace?: string): readonly ApiObject[] => {
    const reply = api.list({ resource, ...(namespace === undefined ? {} : { namespace }) });
    return reply.kind === 'ok' ? reply.value.items : [];
  };
  return {
    node: (name) => get(resources.nodes, name),
    nodes: () => list(resources.nodes),
    pod: ({ namespace, name }) => get(resources.pods, name, namespace),
    pods: (namespace) => list(resources.pods, namespace),
    desired(namespace, app) {
      const owner = get(resources.deployments, app, namespace) ?? get(resources.statefulSets, app, namespace);
      const replicas = recordOf(owner?.['spec'])['replicas'];
      return typeof replicas === 'number' ? replicas : undefined;
    },
    // By name: a list of all leases would make every kubelet of the model renew its own.
    leaseHolder() {
      const lease = get(resources.leases, leaseName, defaultNamespace);
      return lease === undefined ? '' : holderOf(lease);
    },
    runs: () => list(runResource),
    turns: () => list(turnResource),
  };
}

export function nameOf({ metadata }: ApiObject): string {
  return metadata.name ?? '';
}

export function podName({ metadata }: ApiObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

export function isCordoned(node: ApiObject): boolean {
  return recordOf(node['spec'])['unschedulable'] === true;
}

export function cordonMark({ metadata }: ApiObject): string | undefined {
  return metadata.annotations?.[marks.cordonedBy];
}

export function holdOn({ metadata }: ApiObject): string | undefined {
  return metadata.annotations?.[marks.hold];
}

/** Whether a person holds the node of this name. */
export function isHeld(truth: Pick<Truth, 'node'>, name: string): boolean {
  const node = truth.node(name);
  return node !== undefined && holdOn(node) !== undefined;
}

/** '' where it is in none. */
export function zoneOfNode({ metadata }: ApiObject): string {
  return metadata.labels?.['topology.kubernetes.io/zone'] ?? '';
}

export function isReady(object: ApiObject): boolean {
  const conditions = recordsOf(recordOf(object['status'])['conditions']);
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

export function bootIdOf(node: ApiObject): string {
  return stringOf(recordOf(recordOf(node['status'])['nodeInfo'])['bootID']) ?? '';
}

export function nodeOfPod(pod: ApiObject): string | undefined {
  return stringOf(recordOf(pod['spec'])['nodeName']);
}

export function isTerminating({ metadata }: ApiObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** The workload that the pod is of; every workload of a night labels its pods so. */
export function appOf({ metadata }: ApiObject): string | undefined {
  return metadata.labels?.['app'];
}

/** Counts for its workload: Ready, and not on its way out. */
export function isServing(pod: ApiObject): boolean {
  return isReady(pod) && !isTerminating(pod);
}

/** A pod that a drain must see off: it runs or ends, belongs to no DaemonSet, and cannot return to a cordoned node. */
export function mustLeave(pod: ApiObject): boolean {
  const phase = recordOf(pod['status'])['phase'];
  if (phase === 'Succeeded' || phase === 'Failed') return false;
  const { ownerReferences = [] } = pod.metadata;
  return !ownerReferences.some(({ kind }) => kind === 'DaemonSet') && !toleratesCordon(pod);
}

export function toleratesCordon(pod: ApiObject): boolean {
  return recordsOf(recordOf(pod['spec'])['tolerations']).some(
    ({ key, operator }) =>
      operator === 'Exists' && (key === undefined || key === '' || key === 'node.kubernetes.io/unschedulable'),
  );
}

export function holderOf(lease: ApiObject): string {
  return stringOf(recordOf(lease['spec'])['holderIdentity']) ?? '';
}

export function turnStatusOf(turn: ApiObject): Partial<TurnStatus> {
  return recordOf(turn['status']);
}

export function nodeOfTurn(turn: ApiObject): string {
  return stringOf(recordOf(turn['spec'])['node']) ?? '';
}

export function runStatusOf(run: ApiObject): Partial<RunStatus> {
  return recordOf(run['status']);
}

export function isSame(resource: Resource | undefined, other: Resource): boolean {
  return resource?.group === other.group && resource.plural === other.plural;
}
