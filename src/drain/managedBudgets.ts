import { matchesLabels, parseLabelSelector } from '../cluster/labelSelector.js';
import type { BudgetView, ClusterView } from '../cluster/view.js';
import type { GatesPolicy } from '../playbook/playbook.js';

/** `spec.gates.managedBudgets`: budgets that an operator opens by itself once evictions go on. */
export type ManagedBudgets = GatesPolicy['managedBudgets'];

/** Whether one of the playbook's entries means the budget: by the labels of its namespace and its own. */
export function isManaged(budget: BudgetView, view: ClusterView, policy: ManagedBudgets): boolean {
  const namespace = view.namespaces.get(budget.namespace)?.labels ?? {};
  return policy.some(({ namespaces, selector }) => {
    const parsed = parseLabelSelector(selector);
    return (
      parsed.kind === 'ok' &&
      matchesLabels(parsed.selector, budget.labels) &&
      matchesLabels({ matchLabels: namespaces, matchExpressions: [] }, namespace)
    );
  });
}
