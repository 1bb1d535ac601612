import { scaledCount } from '../../cluster/budgetArithmetic.js';
import type { OwnerReference } from '../../cluster/clusterPort.js';
import { numberOf, recordOf, stringMapOf, stringOf, timeOf, type JsonRecord } from '../../cluster/json.js';
import type { PodRecord } from './records.js';

/** An eviction that was accepted counts for so long (DeletionTimeout). */
const disruptedForMs = 2 * 60_000;

/** What a pod's controller says of its size. */
export type Scale =
  | { readonly kind: 'replicas'; readonly uid: string; readonly replicas: number }
  | { readonly kind: 'none'; readonly message: string };

export type BudgetCount =
  | {
      readonly kind: 'counted';
      readonly expectedPods: number;
      readonly currentHealthy: number;
      readonly desiredHealthy: number;
      readonly disruptionsAllowed: number;
      readonly disruptedPods: Readonly<Record<string, string>>;
      /** When the first of the disrupted pods is forgotten; undefined where there is none. */
      readonly lookAgainAt: number | undefined;
    }
  /** Nothing can be counted: nothing is allowed (failSafe). */
  | { readonly kind: 'failed'; readonly message: string };

/**
 * What the disruption controller makes of a budget and the pods that it selects (pkg/controller/disruption/disruption.go,
 * trySync: getExpectedPodCount, buildDisruptedPodMap, countHealthyPods, updatePdbStatus).
 */
export function countBudget(question: {
  /** `spec` of the budget. */
  readonly spec: JsonRecord;
  /** `status.disruptedPods` */
  readonly disruptedPods: unknown;
  readonly pods: readonly PodRecord[];
  readonly scaleOf: (controller: OwnerReference, pod: PodRecord) => Scale;
  readonly now: number;
}): BudgetCount {
  const { pods, now } = question;
  const expected = expectedOf(question);
  if (expected.kind === 'failed') return expected;
  const former = stringMapOf(recordOf(question.disruptedPods));
  const disruptedPods: Record<string, string> = {};
  let lookAgainAt: number | undefined;
  for (const pod of pods) {
    const time = former[pod.name];
    const forgottenAt = (timeOf(time) ?? 0) + disruptedForMs;
    if (time === undefined || pod.terminating || forgottenAt < now) continue;
    disruptedPods[pod.name] = time;
    lookAgainAt = Math.min(forgottenAt, lookAgainAt ?? forgottenAt);
  }
  const isDisrupted = (pod: PodRecord): boolean => {
    const time = timeOf(disruptedPods[pod.name]);
    return time !== undefined && time + disruptedForMs > now;
  };
  const currentHealthy = pods.filter((pod) => pod.ready && !pod.terminating && !isDisrupted(pod)).length;
  const { expectedPods, desiredHealthy } = expected;
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  return {
    kind: 'counted',
    expectedPods,
    currentHealthy,
    desiredHealthy,
    disruptionsAllowed,
    disruptedPods,
    lookAgainAt,
  };
}

interface Expected {
  readonly kind: 'expected';
  readonly expectedPods: number;
  readonly desiredHealthy: number;
}

/** Only a budget of a whole number of pods that must stay does not ask for the scale of their controllers. */
function expectedOf(
  question: Pick<Parameters<typeof countBudget>[0], 'spec' | 'pods' | 'scaleOf'>,
): Expected | { readonly kind: 'failed'; readonly message: string } {
  const { spec, pods } = question;
  const maxUnavailable = countOf(spec['maxUnavailable']);
  const minAvailable = countOf(spec['minAvailable']);
  if (maxUnavailable === undefined && typeof minAvailable === 'number') {
    return { kind: 'expected', expectedPods: pods.length, desiredHealthy: minAvailable };
  }
  if (maxUnavailable === undefined && minAvailable === undefined) {
    return { kind: 'expected', expectedPods: 0, desiredHealthy: 0 };
  }
  const scales = new Map<string, number>();
  const controllers = new Set<string>();
  for (const pod of pods) {
    // Pods without a controller count as healthy, not as expected.
    if (pod.controller === undefined || controllers.has(pod.controller.uid)) continue;
    controllers.add(pod.controller.uid);
    const scale = question.scaleOf(pod.controller, pod);
    if (scale.kind === 'none') return { kind: 'failed', message: scale.message };
    scales.set(scale.uid, scale.replicas);
  }
  const expectedPods = [...scales.values()].reduce((total, replicas) => total + replicas, 0);
  const desiredHealthy =
    maxUnavailable === undefined
      ? scaledCount(minAvailable ?? 0, expectedPods)
      : Math.max(0, expectedPods - scaledCount(maxUnavailable, expectedPods));
  return { kind: 'expected', expectedPods, desiredHealthy };
}

function countOf(value: unknown): number | string | undefined {
  return numberOf(value) ?? stringOf(value);
}
