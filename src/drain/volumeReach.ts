import { selectsNode } from '../cluster/nodeSelector.js';
import type { ClaimView, ClusterView, NodeView, PodView, VolumeView } from '../cluster/view.js';

export interface BoundClaim {
  readonly claim: ClaimView;
  readonly volume: VolumeView;
}

/**
 * The volumes that hold the pod's data, or why they are not known: half a sentence for people, and one that says what
 * to change.
 */
export function volumesOf(
  view: ClusterView,
  pod: PodView,
): readonly BoundClaim[] | { readonly why: string; readonly mend: string } {
  const bound: BoundClaim[] = [];
  for (const name of pod.claims) {
    const key = `${pod.namespace}/${name}`;
    const claim = view.claims.get(key);
    if (claim === undefined) {
      return { why: `its PersistentVolumeClaim ${key} does not exist`, mend: 'Create the claim, or accept it.' };
    }
    // Not bound: the scheduler chooses a volume where it places the pod.
    if (claim.volume === undefined) continue;
    const volume = view.volumes.get(claim.volume);
    if (volume === undefined) {
      return {
        why: `PersistentVolume ${claim.volume} of its claim ${key} does not exist`,
        mend: 'Find out what became of the volume: without it the pod starts nowhere.',
      };
    }
    bound.push({ claim, volume });
  }
  return bound;
}

/** Whether the node can mount the volume. */
export function reaches({ nodeAffinity }: VolumeView, node: NodeView): boolean {
  return nodeAffinity === undefined || selectsNode(nodeAffinity, node);
}
