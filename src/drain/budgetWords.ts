import type { BudgetVerdict } from '../cluster/budgetArithmetic.js';
import { ownerName } from '../cluster/replicas.js';
import { podKey, type BudgetView, type PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import type { Wait } from './nextStep.js';
import type { SelectedPods } from './podBudgets.js';

/** `PodDisruptionBudget shop/web`. */
export function budgetName(budget: BudgetView): string {
  return `PodDisruptionBudget ${budget.namespace}/${budget.name}`;
}

type NeverVerdict = Extract<BudgetVerdict, { kind: 'never' }>;

/** The budget can never allow an eviction. */
export function budgetNever({ budget, owners }: SelectedPods, verdict: NeverVerdict, node: string): Finding {
  return {
    code: 'budget-never',
    severity: 'block',
    node,
    objects: [budgetName(budget), ...owners.map(ownerName)],
    message: neverMessage(budget, verdict),
    hint: neverHint(budget, owners.map(ownerName)),
  };
}

/** More than one budget selects the pod, which the eviction subresource refuses (eviction.go). */
export function budgetConflict(pod: PodView, budgets: readonly SelectedPods[], node: string): Finding {
  const names = budgets.map(({ budget }) => budgetName(budget));
  return {
    code: 'budget-conflict',
    severity: 'block',
    node,
    objects: [`Pod ${podKey(pod)}`, ...names],
    message: `Pod ${podKey(pod)} is matched by ${String(names.length)} budgets (${names.join(', ')}); the API server refuses every eviction of it.`,
    hint: 'Delete all but one of these budgets, or narrow their selectors so that each pod matches one.',
  };
}

/** The budget allows none at the moment. */
export function budgetNotNow(
  { budget, owners }: SelectedPods,
  verdict: Omit<Extract<BudgetVerdict, { kind: 'not-now' }>, 'kind'>,
): Wait {
  if (verdict.healthy > verdict.desired) return notCountedYet(budget, verdict);
  const unready = verdict.unready.map((pod) => `Pod ${podKey(pod)}`);
  const numbers = `${budgetName(budget)} needs ${count(verdict.desired, 'healthy pod')} and has ${String(verdict.healthy)}`;
  const [counted] = verdict.notCarriedOut ?? [];
  if (counted !== undefined && unready.length === 0) return notCarriedOut(budget, numbers, counted);
  const missing =
    unready.length === 0
      ? 'another replica must become Ready before the next eviction'
      : `${someOf(unready)} must become Ready before the next eviction`;
  return {
    for: 'budget-not-now',
    objects: [budgetName(budget), ...unready, ...(unready.length === 0 ? owners.map(ownerName) : [])],
    message: `${numbers}; ${missing}.`,
    hint: `Find out why ${unready.length === 0 ? 'a replica is missing' : 'it is not Ready'}, or raise the replicas${
      owners.length === 0 ? '' : ` of ${someOf(owners.map(ownerName))}`
    }.`,
  };
}

/**
 * An eviction was allowed and its pod is not deleted: whoever asked for it went away in the middle. The budget counts the
 * pod as gone for two minutes (DeletionTimeout, pkg/controller/disruption/disruption.go).
 */
function notCarriedOut(
  budget: BudgetView,
  numbers: string,
  { pod, allowedAt, until }: { readonly pod: PodView; readonly allowedAt: number; readonly until: number },
): Wait {
  const [from, to] = [allowedAt, until].map((time) => `${new Date(time).toISOString().slice(11, 19)}Z`);
  const name = `Pod ${podKey(pod)}`;
  return {
    for: 'budget-not-now',
    objects: [budgetName(budget), name],
    message: `${numbers}; it counts ${name} as gone until ${to ?? ''}, because its eviction was allowed at ${from ?? ''} and not carried out.`,
    hint: 'Wait until then: an eviction was interrupted, by the end of its client or of the API server.',
  };
}

/** There are healthy pods enough, and the status of the budget, which decides, does not say so. */
function notCountedYet(budget: BudgetView, verdict: { readonly healthy: number; readonly desired: number }): Wait {
  const name = budgetName(budget);
  return {
    for: 'budget-not-now',
    objects: [name],
    message: `${name} needs ${count(verdict.desired, 'healthy pod')} and has ${String(verdict.healthy)}, but its status allows no eviction.`,
    hint: 'Wait a moment; if it stays so, kube-controller-manager is not working, or another budget selects pods of this one.',
  };
}

/** The budget cannot be computed, or its latest change has not been seen. */
export function budgetNotKnown(
  { budget }: SelectedPods,
  verdict: Extract<BudgetVerdict, { kind: 'not-synced' | 'stale' }>,
): Wait {
  if (verdict.kind === 'not-synced') {
    return {
      for: 'budget-not-synced',
      objects: [budgetName(budget)],
      message: `${budgetName(budget)} cannot be computed, so it allows no eviction: ${verdict.message}`,
      hint: 'Select only pods whose controller has a scale, or give the budget minAvailable as a number.',
    };
  }
  const { generation, status } = budget;
  return {
    for: 'budget-stale',
    objects: [budgetName(budget)],
    message: `${budgetName(budget)} has changed (generation ${String(generation)}), and the disruption controller has only seen generation ${String(status.observedGeneration)}.`,
    hint: 'Wait a moment; if it stays so, kube-controller-manager is not working.',
  };
}

/** An operator opens the budget by itself while the drain goes on. */
export function budgetManaged({ budget }: SelectedPods): Wait {
  return {
    for: 'managed-budget',
    objects: [budgetName(budget)],
    message: `${budgetName(budget)} allows no eviction yet; ${budget.managedBy ?? 'its operator'} opens it during the drain.`,
    hint: `If it stays closed, look at what ${budget.managedBy ?? 'its operator'} reports about this node.`,
  };
}

function neverMessage(budget: BudgetView, { desired, attainable: pods }: NeverVerdict): string {
  const name = budgetName(budget);
  if (saysNothing(budget))
    return `${name} has neither minAvailable nor maxUnavailable, so it never allows an eviction.`;
  if (budget.status.expectedPods <= 0) {
    return `${name} counts replicas of controllers, and its ${count(pods, 'pod')} have none, so it never allows an eviction.`;
  }
  if (budget.maxUnavailable !== undefined) {
    return `${name} lets ${String(budget.maxUnavailable)} of ${count(pods, 'pod')} be unavailable, so no pod can ever be evicted.`;
  }
  const share = typeof budget.minAvailable === 'string' ? ` (${budget.minAvailable}, rounded up)` : '';
  return `${name} wants ${String(desired)} healthy${share} of ${count(pods, 'pod')}, so no pod can ever be evicted.`;
}

/** Then it expects no pods, and what expects none allows nothing (disruption.go, getExpectedPodCount). */
function saysNothing({ minAvailable, maxUnavailable }: BudgetView): boolean {
  return minAvailable === undefined && maxUnavailable === undefined;
}

function neverHint(budget: BudgetView, owners: readonly string[]): string {
  if (saysNothing(budget)) return 'Set maxUnavailable: 1 on it, or delete it.';
  if (budget.status.expectedPods <= 0)
    return 'Give the pods a controller, or set minAvailable to a number on the budget.';
  const [owner, ...others] = owners;
  const replicas = replicasThatLeaveRoom(budget);
  // A budget has one of the two fields.
  const mend =
    budget.minAvailable === undefined
      ? 'Set maxUnavailable: 1 on it'
      : 'Replace minAvailable on it by maxUnavailable: 1';
  if (owner === undefined || others.length > 0 || replicas === undefined) return `${mend}.`;
  return `${mend}, or raise the replicas of ${owner} to ${String(replicas)}.`;
}

/** The fewest replicas with which `minAvailable` leaves room for one eviction; undefined where no number does. */
function replicasThatLeaveRoom({ minAvailable }: BudgetView): number | undefined {
  if (minAvailable === undefined) return undefined;
  if (typeof minAvailable === 'number') return minAvailable + 1;
  const percent = Number.parseInt(minAvailable, 10);
  return percent >= 100 ? undefined : Math.ceil(100 / (100 - percent));
}

/** `1 pod`, `3 pods`. */
export function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** At most three names, then how many more. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${String(names.length - 3)} more` : shown;
}
