import { isFinished } from '../cluster/podPhase.js';
import type { ClusterView, PodView } from '../cluster/view.js';

/** Names of the PersistentVolumes that these pods mount. Those of ephemeral claims are deleted with their pod. */
export function podVolumes(view: ClusterView, pods: Iterable<PodView>): ReadonlySet<string> {
  const volumes = new Set<string>();
  for (const { namespace, claims } of pods) {
    for (const claim of claims) {
      const volume = view.claims.get(`${namespace}/${claim}`)?.volume;
      if (volume !== undefined) volumes.add(volume);
    }
  }
  return volumes;
}

/** The volumes that pods on this node mount now. Those of a finished pod are detached although it is still there. */
export function volumesInUse(view: ClusterView, node: string): ReadonlySet<string> {
  return podVolumes(
    view,
    [...view.pods.values()].filter((pod) => pod.nodeName === node && !isFinished(pod)),
  );
}
