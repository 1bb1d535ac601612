import { controllerOf } from '../../cluster/apiObject.js';
import type { ApiObject } from '../../cluster/clusterPort.js';
import { matchesLabels } from '../../cluster/labelSelector.js';
import type { LabelSelector } from '../../cluster/view.js';
import type { Change, SimulatedApi } from '../api/simulatedApi.js';
import { keyOf, nodeRecord, podRecord, type NodeRecord, type PodRecord } from './records.js';

/** What controllers look things up in: always the present state, with indexes kept up at each change. */
export interface ClusterState {
  readonly pods: ReadonlyMap<string, PodRecord>;
  readonly nodes: ReadonlyMap<string, NodeRecord>;
  podsOnNode(name: string): readonly PodRecord[];
  /** Pods by the UID of their controller. */
  podsOf(controllerUid: string): readonly PodRecord[];
  /** Pods of a namespace that a selector selects; finished ones and those being deleted too. */
  podsMatching(namespace: string, selector: LabelSelector | undefined): readonly PodRecord[];
  /** Objects of a resource by its plural name, by `namespace/name`. */
  objects(plural: string): ReadonlyMap<string, ApiObject>;
  /** Objects other than pods, by the UID of their controller. */
  controlledBy(uid: string): readonly ApiObject[];
  /** Hears of each change of a resource after the indexes know it; it may not write. */
  on(plural: string, listener: (change: Change) => void): void;
  onPod(listener: (now: PodRecord | undefined, before: PodRecord | undefined) => void): void;
  onNode(listener: (now: NodeRecord | undefined, before: NodeRecord | undefined) => void): void;
  /** Hears no more. */
  stop(): void;
}

/** Follows an API from its beginning. */
export function clusterState(api: SimulatedApi): ClusterState {
  const pods = new Map<string, PodRecord>();
  const nodes = new Map<string, NodeRecord>();
  const byNode = buckets<PodRecord>();
  const byController = buckets<PodRecord>();
  const byNamespace = buckets<PodRecord>();
  const byLabel = buckets<string>();
  const controlled = buckets<ApiObject>();
  const others = new Map<string, Map<string, ApiObject>>();
  const listeners = new Map<string, ((change: Change) => void)[]>();
  const podListeners: Parameters<ClusterState['onPod']>[0][] = [];
  const nodeListeners: Parameters<ClusterState['onNode']>[0][] = [];

  const objects = (plural: string): Map<string, ApiObject> => {
    const known = others.get(plural) ?? new Map<string, ApiObject>();
    others.set(plural, known);
    return known;
  };
  const indexPod = (key: string, now: PodRecord | undefined): void => {
    const before = pods.get(key);
    byNode.move(key, before?.nodeName, now?.nodeName, now);
    byController.move(key, before?.controller?.uid, now?.controller?.uid, now);
    byNamespace.move(key, before?.namespace, now?.namespace, now);
    if (before?.labels !== now?.labels) {
      for (const label of labelKeys(before)) byLabel.remove(label, key);
      for (const label of labelKeys(now)) byLabel.put(label, key, key);
    }
    store(pods, key, now);
    for (const listener of podListeners) listener(now, before);
  };
  const take = (change: Change): void => {
    const { resource, object, type } = change;
    const key = keyOf(object);
    const isGone = type === 'deleted';
    if (resource.group === '' && resource.plural === 'pods')
      indexPod(key, isGone ? undefined : podRecord(object, pods.get(key)));
    else if (resource.group === '' && resource.plural === 'nodes') {
      const before = nodes.get(key);
      const now = isGone ? undefined : nodeRecord(object);
      store(nodes, key, now);
      for (const listener of nodeListeners) listener(now, before);
    } else {
      const known = objects(resource.plural);
      const now = isGone ? undefined : object;
      const before = known.get(key);
      const path = `${resource.plural}/${key}`;
      controlled.move(path, before && controllerOf(before)?.uid, now && controllerOf(now)?.uid, now);
      store(known, key, now);
    }
    for (const listener of listeners.get(resource.plural) ?? []) listener(change);
  };
  return {
    pods,
    nodes,
    podsOnNode: byNode.of,
    podsOf: byController.of,
    podsMatching(namespace, selector) {
      const [label] = Object.entries(selector?.matchLabels ?? {});
      const candidates =
        label === undefined
          ? byNamespace.of(namespace)
          : byLabel.of(`${namespace}/${label[0]}=${label[1]}`).flatMap((key) => pods.get(key) ?? []);
      return candidates.filter((pod) => matchesLabels(selector, pod.labels));
    },
    objects,
    controlledBy: controlled.of,
    on(plural, listener) {
      listeners.set(plural, [...(listeners.get(plural) ?? []), listener]);
    },
    onPod: (listener) => podListeners.push(listener),
    onNode: (listener) => nodeListeners.push(listener),
    stop: api.observe(take),
  };
}

function labelKeys(pod: PodRecord | undefined): string[] {
  return pod === undefined ? [] : Object.entries(pod.labels).map(([key, value]) => `${pod.namespace}/${key}=${value}`);
}

/** Values in groups, each known by a key, in the order in which they came. */
function buckets<T>() {
  const groups = new Map<string, { readonly members: Map<string, T>; list: readonly T[] | undefined }>();
  const none: readonly T[] = [];
  const remove = (group: string, key: string): void => {
    const left = groups.get(group);
    if (left === undefined) return;
    left.members.delete(key);
    left.list = undefined;
    if (left.members.size === 0) groups.delete(group);
  };
  const put = (name: string, key: string, value: T | undefined): void => {
    if (value === undefined) return;
    const group = groups.get(name) ?? { members: new Map<string, T>(), list: undefined };
    group.members.set(key, value);
    group.list = undefined;
    groups.set(name, group);
  };
  return {
    put,
    remove,
    /** The same list as long as nothing in the group has changed. */
    of: (name: string): readonly T[] => {
      const group = groups.get(name);
      if (group === undefined) return none;
      group.list ??= [...group.members.values()];
      return group.list;
    },
    move: (key: string, from: string | undefined, to: string | undefined, value: T | undefined): void => {
      if (from !== undefined && from !== to) remove(from, key);
      if (to !== undefined) put(to, key, value);
    },
  };
}

function store<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
