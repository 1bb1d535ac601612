import { replicasOf } from '../cluster/replicas.js';
import type { ClusterView, OwnerKey, PodView } from '../cluster/view.js';
import { placements } from './placement.js';
import type { DisplacedOwners } from './recovery.js';

/**
 * Replicas by owner that the drain of a node does not wait for, because no other node can take them: pods that are
 * Pending for that reason, and those that are not created yet. Of the latter as many as were evicted knowing it, and
 * all of a StatefulSet that creates one after the other and stands at such a pod. The view alone tells most of it, so
 * that a drain that was interrupted knows it too.
 */
export function excusedReplicas(question: {
  readonly view: ClusterView;
  readonly node: string;
  readonly displaced: DisplacedOwners;
  /** Evicted pods by owner of which it was known that they can run nowhere else. */
  readonly tied: ReadonlyMap<OwnerKey, number>;
}): ReadonlyMap<OwnerKey, number> {
  const { view, node, displaced, tied } = question;
  const placementOf = placements(view, node);
  const excused = new Map<OwnerKey, number>();
  for (const [key, { pods, desired, owner }] of replicasOf(view, new Set(displaced.keys()))) {
    const stuck = pods.filter((pod) => isWaitingForNode(pod) && placementOf(pod).kind === 'no').length;
    const missing = Math.max(0, desired - pods.filter(({ terminating }) => !terminating).length);
    const heldUp = owner?.ordered === true && stuck > 0;
    const uncreated = heldUp ? missing : Math.min(missing, Math.max(0, (tied.get(key) ?? 0) - stuck));
    if (stuck + uncreated > 0) excused.set(key, stuck + uncreated);
  }
  return excused;
}

function isWaitingForNode({ nodeName, terminating }: PodView): boolean {
  return nodeName === undefined && !terminating;
}

/** Adds the counts of both maps. */
export function addedUp(
  one: ReadonlyMap<OwnerKey, number>,
  other: ReadonlyMap<OwnerKey, number>,
): ReadonlyMap<OwnerKey, number> {
  const sums = new Map(one);
  for (const [key, count] of other) sums.set(key, (sums.get(key) ?? 0) + count);
  return sums;
}
