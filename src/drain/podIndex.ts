import { matchesLabels } from '../cluster/labelSelector.js';
import type { AntiAffinityTerm, LabelSelector, PodView } from '../cluster/view.js';

/** Finds pods by label selector without looking at every pod of a large cluster. */
export interface PodIndex {
  matching(namespace: string, selector: LabelSelector | undefined): readonly PodView[];
}

/** An index of these pods. Its parts are made when they are first asked for. */
export function podIndex(pods: readonly PodView[]): PodIndex {
  let byNamespace: Groups<PodView> | undefined;
  const byLabel = new Map<string, Groups<PodView>>();
  const podsIn = (namespace: string): readonly PodView[] => {
    byNamespace ??= grouped(pods, (pod) => pod.namespace);
    return byNamespace.get(namespace) ?? [];
  };
  const candidates = (namespace: string, demand: LabelDemand | undefined): readonly PodView[] => {
    if (demand === undefined) return podsIn(namespace);
    const { key, values } = demand;
    const name = `${namespace} ${key}`;
    const groups = byLabel.get(name) ?? grouped(podsIn(namespace), ({ labels }) => labels[key]);
    byLabel.set(name, groups);
    // A selector may name a value twice.
    return [...new Set(values)].flatMap((value) => groups.get(value) ?? []);
  };
  return {
    matching(namespace, selector) {
      if (selector === undefined) return [];
      return candidates(namespace, demandOf(selector)).filter(({ labels }) => matchesLabels(selector, labels));
    },
  };
}

/** Finds the anti-affinity terms of pods that select a pod with these labels. */
export interface TermIndex {
  selecting(labels: Readonly<Record<string, string>>): readonly TermOfPod[];
}

export interface TermOfPod {
  readonly pod: PodView;
  readonly term: AntiAffinityTerm;
}

/** An index of the anti-affinity terms of these pods. */
export function termIndex(pods: readonly PodView[]): TermIndex {
  const byPair = new Map<string, TermOfPod[]>();
  const others: TermOfPod[] = [];
  for (const pod of pods) {
    for (const term of pod.antiAffinity) {
      const demand = term.selector === undefined ? undefined : demandOf(term.selector);
      if (demand === undefined) others.push({ pod, term });
      else for (const value of new Set(demand.values)) add(byPair, `${demand.key}=${value}`, { pod, term });
    }
  }
  return {
    selecting: (labels) =>
      [...Object.entries(labels).flatMap(([key, value]) => byPair.get(`${key}=${value}`) ?? []), ...others].filter(
        ({ term }) => matchesLabels(term.selector, labels),
      ),
  };
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

type Groups<T> = ReadonlyMap<string, readonly T[]>;

function grouped<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Groups<T> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) add(groups, key, item);
  }
  return groups;
}

function add<T>(groups: Map<string, T[]>, key: string, item: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}
