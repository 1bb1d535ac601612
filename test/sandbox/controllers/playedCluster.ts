import type { ApiObject, Resource } from '../../../src/cluster/clusterPort.js';
import { recordOf, recordsOf, stringOf, type JsonRecord } from '../../../src/cluster/json.js';
import { resources } from '../../../src/cluster/resources.js';
import type { Reply, Change } from '../../../src/sandbox/api/simulatedApi.js';
import type { Pace } from '../../../src/sandbox/controllers/pace.js';
import { podRecord, type PodRecord } from '../../../src/sandbox/controllers/records.js';
import { createSimulatedCluster } from '../../../src/sandbox/createSimulatedCluster.js';
import { seededRandom } from '../../../src/sandbox/seededRandom.js';
import type { NodeDescription, SimulatedCluster } from '../../../src/sandbox/simulatedCluster.js';
import type { KubeObject } from '../../cluster/objects.js';
import { handTimeline, type HandTimeline } from '../handTimeline.js';

const resourceOf: Readonly<Record<string, Resource>> = {
  Pod: resources.pods,
  Node: resources.nodes,
  Deployment: resources.deployments,
  ReplicaSet: resources.replicaSets,
  StatefulSet: resources.statefulSets,
  DaemonSet: resources.daemonSets,
  Job: { group: 'batch', version: 'v1', plural: 'jobs', namespaced: true },
  PodDisruptionBudget: resources.budgets,
  Namespace: resources.namespaces,
  Lease: resources.leases,
  PersistentVolume: resources.volumes,
  PersistentVolumeClaim: resources.claims,
};

/** A cluster on a timeline that the test moves, and short words for what tests do with it. */
export interface PlayedCluster extends SimulatedCluster {
  readonly timeline: HandTimeline;
  /** Every change, as one text each. */
  readonly history: readonly string[];
  add(...objects: readonly KubeObject[]): void;
  get(kind: string, name: string, namespace?: string): ApiObject;
  find(kind: string, name: string, namespace?: string): ApiObject | undefined;
  patch(kind: string, name: string, body: JsonRecord, subresource?: string): void;
  remove(kind: string, name: string): void;
  /** All pods, or those with the label `app`. */
  pods(app?: string): readonly PodRecord[];
  cordon(node: string, unschedulable?: boolean): void;
  evict(pod: string): Reply<undefined>;
  /** Plays until each pod of the app is Ready and there are so many. */
  untilReady(app: string, count: number): void;
}

export function playedCluster(
  options: {
    readonly seed?: number;
    /** Names, or descriptions; three in three zones. */
    readonly nodes?: readonly (string | NodeDescription)[];
    readonly pace?: Partial<Pace>;
  } = {},
): PlayedCluster {
  const timeline = handTimeline();
  const { seed = 1, pace = {} } = options;
  const cluster = createSimulatedCluster({ timeline, random: seededRandom(seed), pace });
  const { api } = cluster;
  const history: string[] = [];
  api.observe((change) => history.push(textOf(change, timeline.now())));
  const nodes = options.nodes ?? ['node-1', 'node-2', 'node-3'];
  nodes.forEach((node, place) => {
    const zone = `zone-${'abc'[place % 3] ?? ''}`;
    cluster.addNode(typeof node === 'string' ? { name: node, zone } : { zone, ...node });
  });
  timeline.advance(10_000);

  const where = (kind: string, namespace = 'default') => {
    const resource = resourceOf[kind];
    if (resource === undefined) throw new Error(`tests do not know kind ${kind}`);
    return resource.namespaced ? { resource, namespace } : { resource };
  };
  const find: PlayedCluster['find'] = (kind, name, namespace) => {
    const reply = api.get({ ...where(kind, namespace), name });
    return reply.kind === 'ok' ? reply.value : undefined;
  };
  const pods: PlayedCluster['pods'] = (app) => {
    const all = ok(api.list({ resource: resources.pods })).items.map((pod) => podRecord(pod));
    return app === undefined ? all : all.filter(({ labels }) => labels['app'] === app);
  };
  const patch: PlayedCluster['patch'] = (kind, name, body, subresource) => {
    const at = { ...where(kind), name, ...(subresource === undefined ? {} : { subresource }) };
    ok(api.patch({ ...at, patch: { type: 'merge', body } }, 'tester'));
  };
  return {
    ...cluster,
    timeline,
    history,
    add(...objects) {
      for (const object of objects) {
        const { apiVersion, kind, metadata, ...content } = object;
        const whole = { apiVersion, kind, metadata: { ...metadata }, ...content };
        ok(api.create({ ...where(kind, metadata.namespace), object: whole }, 'tester'));
      }
    },
    find,
    get(kind, name, namespace) {
      const object = find(kind, name, namespace);
      if (object === undefined) throw new Error(`${kind} ${name} is not there`);
      return object;
    },
    patch,
    remove(kind, name) {
      ok(api.delete({ ...where(kind), name }, 'tester'));
    },
    pods,
    cordon(node, unschedulable = true) {
      patch('Node', node, { spec: { unschedulable: unschedulable ? true : null } });
    },
    evict: (name) => api.evict({ namespace: 'default', name }, 'tester'),
    untilReady(app, count) {
      timeline.runUntil(() => {
        const there = pods(app).filter(({ terminating }) => !terminating);
        return there.length === count && there.every(({ ready }) => ready);
      }, 120_000);
    },
  };
}

export function statusOf(object: ApiObject): JsonRecord {
  return recordOf(object['status']);
}

/** Status of a condition; undefined where it is not there. */
export function conditionStatus(object: ApiObject, type: string): string | undefined {
  return stringOf(
    recordsOf(statusOf(object)['conditions']).find((condition) => condition['type'] === type)?.['status'],
  );
}

/** `key:effect` of a node's taints. */
export function taintsOf(node: ApiObject): readonly string[] {
  return recordsOf(recordOf(node['spec'])['taints']).map(({ key, effect }) => `${String(key)}:${String(effect)}`);
}

function ok<T>(reply: Reply<T>): T {
  if (reply.kind === 'ok') return reply.value;
  throw new Error(reply.status.message);
}

function textOf({ type, resource, object, by }: Change, now: number): string {
  return `${String(now)} ${type} ${resource.plural} ${by} ${JSON.stringify(object)}`;
}
