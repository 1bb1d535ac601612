import type { NodeView } from '../cluster/view.js';

/** The node's first address of this type; undefined where it has none. */
export function addressOf(node: NodeView, type: string): string | undefined {
  return node.addresses.find((address) => address.type === type)?.address;
}
