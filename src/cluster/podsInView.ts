import { grouped } from './grouped.js';
import { remembered } from './remembered.js';
import { ownerOf } from './replicas.js';
import type { ClusterView, OwnerKey, PodView } from './view.js';

/** All pods on the node, in the order of the view. A plan asks for every node: a view is looked through once. */
export function podsOnNode({ pods }: Pick<ClusterView, 'pods'>, node: string): readonly PodView[] {
  return byNode(pods).get(node) ?? [];
}

/** All pods of the owner ({@link ownerOf}), in the order of the view, finished ones too. */
export function podsOfOwner(view: ClusterView, owner: OwnerKey): readonly PodView[] {
  return byOwner(view).get(owner) ?? [];
}

const byNode = remembered((pods: ClusterView['pods']) => grouped(pods.values(), ({ nodeName }) => nodeName));

const byOwner = remembered((view: ClusterView) => grouped(view.pods.values(), (pod) => ownerOf(view, pod)));
