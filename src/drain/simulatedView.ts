import { disruptionsAllowed, healthyPods } from '../cluster/budgetArithmetic.js';
import type { ServiceView } from '../cluster/services.js';
import { podsOfOwner, podsOnNode } from '../cluster/podsInView.js';
import { remembered } from '../cluster/remembered.js';
import { isJobPod, ownerOf } from '../cluster/replicas.js';
import {
  podKey,
  type BudgetView,
  type ClusterView,
  type OwnerKey,
  type PodKey,
  type PodView,
} from '../cluster/view.js';
import { podIndex } from './podIndex.js';

/**
 * As much of the view as a drain of the node asks for: its pods, the budgets that select any of them, and all pods of
 * their owners, of these budgets and behind these Services. On a large cluster that is a small part, and a forecast looks at it many times.
 */
export function neighbourhoodOf(view: ClusterView, node: string, services: readonly ServiceView[] = []): ClusterView {
  const onNode = podsOnNode(view, node);
  const owners = new Set(onNode.flatMap((pod) => ownerOf(view, pod) ?? []));
  const asked = podIndex(onNode);
  const budgets = view.budgets.filter(({ namespace, selector }) => asked.matching(namespace, selector).length > 0);
  const index = indexOf(view.pods);
  const near = new Set([
    ...onNode,
    ...[...owners].flatMap((owner) => podsOfOwner(view, owner)),
    ...budgets.flatMap(({ namespace, selector }) => index.matching(namespace, selector)),
    ...services.flatMap(({ namespace, selector }) =>
      index.matching(namespace, { matchLabels: selector, matchExpressions: [] }),
    ),
  ]);
  const pods = new Map<PodKey, PodView>();
  for (const [key, pod] of view.pods) if (near.has(pod)) pods.set(key, pod);
  return { ...view, pods, budgets };
}

/** Asked for every node of a plan, and never added to. */
const indexOf = remembered((pods: ClusterView['pods']) => podIndex([...pods.values()]));

/**
 * The view after these pods have left the node: their controllers have filled up to the desired replicas again, the
 * replacements are Ready on another node (Pending, where `tied` has the pod by UID), and the disruption
 * controller has counted anew.
 */
export function afterEvictions(
  view: ClusterView,
  evicted: readonly PodView[],
  tied: { has(uid: string): boolean },
): ClusterView {
  const pods = new Map(view.pods);
  for (const pod of evicted) pods.delete(podKey(pod));
  const present = presentPods({ ...view, pods });
  for (const pod of evicted) {
    const key = isJobPod(pod) ? undefined : ownerOf(view, pod);
    if (key === undefined || view.namespaces.get(pod.namespace)?.terminating === true) continue;
    const count = present.get(key) ?? 0;
    if (count >= (view.owners.get(key)?.desired ?? Infinity)) continue;
    present.set(key, count + 1);
    const replacement = replacementOf(pod, { createdAt: view.takenAt, isTied: tied.has(pod.uid) });
    pods.set(podKey(replacement), replacement);
  }
  const [gone, there] = [podIndex(evicted), podIndex([...pods.values()])];
  const budgets = view.budgets.map((budget) => {
    const { namespace, selector } = budget;
    if (gone.matching(namespace, selector).length === 0) return budget;
    return recounted(budget, there.matching(namespace, selector), view.takenAt);
  });
  return { ...view, pods, budgets };
}

/** Pods by owner that are not ending: what a controller compares with its desired replicas. */
function presentPods(view: ClusterView): Map<OwnerKey, number> {
  const present = new Map<OwnerKey, number>();
  for (const pod of view.pods.values()) {
    const key = ownerOf(view, pod);
    if (key === undefined || pod.terminating || pod.phase === 'Succeeded' || pod.phase === 'Failed') continue;
    present.set(key, (present.get(key) ?? 0) + 1);
  }
  return present;
}

function replacementOf(
  pod: PodView,
  { createdAt, isTied }: { readonly createdAt: number; readonly isTied: boolean },
): PodView {
  return {
    ...pod,
    name: `${pod.name}-replacement`,
    uid: `${pod.uid}-replacement`,
    createdAt,
    nodeName: isTied ? undefined : '(another node)',
    phase: isTied ? 'Pending' : 'Running',
    ready: !isTied,
    terminating: false,
    deletionDeadline: undefined,
  };
}

/** What the disruption controller writes once it has seen the pods: desiredHealthy depends on scales and is the same. */
function recounted(budget: BudgetView, members: readonly PodView[], now: number): BudgetView {
  const { status } = budget;
  if (status.syncFailure !== undefined || status.observedGeneration < budget.generation) return budget;
  const healthy = healthyPods(budget, members, now).length;
  const { desiredHealthy: desired, expectedPods: expected } = status;
  return {
    ...budget,
    status: {
      ...status,
      currentHealthy: healthy,
      disruptionsAllowed: disruptionsAllowed({ healthy, desired, expected }),
    },
  };
}
