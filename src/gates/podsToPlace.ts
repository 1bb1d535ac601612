import { isJobPod, ownerOf, replicasOf } from '../cluster/replicas.js';
import type { ClusterView, PodView } from '../cluster/view.js';
import { classifyPods, type Standing } from '../drain/classifyPods.js';
import type { DrainPolicy } from '../playbook/playbook.js';

/**
 * The pods that need a place on other nodes once `node` is drained, each as the one that leaves; its replacement asks
 * for the same. Those for which there is none are left out: pods without a controller, Job pods that finish, more
 * replicas than are desired, owners and namespaces that are being deleted. Those that the playbook does not let go are
 * in it all the same: somebody may want to know both.
 */
export function podsToPlace(question: {
  /** As much of the view as has the pods of the node and of their owners. */
  readonly near: ClusterView;
  readonly node: string;
  readonly policy: DrainPolicy;
}): readonly PodView[] {
  const { near, node, policy } = question;
  const standings = classifyPods({ view: near, node, policy, now: near.takenAt });
  const leaving = standings.filter((standing) => comesBack(standing, question)).map(({ pod }) => pod);
  return replaced(near, leaving);
}

function comesBack(
  standing: Standing,
  { near, policy }: { readonly near: ClusterView; readonly policy: DrainPolicy },
): boolean {
  const { kind, pod } = standing;
  if (kind === 'stays' || kind === 'finishes' || pod.controller === undefined) return false;
  if (near.namespaces.get(pod.namespace)?.terminating === true) return false;
  return !isJobPod(pod) || (policy.jobPods === 'evict' && !pod.terminating);
}

/** As many of these as their owners create anew. What replaces a pod that is ending may be there already. */
function replaced(view: ClusterView, pods: readonly PodView[]): readonly PodView[] {
  const owners = new Set(pods.map((pod) => ownerOf(view, pod)).filter((key) => key !== undefined));
  const uids = new Set(pods.map(({ uid }) => uid));
  const missing = new Map<string, number>();
  for (const [key, { owner, pods: all }] of replicasOf(view, owners)) {
    const present = all.filter((pod) => !uids.has(pod.uid) && !pod.terminating).length;
    const ending = all.filter((pod) => uids.has(pod.uid) && pod.terminating).length;
    const known = owner?.desired === undefined ? undefined : owner.desired - present;
    if (owner?.terminating === true) missing.set(key, 0);
    else missing.set(key, known ?? all.filter((pod) => uids.has(pod.uid)).length - ending);
  }
  return pods.filter((pod) => {
    const owner = ownerOf(view, pod);
    if (owner === undefined) return true;
    const count = missing.get(owner) ?? 0;
    missing.set(owner, count - 1);
    return count > 0;
  });
}
