import type { NodeView } from './view.js';

/** The well-known label of a node's zone. */
const zoneLabel = 'topology.kubernetes.io/zone';

/** The node's zone; '' where it has none: such nodes are one zone together. */
export function zoneOf({ labels }: Pick<NodeView, 'labels'>): string {
  return labels[zoneLabel] ?? '';
}
