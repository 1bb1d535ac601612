import { isFinished } from './podPhase.js';
import type { BudgetView, PodView } from './view.js';

/** What a budget says about the eviction of one of its pods, with the numbers that decided. */
export type BudgetVerdict =
  /** The pod may go without a disruption being counted: it is not healthy and the budget does not need it. */
  | { readonly kind: 'free' }
  /** So many evictions are accepted at the moment. */
  | { readonly kind: 'allowed'; readonly count: number }
  /** None is accepted until more pods are Ready. */
  | {
      readonly kind: 'not-now';
      readonly healthy: number;
      readonly desired: number;
      /** Pods of the budget that are not Ready: any of them would make room. */
      readonly unready: readonly PodView[];
      /** Healthy pods that do not count because their eviction was allowed and not carried out; wall clock, milliseconds. */
      readonly notCarriedOut?: readonly { readonly pod: PodView; readonly allowedAt: number; readonly until: number }[];
    }
  /** None is ever accepted: even with every replica Ready, `attainable` healthy pods leave no room above `desired`. */
  | { readonly kind: 'never'; readonly desired: number; readonly attainable: number }
  /** The disruption controller cannot compute the budget and allows nothing. */
  | { readonly kind: 'not-synced'; readonly message: string }
  /** The disruption controller has not yet seen the latest change of the budget. */
  | { readonly kind: 'stale' };

export interface BudgetQuestion {
  readonly budget: BudgetView;
  /** The pod to evict. */
  readonly pod: PodView;
  /** All pods that the budget selects, finished ones too. */
  readonly members: readonly PodView[];
  /** Healthy pods there are with every replica of the members' owners Ready; other pods count as one each. */
  readonly attainable: number;
  /** UIDs of evictions under way: they no longer count as healthy, whether or not the view shows it yet. */
  readonly inFlight: ReadonlySet<string>;
  /** Wall clock, milliseconds. */
  readonly now: number;
}

/** An entry of `status.disruptedPods` counts for this long (DeletionTimeout, pkg/controller/disruption/disruption.go). */
const disruptedForMs = 2 * 60_000;
/** The server deletes a pod in the request that lets it go: one that is there after this stays. */
const carriedOutWithinMs = 5000;

/**
 * What the API server would answer to the eviction of a running pod under this one budget, in the order of
 * pkg/registry/core/pod/storage/eviction.go. Of the server's count and ours the smaller one holds: the server's may
 * not show an eviction of a moment ago, ours may lack a pod.
 */
export function budgetVerdict(question: BudgetQuestion): BudgetVerdict {
  const { budget, pod, members, inFlight, now } = question;
  const { status } = budget;
  if (!pod.ready && mayGoUnready(budget)) return { kind: 'free' };
  if (status.syncFailure !== undefined) return { kind: 'not-synced', message: status.syncFailure };
  if (status.observedGeneration < budget.generation) return { kind: 'stale' };

  const healthy = healthyPods(budget, members, now).filter((member) => !inFlight.has(member.uid)).length;
  const unseen = members.filter(
    (member) => inFlight.has(member.uid) && !member.terminating && status.disruptedPods[member.name] === undefined,
  ).length;
  const count = Math.min(status.disruptionsAllowed - unseen, healthy - status.desiredHealthy);
  if (count > 0) return { kind: 'allowed', count };
  const attainable = attainablePods(question);
  if (canNeverAllow(question, attainable)) return { kind: 'never', desired: status.desiredHealthy, attainable };
  const unready = members.filter((member) => !member.ready && !member.terminating && !isFinished(member));
  const notCarriedOut = members.flatMap((member) => {
    const allowedAt = disruptedAt(budget, member, now);
    if (allowedAt === undefined || now - allowedAt < carriedOutWithinMs) return [];
    const isThere = member.ready && !member.terminating && !inFlight.has(member.uid);
    return isThere ? [{ pod: member, allowedAt, until: allowedAt + disruptedForMs }] : [];
  });
  const given = notCarriedOut.length === 0 ? {} : { notCarriedOut };
  return { kind: 'not-now', healthy, desired: status.desiredHealthy, unready, ...given };
}

/** The members that the disruption controller counts as healthy (countHealthyPods; the phase is not looked at). */
export function healthyPods(budget: BudgetView, members: readonly PodView[], now: number): readonly PodView[] {
  return members.filter(
    (member) => member.ready && !member.terminating && disruptedAt(budget, member, now) === undefined,
  );
}

/** When the eviction was allowed because of which the pod does not count at the moment. */
function disruptedAt(budget: BudgetView, pod: PodView, now: number): number | undefined {
  const allowedAt = budget.status.disruptedPods[pod.name];
  return allowedAt !== undefined && now - allowedAt < disruptedForMs ? allowedAt : undefined;
}

/**
 * `2` or `'50%'` of `total`, percentages rounded up, as the disruption controller does for both fields
 * (intstr.GetScaledValueFromIntOrPercent with roundUp). Whole numbers all the way: `28 / 100 * 25` is above 7.
 */
export function scaledCount(count: number | string, total: number): number {
  if (typeof count === 'number') return count;
  const percent = /^(\d+)%$/.exec(count)?.[1];
  if (percent === undefined) throw new RangeError(`'${count}' is neither a number nor a percentage`);
  return Math.ceil((Number(percent) * total) / 100);
}

/** How many pods must stay healthy when the budget counts `expected` pods (getExpectedPodCount). */
export function desiredHealthy(
  budget: { readonly minAvailable: number | string | undefined; readonly maxUnavailable: number | string | undefined },
  expected: number,
): number {
  if (budget.maxUnavailable !== undefined) return Math.max(0, expected - scaledCount(budget.maxUnavailable, expected));
  return budget.minAvailable === undefined ? 0 : scaledCount(budget.minAvailable, expected);
}

/** How many evictions the controller allows (updatePdbStatus): none where it counts no pods. */
export function disruptionsAllowed(counts: {
  readonly healthy: number;
  readonly desired: number;
  readonly expected: number;
}): number {
  return counts.expected <= 0 ? 0 : Math.max(0, counts.healthy - counts.desired);
}

/**
 * True where no pod becoming Ready can ever make room. A budget that a controller runs is never that: its operator
 * opens it. A budget with neither field expects no pods, and so allows nothing.
 */
function canNeverAllow({ budget, members }: BudgetQuestion, attainable: number): boolean {
  if (budget.managedBy !== undefined) return false;
  if (budget.minAvailable === undefined && budget.maxUnavailable === undefined) return true;
  const { expectedPods } = budget.status;
  if (expectedPods <= 0) return members.length > 0 && members.every((member) => member.controller === undefined);
  return desiredHealthy(budget, expectedPods) >= attainable;
}

/**
 * The most healthy pods there can be. Where a replica is missing at the moment, scales tell more than the pods; where
 * a scale is unknown or a rollout has one pod more, the others. A number in minAvailable counts pods, also those that
 * end and that have finished, so there `expectedPods` says nothing of what can be healthy.
 */
function attainablePods({ budget, members, attainable }: BudgetQuestion): number {
  const present = members.filter((member) => !member.terminating && (member.ready || !isFinished(member))).length;
  const countsPods = budget.maxUnavailable === undefined && typeof budget.minAvailable === 'number';
  return Math.max(attainable, present, countsPods ? 0 : budget.status.expectedPods);
}

/** The server lets a pod that is not Ready go without counting it (observedGeneration is not consulted there). */
function mayGoUnready(budget: BudgetView): boolean {
  if (budget.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy, desiredHealthy: desired } = budget.status;
  return desired > 0 && currentHealthy >= desired;
}
