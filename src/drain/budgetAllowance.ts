import { budgetVerdict, type BudgetVerdict } from '../cluster/budgetArithmetic.js';
import { isFinished } from '../cluster/podPhase.js';
import type { PodView } from '../cluster/view.js';
import { budgetConflict, budgetManaged, budgetName, budgetNever, budgetNotKnown, budgetNotNow } from './budgetWords.js';
import { go, type Allowance, type Permission, type Wait } from './nextStep.js';
import type { SelectedPods } from './podBudgets.js';

/**
 * What the disruption budgets permit, in the order of pkg/registry/core/pod/storage/eviction.go: a pod that does not
 * run is deleted without asking them, more than one budget is an error, else the one decides.
 */
export function budgetAllowance(situation: {
  readonly node: string;
  readonly budgets: ReadonlyMap<string, readonly SelectedPods[]>;
  /** UIDs of evictions under way. */
  readonly inFlight: ReadonlySet<string>;
  readonly now: number;
}): Allowance {
  const { node, budgets, inFlight, now } = situation;
  /** Counted evictions by budget UID. */
  const taken = new Map<string, number>();

  /** By budget: of its pods, those that are Ready have one verdict, the others another. */
  const verdicts = new Map<SelectedPods, Map<boolean, BudgetVerdict>>();

  const verdictOn = (pod: PodView, selected: SelectedPods): BudgetVerdict => {
    const known = verdicts.get(selected) ?? new Map<boolean, BudgetVerdict>();
    verdicts.set(selected, known);
    const verdict = known.get(pod.ready) ?? budgetVerdict({ ...selected, pod, inFlight, now });
    known.set(pod.ready, verdict);
    return verdict;
  };

  const askOne = (pod: PodView, selected: SelectedPods): Permission => {
    const managed = selected.budget.managedBy !== undefined;
    const verdict = verdictOn(pod, selected);
    switch (verdict.kind) {
      case 'free':
        return go;
      case 'allowed':
        return (taken.get(selected.budget.uid) ?? 0) < verdict.count ? go : wait(exhausted(selected, verdict.count));
      case 'not-now':
        return wait(managed ? budgetManaged(selected) : budgetNotNow(selected, verdict));
      case 'never':
        return { kind: 'never', finding: budgetNever(selected, verdict, node) };
      case 'not-synced':
      case 'stale':
        return wait(managed ? budgetManaged(selected) : budgetNotKnown(selected, verdict));
    }
  };

  return {
    ask(pod) {
      if (isDeletedUnasked(pod)) return go;
      const [only, ...more] = budgets.get(pod.uid) ?? [];
      if (only === undefined) return go;
      return more.length === 0
        ? askOne(pod, only)
        : { kind: 'never', finding: budgetConflict(pod, [only, ...more], node) };
    },
    take(pod) {
      const selected = budgets.get(pod.uid)?.[0];
      if (isDeletedUnasked(pod) || selected === undefined || verdictOn(pod, selected).kind === 'free') return;
      taken.set(selected.budget.uid, (taken.get(selected.budget.uid) ?? 0) + 1);
    },
  };
}

/** Not started, finished, or ending already (eviction.go, canIgnorePDB). */
function isDeletedUnasked(pod: PodView): boolean {
  return pod.phase === 'Pending' || pod.terminating || isFinished(pod);
}

function wait(what: Wait): Permission {
  return { kind: 'wait', wait: what };
}

function exhausted({ budget }: SelectedPods, allowed: number): Wait {
  return {
    for: 'budget-not-now',
    objects: [budgetName(budget)],
    message: `${budgetName(budget)} allows ${String(allowed)} at a time; the next goes when a replacement is Ready.`,
    hint: 'Nothing to do while replacements become Ready.',
  };
}
