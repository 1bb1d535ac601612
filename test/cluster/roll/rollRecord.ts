import type { TestApi } from '../api.js';
import type { Node, Pod } from '../objects.js';
import { isTrue } from '../objects.js';

/** What the API server told of one object, and when. */
export interface Change<State> {
  readonly timeMs: number;
  readonly uid: string;
  /** Undefined: it is gone. */
  readonly state: State | undefined;
}

export interface PodState {
  /** Value of its label `app`. */
  readonly app: string;
  readonly node: string | undefined;
  /** Ready and not being deleted. */
  readonly serves: boolean;
}

export interface NodeState {
  readonly name: string;
  /** Schedulable and Ready. */
  readonly inService: boolean;
}

/** All that happened to pods and nodes, as the API server told it; computed on only when the roll is over. */
export interface RollRecord {
  readonly pods: readonly Change<PodState>[];
  readonly nodes: readonly Change<NodeState>[];
  stop(): Promise<void>;
}

/** Begins to record, with what there is at the beginning. DaemonSet pods are left out. */
export async function recordRoll(api: TestApi): Promise<RollRecord> {
  const ended = new AbortController();
  const pods: Change<PodState>[] = [];
  const nodes: Change<NodeState>[] = [];
  const keepPod = (pod: Pod, isGone: boolean): void => {
    if (pod.metadata.ownerReferences?.some(({ kind }) => kind === 'DaemonSet') === true) return;
    const state = {
      app: pod.metadata.labels?.['app'] ?? pod.metadata.name,
      node: pod.spec.nodeName,
      serves: pod.metadata.deletionTimestamp === undefined && isTrue(pod, 'Ready'),
    };
    pods.push({ timeMs: Date.now(), uid: pod.metadata.uid ?? '', state: isGone ? undefined : state });
  };
  const keepNode = (node: Node): void => {
    const inService = node.spec.unschedulable !== true && isTrue(node, 'Ready');
    nodes.push({ timeMs: Date.now(), uid: node.metadata.name, state: { name: node.metadata.name, inService } });
  };
  const watches = [
    await follow(api, { kind: 'Pod', signal: ended.signal }, keepPod),
    await follow(api, { kind: 'Node', signal: ended.signal }, keepNode),
  ];
  return {
    pods,
    nodes,
    stop: async () => {
      ended.abort();
      await Promise.all(watches.map(({ end }) => end));
    },
  };
}

/** Lists, then watches until the signal aborts; a watch that the server ends is taken up where it ended. */
async function follow<K extends 'Pod' | 'Node'>(
  api: TestApi,
  { kind, signal }: { kind: K; signal: AbortSignal },
  keep: (object: K extends 'Pod' ? Pod : Node, isGone: boolean) => void,
): Promise<{ end: Promise<void> }> {
  type Kept = K extends 'Pod' ? Pod : Node;
  const { items, resourceVersion } = await api.listWithVersion({ kind });
  for (const object of items) keep(object as Kept, false);
  const watch = async (): Promise<void> => {
    let version = resourceVersion;
    for (;;) {
      try {
        await api.watch({ kind, resourceVersion: version, signal }, ({ type, object }) => {
          if (type === 'ERROR') throw new Error(`the watch of ${kind} was ended: ${JSON.stringify(object)}`);
          version = object.metadata.resourceVersion ?? version;
          if (type !== 'BOOKMARK') keep(object as Kept, type === 'DELETED');
        });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      if (signal.aborted) return;
    }
  };
  return { end: watch() };
}
