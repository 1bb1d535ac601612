import { matchesLabels } from '../cluster/labelSelector.js';
import { admitsNode } from '../cluster/nodeSelector.js';
import { isFinished } from '../cluster/podPhase.js';
import { remembered } from '../cluster/remembered.js';
import { keepsPodsOff, tolerates } from '../cluster/taints.js';
import {
  podKey,
  type PodAffinityTerm,
  type ClusterView,
  type NodeView,
  type PodView,
  type PortOfHost,
  type SpreadConstraint,
} from '../cluster/view.js';
import { podIndex, termIndex, type PodIndex, type TermIndex } from './podIndex.js';

/** What keeps a pod off a node because of the pods there, in words; undefined where nothing does. */
export type ObstacleOn = (node: NodeView) => string | undefined;

/** What pods take up: host ports, and places that affinity, anti-affinity or hard topology spread forbid. */
export interface Occupancy {
  /**
   * `homeless` are pods that leave a node or have none yet, when the pod's affinity asks for one of them: they are
   * thought of as coming to whatever node is asked about, or as nowhere until they are placed.
   */
  obstaclesFor(pod: PodView, homeless: 'anywhere' | 'nowhere'): ObstacleOn;
  /** Counts a further pod, on the node that its nodeName says. */
  place(pod: PodView): void;
  /** Takes back the pod that was placed last. */
  takeBack(): void;
}

/**
 * What the pods on nodes other than `node` take up, and those on it that stay there whatever is drained, or that
 * `staying` names by UID. What is common to all questions is looked up once, and only when a pod asks for it.
 */
export function occupancy(view: ClusterView, node: string, staying: ReadonlySet<string> = new Set()): Occupancy {
  const isPresent = (pod: PodView): boolean => pod.nodeName !== node || staying.has(pod.uid) || staysOnNode(pod);
  const leaving = once(() => standing(view).onNodes.filter((pod) => !isPresent(pod)));
  const placed: PodView[] = [];
  const placedPods = podIndex([]);
  const placedTerms = termIndex([]);
  const situation: Omit<Situation, 'mayJoin'> = {
    view,
    node,
    withPorts: () => [...withPorts(view).filter(isPresent), ...placed.filter(({ hostPorts }) => hostPorts.length > 0)],
    podsMatching: (namespace, selector) => [
      ...podsOf(view).matching(namespace, selector).filter(isPresent),
      ...placedPods.matching(namespace, selector),
    ],
    termsSelecting: (labels) => [
      ...termsOf(view)
        .selecting(labels)
        .filter(({ pod }) => isPresent(pod)),
      ...placedTerms.selecting(labels),
    ],
  };
  const mayJoin = (): readonly PodView[] => [...standing(view).homeless, ...leaving()];
  return {
    obstaclesFor: (pod, homeless) =>
      obstaclesFor(pod, { ...situation, mayJoin: homeless === 'anywhere' ? mayJoin : () => [] }),
    place(pod) {
      placed.push(pod);
      placedPods.add(pod);
      placedTerms.add(pod);
    },
    takeBack() {
      const last = placed.pop();
      if (last === undefined) return;
      placedPods.takeBack(last);
      placedTerms.takeBack(last);
    },
  };
}

/** Pods that have not finished: those that take up a place on their node, and those that end or have none yet. */
const standing = remembered((view: ClusterView) => {
  const running = [...view.pods.values()].filter((pod) => !isFinished(pod));
  const isOnNode = ({ terminating, nodeName }: PodView): boolean => !terminating && nodeName !== undefined;
  return { onNodes: running.filter(isOnNode), homeless: running.filter((pod) => !isOnNode(pod)) };
});

// Of all nodes, whichever is left; nothing is added to them.
const withPorts = remembered((view: ClusterView) =>
  standing(view).onNodes.filter(({ hostPorts }) => hostPorts.length > 0),
);
const podsOf = remembered((view: ClusterView) => podIndex(standing(view).onNodes));
const termsOf = remembered((view: ClusterView) => termIndex(standing(view).onNodes));

function obstaclesFor(pod: PodView, situation: Situation): ObstacleOn {
  const rules = [
    takenPorts(pod, situation),
    ownAffinity(pod, situation),
    ...pod.antiAffinity.map((term) => ownAntiAffinity(pod, term, situation)),
    othersAntiAffinity(pod, situation),
    ...pod.hardSpread.map((constraint) => hardSpread(pod, constraint, situation)),
  ];
  return (other) => {
    for (const rule of rules) {
      const obstacle = rule(other);
      if (obstacle !== undefined) return obstacle;
    }
    return undefined;
  };
}

/** DaemonSet pods and static ones: no drain takes them off their node. */
function staysOnNode({ controller, mirror }: PodView): boolean {
  return mirror || controller?.kind === 'DaemonSet';
}

interface Situation {
  readonly view: ClusterView;
  /** The node that is left. */
  readonly node: string;
  /** Pods that may come to any node yet. */
  readonly mayJoin: () => readonly PodView[];
  readonly withPorts: () => readonly PodView[];
  readonly podsMatching: PodIndex['matching'];
  readonly termsSelecting: TermIndex['selecting'];
}

/** pkg/scheduler/framework/plugins/nodeports */
function takenPorts(pod: PodView, { withPorts }: Situation): ObstacleOn {
  if (pod.hostPorts.length === 0) return () => undefined;
  const takers = withPorts();
  return ({ name }) => {
    for (const taker of takers) {
      if (taker.nodeName !== name) continue;
      const port = pod.hostPorts.find((wanted) => taker.hostPorts.some((taken) => clash(wanted, taken)));
      if (port !== undefined) return `host port ${String(port.port)} is taken by Pod ${podKey(taker)}`;
    }
    return undefined;
  };
}

const everyAddress = '0.0.0.0';

function clash(one: PortOfHost, other: PortOfHost): boolean {
  const sameAddress = one.hostIp === other.hostIp || one.hostIp === everyAddress || other.hostIp === everyAddress;
  return one.port === other.port && one.protocol === other.protocol && sameAddress;
}

/**
 * pkg/scheduler/framework/plugins/interpodaffinity, satisfyPodAffinity: in each topology there is a pod that all terms
 * select. Where there is none in the whole cluster, a pod that they select itself is the first.
 */
function ownAffinity(pod: PodView, { view, podsMatching, mayJoin }: Situation): ObstacleOn {
  const [first, ...further] = pod.affinity.map((term) => ({ term, namespaces: namespacesOf(term, pod, view) }));
  if (first === undefined) return () => undefined;
  const isMeantBy =
    (other: PodView) =>
    ({ term, namespaces }: typeof first): boolean =>
      namespaces.has(other.namespace) && matchesLabels(term.selector, other.labels);
  const meant = [...first.namespaces]
    .flatMap((namespace) => podsMatching(namespace, first.term.selector))
    .filter((other) => further.every(isMeantBy(other)));
  const keys = pod.affinity.map(({ topologyKey }) => topologyKey);
  const met = new Set(meant.flatMap((other) => keys.map((key) => `${key}=${topologyOf(view, other, key) ?? ''}`)));
  const isMeant = (other: PodView): boolean => [first, ...further].every(isMeantBy(other));
  const isFirst = meant.length === 0 && isMeant(pod);
  const isOpen = isFirst || mayJoin().some((other) => other.uid !== pod.uid && isMeant(other));
  return ({ labels }) => {
    const missing = keys.find((key) => labels[key] === undefined || (!isOpen && !met.has(`${key}=${labels[key]}`)));
    return missing && `no pod that its affinity asks for runs there (${missing})`;
  };
}

/** pkg/scheduler/framework/plugins/interpodaffinity: pods that the pod does not want beside it. */
function ownAntiAffinity(pod: PodView, term: PodAffinityTerm, { view, podsMatching }: Situation): ObstacleOn {
  const taken = new Map<string, PodView>();
  for (const namespace of namespacesOf(term, pod, view)) {
    for (const other of podsMatching(namespace, term.selector)) {
      const value = topologyOf(view, other, term.topologyKey);
      if (value !== undefined) taken.set(value, other);
    }
  }
  return ({ labels }) => {
    const value = labels[term.topologyKey];
    const other = value === undefined ? undefined : taken.get(value);
    return other && `its anti-affinity keeps it from Pod ${podKey(other)} (${term.topologyKey})`;
  };
}

/** The same the other way round: pods that do not want this one beside them. */
function othersAntiAffinity(pod: PodView, { view, termsSelecting }: Situation): ObstacleOn {
  const taken = new Map<string, PodView>();
  for (const { pod: other, term } of termsSelecting(pod.labels)) {
    const value = topologyOf(view, other, term.topologyKey);
    if (value === undefined || !namespacesOf(term, other, view).has(pod.namespace)) continue;
    taken.set(`${term.topologyKey}=${value}`, other);
  }
  if (taken.size === 0) return () => undefined;
  return ({ labels }) => {
    for (const [key, value] of Object.entries(labels)) {
      const other = taken.get(`${key}=${value}`);
      if (other !== undefined) return `the anti-affinity of Pod ${podKey(other)} keeps it off (${key})`;
    }
    return undefined;
  };
}

/** pkg/apis/core, PodAffinityTerm: without names and selector the pod's own namespace, else both together. */
function namespacesOf(term: PodAffinityTerm, pod: PodView, view: ClusterView): ReadonlySet<string> {
  const { namespaces, namespaceSelector } = term;
  if (namespaceSelector === undefined) return new Set(namespaces.length === 0 ? [pod.namespace] : namespaces);
  const selected = [...view.namespaces.values()].filter(({ labels }) => matchesLabels(namespaceSelector, labels));
  return new Set([...namespaces, ...selected.map(({ name }) => name)]);
}

/**
 * pkg/scheduler/framework/plugins/podtopologyspread: with this pod a topology has at most maxSkew more matching pods
 * than the one that has fewest. The node that is left counts as one without any, cordoned or not.
 */
function hardSpread(pod: PodView, constraint: SpreadConstraint, { view, node, podsMatching }: Situation): ObstacleOn {
  const { topologyKey, maxSkew, minDomains } = constraint;
  const counts = new Map<string, number>();
  for (const other of view.nodes.values()) {
    const value = other.labels[topologyKey];
    if (value !== undefined && isCounted(pod, constraint, { other, left: node })) counts.set(value, 0);
  }
  const isOfRevision = ({ labels }: PodView): boolean =>
    constraint.matchLabelKeys.every((key) => !(key in pod.labels) || labels[key] === pod.labels[key]);
  for (const other of podsMatching(pod.namespace, constraint.selector).filter(isOfRevision)) {
    const value = topologyOf(view, other, topologyKey);
    const count = value === undefined ? undefined : counts.get(value);
    if (value !== undefined && count !== undefined && other.uid !== pod.uid) counts.set(value, count + 1);
  }
  const fewest = counts.size < minDomains ? 0 : Math.min(...counts.values());
  const own = matchesLabels(constraint.selector, pod.labels) ? 1 : 0;
  return ({ labels }) => {
    const value = labels[topologyKey];
    if (value === undefined) return `its topology spread needs the label ${topologyKey}`;
    const skew = (counts.get(value) ?? 0) + own - fewest;
    return skew <= maxSkew ? undefined : `its topology spread over ${topologyKey} allows no further pod there`;
  };
}

function isCounted(
  pod: PodView,
  constraint: SpreadConstraint,
  { other, left }: { readonly other: NodeView; readonly left: string },
): boolean {
  const { honoursAffinity, honoursTaints } = constraint;
  if (pod.hardSpread.some(({ topologyKey }) => other.labels[topologyKey] === undefined)) return false;
  if (honoursAffinity && !admitsNode(pod, other)) return false;
  if (!honoursTaints) return true;
  const cordon = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };
  const taints = other.name === left || other.unschedulable ? [...other.taints, cordon] : other.taints;
  return taints.every((taint) => !keepsPodsOff(taint) || tolerates(pod.tolerations, taint));
}

function topologyOf(view: ClusterView, pod: PodView, topologyKey: string): string | undefined {
  return view.nodes.get(pod.nodeName ?? '')?.labels[topologyKey];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
