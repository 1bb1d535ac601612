import type { WatchEvent } from '../../cluster/api.js';
import type { Node, Pod } from '../../cluster/objects.js';
import { isTrue } from '../../cluster/objects.js';
import type { Lane } from './lane.js';
import type { WorkloadPlan } from './sequence.js';

/** What a client that watches has been told of each object, in the order in which it was told. */
export interface Trails {
  /** Of each pod of a workload the states it went through; sorted, because pods have other names in other clusters. */
  pods(workload: WorkloadPlan['name']): string[];
  /** How each node was cordoned and uncordoned, and went and came. */
  nodes(): string[];
  stop(): Promise<void>;
}

/** Watches the pods and the nodes of a lane from now on. */
export async function followTrails(lane: Lane): Promise<Trails> {
  const { api } = lane.side;
  const { namespace } = lane;
  const stopping = new AbortController();
  const { signal } = stopping;
  const pods = new Map<string, { app: string; states: string[] }>();
  const nodes = new Map<string, { cordon: string[]; ready: string[] }>();

  const seePod = ({ type, object }: WatchEvent<Pod>): void => {
    const uid = object.metadata.uid ?? '';
    const trail = pods.get(uid) ?? { app: object.metadata.labels?.['app'] ?? '', states: [] };
    pods.set(uid, trail);
    if (type === 'ADDED') expectFirst(trail.states, object.metadata.name);
    append(trail.states, type === 'DELETED' ? 'deleted' : podState(object));
  };
  const seeNode = (node: Node): void => {
    if (!lane.nodes.includes(node.metadata.name)) return;
    const trail = nodes.get(node.metadata.name) ?? { cordon: [], ready: [] };
    nodes.set(node.metadata.name, trail);
    append(trail.cordon, cordonState(node));
    append(trail.ready, isTrue(node, 'Ready') ? 'Ready' : 'not Ready');
  };

  const listedPods = await api.listWithVersion({ kind: 'Pod', namespace });
  const listedNodes = await api.listWithVersion({ kind: 'Node' });
  listedNodes.items.forEach(seeNode);
  const ended = Promise.all([
    api.watch({ kind: 'Pod', namespace, resourceVersion: listedPods.resourceVersion, signal }, seePod),
    api.watch({ kind: 'Node', resourceVersion: listedNodes.resourceVersion, signal }, ({ object }) => {
      seeNode(object);
    }),
  ]).then(
    () => 'the server ended a watch',
    (error: unknown) => (signal.aborted ? undefined : error),
  );

  return {
    pods: (workload) =>
      [...pods.values()]
        .filter(({ app }) => app === workload)
        .map(({ states }) => states.join(' > '))
        .sort(),
    nodes: () =>
      lane.nodes.flatMap((name, number) => {
        const { cordon = [], ready = [] } = nodes.get(name) ?? {};
        return [`node ${String(number)}: ${cordon.join(' > ')}`, `node ${String(number)}: ${ready.join(' > ')}`];
      }),
    stop: async () => {
      stopping.abort();
      const failure = await ended;
      if (failure !== undefined) throw new Error(`the watches of ${lane.side.name} ended early`, { cause: failure });
    },
  };
}

function append(states: string[], state: string): void {
  if (states.at(-1) !== state) states.push(state);
}

function expectFirst(states: string[], name: string): void {
  if (states.length > 0) throw new Error(`pod ${name} was ADDED after ${states.join(' > ')}`);
}

function podState(pod: Pod): string {
  const conditions = pod.status?.conditions ?? [];
  const target = conditions.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  return [
    pod.status?.phase ?? 'Pending',
    pod.spec.nodeName === undefined ? 'unbound' : 'bound',
    isTrue(pod, 'Ready') ? 'Ready' : '',
    target === undefined ? '' : `target of ${target.reason ?? ''}`,
    pod.metadata.deletionTimestamp === undefined ? '' : 'ending',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function cordonState({ spec }: Node): string {
  const tainted = (spec.taints ?? []).some(({ key }) => key === 'node.kubernetes.io/unschedulable');
  return `${spec.unschedulable === true ? 'cordoned' : 'open'}${tainted ? ' tainted' : ''}`;
}
