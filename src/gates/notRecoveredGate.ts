import { ownerName, replicasOf, type Replicas } from '../cluster/replicas.js';
import type { ClusterView, NodeView, OwnerKey } from '../cluster/view.js';
import { recoverySentence, unrecovered, type DisplacedOwners, type Unrecovered } from '../drain/recovery.js';
import type { Finding } from './finding.js';

/** What turns of the run have taken from owners, and may not be back. */
export interface LeftShort {
  /** By turns of other nodes, and by former attempts of this one's. */
  readonly displaced: DisplacedOwners;
  /** Those that former attempts of this node's turn have taken from. */
  readonly byItself: ReadonlySet<OwnerKey>;
}

/**
 * Does the node hold replicas of an owner that has not got back what an earlier turn took from it? Each turn takes at
 * most what the owner can spare, and two of them together more than that. Where the drain waits for replacements, it
 * would wait once more for what a former attempt took, whatever is left on the node.
 */
export function notRecoveredGate({
  view,
  node,
  leftShort,
  waitsForReplacements,
}: {
  readonly view: ClusterView;
  readonly node: NodeView;
  readonly leftShort: LeftShort;
  readonly waitsForReplacements: boolean;
}): readonly Finding[] {
  const { displaced, byItself } = leftShort;
  const missing = unrecovered({ view, displaced });
  if (missing.length === 0) return [];
  const replicas = replicasOf(view, new Set(missing.map(({ owner }) => owner)));
  return missing.flatMap((each): Finding[] => {
    const held = replicasOn(node, replicas.get(each.owner));
    if (held > 0) {
      const pods = held === 1 ? 'one of its pods is' : `${String(held)} of its pods are`;
      return [finding(node, each, `Now ${pods} on ${node.name}.`)];
    }
    if (!waitsForReplacements || !byItself.has(each.owner)) return [];
    return [finding(node, each, `They were on ${node.name}, and its drain would wait for them again.`)];
  });
}

function finding(node: NodeView, missing: Unrecovered, why: string): Finding {
  const name = ownerName(missing.owner);
  return {
    code: 'not-recovered',
    severity: 'block',
    node: node.name,
    objects: [name],
    message: `An earlier turn took replicas of ${name}, and they are not back: ${recoverySentence(missing)} ${why}`,
    hint: `Find out why the pods of ${name} do not become Ready; the node is taken once they are.`,
  };
}

function replicasOn({ name }: NodeView, replicas: Replicas | undefined): number {
  return (replicas?.pods ?? []).filter(({ nodeName, terminating }) => nodeName === name && !terminating).length;
}
