import { ownerOf } from '../cluster/replicas.js';
import type { ClusterView, OwnerKey, PodView } from '../cluster/view.js';
import { classifyPods, type PodsToClassify } from './classifyPods.js';

/** The pods that `spec.drain.overrides` leaves on the node. */
export function leftPods(question: PodsToClassify): readonly PodView[] {
  return classifyPods(question).flatMap((standing) =>
    standing.kind === 'stays' && standing.why === 'left-by-policy' ? standing.pod : [],
  );
}

/** How many Ready pods of each owner are among them: they are not expected on other nodes. */
export function leftReplicas(left: readonly PodView[], view: ClusterView): ReadonlyMap<OwnerKey, number> {
  const counts = new Map<OwnerKey, number>();
  for (const pod of left) {
    const owner = pod.ready && !pod.terminating ? ownerOf(view, pod) : undefined;
    if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return counts;
}
