import type { NodeView } from '../cluster/view.js';
import type { Finding } from './finding.js';

/** Would this turn take away the machine that the actor itself runs on? There is no other actor to hand over to. */
export function ownNodeGate({
  node,
  ownNode,
}: {
  readonly node: NodeView;
  /** Name of the node that this actor runs on; undefined where that is not known. */
  readonly ownNode: string | undefined;
}): readonly Finding[] {
  if (node.name !== ownNode) return [];
  return [
    {
      code: 'own-node',
      severity: 'block',
      node: node.name,
      objects: [`Node ${node.name}`],
      message: `Turnus itself runs on node ${node.name}, and there is no other actor to hand over to.`,
      hint: `Start the same command from another machine, with --node ${node.name}; with turnus serve, see that a second replica runs on another node.`,
    },
  ];
}
