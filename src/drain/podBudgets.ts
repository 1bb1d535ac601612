import { matchesLabels } from '../cluster/labelSelector.js';
import { isFinished } from '../cluster/podPhase.js';
import { ownerOf } from '../cluster/replicas.js';
import type { BudgetView, ClusterView, OwnerKey, PodView } from '../cluster/view.js';
import { isManaged, type ManagedBudgets } from './managedBudgets.js';
import { podIndex } from './podIndex.js';

/** A budget with the pods it selects. */
export interface SelectedPods {
  readonly budget: BudgetView;
  /** All pods that the budget selects, finished ones too: the disruption controller does not look at the phase. */
  readonly members: readonly PodView[];
  /** Owners of the members that have not finished, in the order of their names. */
  readonly owners: readonly OwnerKey[];
  /** Healthy pods there are with every replica of the owners Ready; pods without a scale count as one each. */
  readonly attainable: number;
}

/**
 * The budgets that select each of the pods, by pod UID, in the order of their names. Pods without one are absent.
 * Budgets that the playbook names as managed are so in the answer.
 */
export function podBudgets(
  view: ClusterView,
  pods: readonly PodView[],
  managed: ManagedBudgets = [],
): ReadonlyMap<string, readonly SelectedPods[]> {
  const budgets = new Map<string, SelectedPods[]>();
  const namespaces = new Set(pods.map((pod) => pod.namespace));
  const asked = podIndex(pods);
  const index = podIndex([...view.pods.values()].filter((pod) => namespaces.has(pod.namespace)));

  const sorted = view.budgets.filter((budget) => namespaces.has(budget.namespace)).sort(byName);
  for (const budget of sorted) {
    const concerned = asked.matching(budget.namespace, budget.selector);
    if (concerned.length === 0) continue;
    const members = index.matching(budget.namespace, budget.selector);
    const named = budget.managedBy === undefined && isManaged(budget, view, managed);
    const selected = {
      budget: named ? { ...budget, managedBy: 'its operator' } : budget,
      members,
      ...ownersOf(view, members),
    };
    for (const pod of concerned) budgets.set(pod.uid, [...(budgets.get(pod.uid) ?? []), selected]);
  }
  return budgets;
}

/** True where the budget counts the pod. */
export function selects(budget: BudgetView, pod: PodView): boolean {
  return budget.namespace === pod.namespace && matchesLabels(budget.selector, pod.labels);
}

function ownersOf(view: ClusterView, members: readonly PodView[]): { owners: readonly OwnerKey[]; attainable: number } {
  const podsOf = new Map<OwnerKey, number>();
  let attainable = 0;
  for (const pod of members) {
    if (isFinished(pod)) {
      // Whoever ended it may have left it Ready: then it counts as healthy for good.
      if (pod.ready) attainable += 1;
      continue;
    }
    const key = ownerOf(view, pod);
    if (key !== undefined) podsOf.set(key, (podsOf.get(key) ?? 0) + (pod.terminating ? 0 : 1));
    else if (!pod.terminating) attainable += 1;
  }
  for (const [key, count] of podsOf) attainable += view.owners.get(key)?.desired ?? count;
  return { owners: [...podsOf.keys()].sort(), attainable };
}

function byName(one: BudgetView, other: BudgetView): number {
  return `${one.namespace}/${one.name}` < `${other.namespace}/${other.name}` ? -1 : 1;
}
