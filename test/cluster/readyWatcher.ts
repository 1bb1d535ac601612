import type { TestApi } from './api.js';
import type { Kinds, Node, Pod } from './objects.js';
import { isTrue } from './objects.js';
import { TestbedError } from './testbedError.js';
import { waitFor } from './waitFor.js';

export interface WatchedWorkload {
  kind: 'Deployment' | 'StatefulSet';
  metadata: { name: string; namespace?: string };
}

/** What one workload's customers saw. */
export interface ReadyReport {
  /** At each change: how many pods were Ready and not being deleted. */
  timeline: { time: Date; ready: number }[];
  minimumReady: number;
  /** The intervals without any Ready pod; the last may still be open. */
  outages: { from: Date; until: Date | undefined }[];
}

export interface NodeReport {
  timeline: { time: Date; node: string; change: 'cordoned' | 'uncordoned' | 'ready' | 'not-ready' }[];
  /** The taints that each node has had, one entry for each change of their keys. */
  taints: { time: Date; node: string; keys: string[] }[];
  /** The most nodes that were unschedulable at one moment. */
  maximumCordoned: number;
  /** The most nodes that were unschedulable or not Ready at one moment. */
  maximumUnavailable: number;
}

/** Watches the cluster from outside the code under test, from `startReadyWatcher` on. */
export interface ReadyWatcher {
  workload(name: string, namespace?: string): ReadyReport;
  nodes(): NodeReport;
  stop(): Promise<void>;
}

/** Starts to count the Ready pods of these workloads and the cordoned nodes; returns when the first counts are in. */
export async function startReadyWatcher(options: {
  api: TestApi;
  workloads: WatchedWorkload[];
}): Promise<ReadyWatcher> {
  const { api } = options;
  const workloads = new Map<string, WorkloadCount>();
  for (const { kind, metadata } of options.workloads) {
    const { name, namespace = 'default' } = metadata;
    const { spec } = await api.get({ kind, name, namespace });
    workloads.set(`${namespace}/${name}`, new WorkloadCount(namespace, spec.selector.matchLabels ?? {}));
  }
  const nodes = new NodeCount();
  const stopping = new AbortController();
  const { signal } = stopping;
  const seePods = (pods: Pod[]): void => {
    for (const count of workloads.values()) count.see(pods);
  };
  const seeNodes = (all: Node[]): void => {
    nodes.see(all);
  };
  const followers = [
    follow({ api, kind: 'Pod', signal, onState: seePods }),
    follow({ api, kind: 'Node', signal, onState: seeNodes }),
  ];
  await Promise.all(followers.map(({ firstState }) => firstState));

  return {
    workload: (name, namespace = 'default') => {
      const count = workloads.get(`${namespace}/${name}`);
      if (count === undefined) throw new TestbedError(`The watcher was not asked to watch ${namespace}/${name}`);
      return count.report();
    },
    nodes: () => nodes.report,
    stop: async () => {
      stopping.abort();
      await Promise.all(followers.map(({ ended }) => ended));
    },
  };
}

class WorkloadCount {
  readonly #timeline: ReadyReport['timeline'] = [];

  constructor(
    readonly namespace: string,
    readonly labels: Record<string, string>,
  ) {}

  see(pods: Pod[]): void {
    const ready = pods.filter((pod) => this.#isMine(pod) && isServing(pod)).length;
    if (this.#timeline.at(-1)?.ready !== ready) this.#timeline.push({ time: new Date(), ready });
  }

  report(): ReadyReport {
    const outages: ReadyReport['outages'] = [];
    for (const [index, { time, ready }] of this.#timeline.entries()) {
      if (ready === 0) outages.push({ from: time, until: this.#timeline[index + 1]?.time });
    }
    const minimumReady = Math.min(...this.#timeline.map(({ ready }) => ready));
    return { timeline: [...this.#timeline], minimumReady, outages };
  }

  #isMine({ metadata }: Pod): boolean {
    if (metadata.namespace !== this.namespace) return false;
    return Object.entries(this.labels).every(([key, value]) => metadata.labels?.[key] === value);
  }
}

class NodeCount {
  readonly report: NodeReport = { timeline: [], taints: [], maximumCordoned: 0, maximumUnavailable: 0 };
  #taintsOf = new Map<string, string>();
  #last = new Map<string, { cordoned: boolean; ready: boolean }>();

  see(nodes: Node[]): void {
    const now = new Map<string, { cordoned: boolean; ready: boolean }>();
    for (const node of nodes) {
      now.set(node.metadata.name, { cordoned: node.spec.unschedulable === true, ready: isTrue(node, 'Ready') });
    }
    for (const [node, { cordoned, ready }] of now) {
      const before = this.#last.get(node) ?? { cordoned: false, ready: true };
      const time = new Date();
      if (cordoned !== before.cordoned)
        this.report.timeline.push({ time, node, change: cordoned ? 'cordoned' : 'uncordoned' });
      if (ready !== before.ready) this.report.timeline.push({ time, node, change: ready ? 'ready' : 'not-ready' });
    }
    for (const { metadata, spec } of nodes)
      this.#seeTaints(metadata.name, (spec.taints ?? []).map(({ key }) => key).sort());
    const states = [...now.values()];
    const cordoned = states.filter((state) => state.cordoned).length;
    const unavailable = states.filter((state) => state.cordoned || !state.ready).length;
    this.report.maximumCordoned = Math.max(this.report.maximumCordoned, cordoned);
    this.report.maximumUnavailable = Math.max(this.report.maximumUnavailable, unavailable);
    this.#last = now;
  }

  #seeTaints(node: string, keys: string[]): void {
    if ((this.#taintsOf.get(node) ?? '') === keys.join()) return;
    this.#taintsOf.set(node, keys.join());
    this.report.taints.push({ time: new Date(), node, keys });
  }
}

interface FollowOptions<K extends 'Pod' | 'Node'> {
  api: TestApi;
  kind: K;
  signal: AbortSignal;
  onState: (objects: Kinds[K][]) => void;
}

/** List and watch, and list again whenever the watch ends: `onState` sees all objects after each event. */
function follow<K extends 'Pod' | 'Node'>(
  options: FollowOptions<K>,
): { firstState: Promise<void>; ended: Promise<void> } {
  const { api, kind, signal, onState } = options;
  const listAndWatch = async (onListed: () => void): Promise<void> => {
    const { items, resourceVersion } = await api.listWithVersion({ kind });
    const objects = new Map(items.map((object) => [keyOf(object), object]));
    onState([...objects.values()]);
    onListed();
    await api.watch({ kind, resourceVersion, signal }, ({ type, object }) => {
      if (type === 'ADDED' || type === 'MODIFIED') objects.set(keyOf(object), object);
      if (type === 'DELETED') objects.delete(keyOf(object));
      onState([...objects.values()]);
    });
  };
  let listed: () => void = () => undefined;
  const firstState = new Promise<void>((resolve) => (listed = resolve));
  const ended = waitFor({
    what: `the end of the watch of ${kind}`,
    timeoutMs: Number.MAX_SAFE_INTEGER,
    intervalMs: 100,
    probe: async () => {
      if (!signal.aborted) await listAndWatch(listed);
      return signal.aborted;
    },
  }).then(() => undefined);
  return { firstState, ended };
}

function isServing(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && isTrue(pod, 'Ready');
}

function keyOf({ metadata }: Pod | Node): string {
  return metadata.uid ?? `${metadata.namespace ?? ''}/${metadata.name}`;
}
