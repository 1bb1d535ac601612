import { append, grouped, type Groups } from '../cluster/grouped.js';
import { matchesLabels } from '../cluster/labelSelector.js';
import type { LabelSelector, PodAffinityTerm, PodView } from '../cluster/view.js';

/** Finds pods by label selector without looking at every pod of a large cluster. */
export interface PodIndex {
  matching(namespace: string, selector: LabelSelector | undefined): readonly PodView[];
  add(pod: PodView): void;
  /** Takes out a pod that was added and is the last of those that still are. */
  takeBack(pod: PodView): void;
}

/** An index of these pods. What it knows of a label is made when that is first asked for. */
export function podIndex(pods: readonly PodView[]): PodIndex {
  const byNamespace = grouped(pods, (pod) => pod.namespace);
  const byLabel = new Map<string, Map<string, Groups<PodView>>>();
  const podsIn = (namespace: string): readonly PodView[] => byNamespace.get(namespace) ?? [];
  const groupsOf = (namespace: string, key: string): Groups<PodView> => {
    const keys = byLabel.get(namespace) ?? new Map<string, Groups<PodView>>();
    byLabel.set(namespace, keys);
    const groups = keys.get(key) ?? grouped(podsIn(namespace), ({ labels }) => labels[key]);
    keys.set(key, groups);
    return groups;
  };
  const candidates = (namespace: string, demand: LabelDemand | undefined): readonly PodView[] => {
    if (demand === undefined) return podsIn(namespace);
    const groups = groupsOf(namespace, demand.key);
    // A selector may name a value twice.
    return [...new Set(demand.values)].flatMap((value) => groups.get(value) ?? []);
  };
  const groupsWith = (pod: PodView): [Groups<PodView>, string | undefined][] => [
    [byNamespace, pod.namespace],
    ...[...(byLabel.get(pod.namespace) ?? [])].map(([key, groups]): [Groups<PodView>, string | undefined] => [
      groups,
      pod.labels[key],
    ]),
  ];
  return {
    matching(namespace, selector) {
      if (selector === undefined) return [];
      return candidates(namespace, demandOf(selector)).filter(({ labels }) => matchesLabels(selector, labels));
    },
    add(pod) {
      for (const [groups, key] of groupsWith(pod)) if (key !== undefined) append(groups, key, pod);
    },
    takeBack(pod) {
      for (const [groups, key] of groupsWith(pod)) if (key !== undefined) removeLast(groups, key, (one) => one === pod);
    },
  };
}

/** Finds the anti-affinity terms of pods that select a pod with these labels. */
export interface TermIndex {
  selecting(labels: Readonly<Record<string, string>>): readonly TermOfPod[];
  add(pod: PodView): void;
  /** Takes out a pod that was added and is the last of those that still are. */
  takeBack(pod: PodView): void;
}

export interface TermOfPod {
  readonly pod: PodView;
  readonly term: PodAffinityTerm;
}

/** An index of the anti-affinity terms of these pods. */
export function termIndex(pods: readonly PodView[]): TermIndex {
  const byPair: Groups<TermOfPod> = new Map();
  const index: TermIndex = {
    selecting: (labels) =>
      [...Object.entries(labels).map(([key, value]) => `${key}=${value}`), anyPair]
        .flatMap((pair) => byPair.get(pair) ?? [])
        .filter(({ term }) => matchesLabels(term.selector, labels)),
    add(pod) {
      for (const term of pod.antiAffinity) for (const pair of pairsOf(term)) append(byPair, pair, { pod, term });
    },
    takeBack(pod) {
      const isOfPod = (one: TermOfPod): boolean => one.pod === pod;
      for (const term of pod.antiAffinity) for (const pair of pairsOf(term)) removeLast(byPair, pair, isOfPod);
    },
  };
  for (const pod of pods) index.add(pod);
  return index;
}

/** Under which terms are kept that demand no label of a pod. */
const anyPair = '';

function pairsOf({ selector }: PodAffinityTerm): readonly string[] {
  const demand = selector === undefined ? undefined : demandOf(selector);
  return demand === undefined ? [anyPair] : [...new Set(demand.values)].map((value) => `${demand.key}=${value}`);
}

/** What every pod that the selector matches has: the label `key` with one of the values. */
interface LabelDemand {
  readonly key: string;
  readonly values: readonly string[];
}

function demandOf({ matchLabels, matchExpressions }: LabelSelector): LabelDemand | undefined {
  const [equality] = Object.entries(matchLabels);
  if (equality !== undefined) return { key: equality[0], values: [equality[1]] };
  return matchExpressions.find(({ operator }) => operator === 'In');
}

function removeLast<T>(groups: Groups<T>, key: string, isMeant: (item: T) => boolean): void {
  const group = groups.get(key);
  const last = group?.at(-1);
  if (last !== undefined && isMeant(last)) group?.pop();
}
