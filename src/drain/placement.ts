import { admitsNode } from '../cluster/nodeSelector.js';
import { tolerates, untoleratedTaint } from '../cluster/taints.js';
import type { ClusterView, NodeView, PodView } from '../cluster/view.js';
import { someOf } from './budgetWords.js';
import { occupancy, type Occupancy } from './occupancy.js';
import { reaches, volumesOf, type BoundClaim } from './volumeReach.js';

/** Whether a pod, or the one that replaces it, could run on a node other than the one it leaves. */
export type Placement =
  | { readonly kind: 'yes' }
  /** `why` and `mend` are for people: half a sentence, and one that says what to change. */
  | { readonly kind: 'no'; readonly why: string; readonly mend: string };

/**
 * Whether pods that leave `node` could run on another one, by the rules of the scheduler that do not pass by
 * themselves: node selector and required affinity, taints, volumes, host ports, required affinity to pods and
 * anti-affinity, and hard topology spread (pkg/scheduler/framework/plugins). Free capacity is not computed here. Pods
 * that end, and those that leave the node, take up no place; affinity to pods that leave it ties none, since they may
 * come to any node.
 *
 * A node that would take the pod and is cordoned or not Ready at the moment is no home; where all that would take it
 * are, and no other node that it may use is in service, the answer is still yes: the pod is not tied to its node,
 * and to wait is right. Where a claim or volume is not known, the answer is no: it is not guessed that another node
 * can reach it.
 *
 * `occupied`: what pods take up, where it is known already.
 */
export function placements(
  view: ClusterView,
  node: string,
  occupied: Occupancy = occupancy(view, node),
): (pod: PodView) => Placement {
  const others = [...view.nodes.values()].filter(({ name }) => name !== node);
  return (pod) => {
    const admitting = others.filter((other) => admitsNode(pod, other));
    if (admitting.length === 0) {
      return {
        kind: 'no',
        why: 'its nodeSelector or required node affinity admits no other node',
        mend: 'Loosen its nodeSelector or node affinity, add a node that matches, or accept it.',
      };
    }
    const tolerated = admitting.filter(({ taints }) => untoleratedTaint(pod.tolerations, taints) === undefined);
    if (tolerated.length === 0) return tainted(pod, admitting);
    const volumes = volumesOf(view, pod);
    if ('why' in volumes) return { kind: 'no', ...volumes };
    const reaching = tolerated.filter((other) => volumes.every(({ volume }) => reaches(volume, other)));
    if (reaching.length === 0) return outOfReach(tolerated, volumes);
    return amongOthers(pod, reaching, occupied.obstaclesFor(pod, 'anywhere'));
  };
}

function tainted(pod: PodView, nodes: readonly NodeView[]): Placement {
  const names = nodes.map(({ name, taints }) => {
    const taint = untoleratedTaint(pod.tolerations, taints);
    return `${name}: ${taint?.key ?? ''}${(taint?.value ?? '') === '' ? '' : `=${taint?.value ?? ''}`}`;
  });
  return {
    kind: 'no',
    why: `every other node that its node affinity admits has a taint that it does not tolerate (${someOf(names)})`,
    mend: 'Add a toleration, or a node without the taint, or accept it.',
  };
}

function outOfReach(nodes: readonly NodeView[], volumes: readonly BoundClaim[]): Placement {
  const alone = volumes.find(({ volume }) => !nodes.some((node) => reaches(volume, node)));
  const why =
    alone === undefined
      ? 'no other node that it may use can reach all of its PersistentVolumes'
      : `PersistentVolume ${alone.volume.name} of its claim ${alone.claim.namespace}/${alone.claim.name} can be reached from no other node that it may use`;
  return { kind: 'no', why, mend: 'Move its data to volumes that other nodes can reach, or accept it.' };
}

function amongOthers(
  pod: PodView,
  nodes: readonly NodeView[],
  obstacleOn: (node: NodeView) => string | undefined,
): Placement {
  const available = nodes.filter((node) => isInService(node, pod));
  if (available.some((node) => obstacleOn(node) === undefined)) return { kind: 'yes' };
  const obstacles = nodes.map((node) => ({ node, obstacle: obstacleOn(node) }));
  const waits = available.length === 0 && obstacles.some(({ obstacle }) => obstacle === undefined);
  if (waits) return { kind: 'yes' };
  const names = obstacles.map(({ node, obstacle }) => {
    return `${node.name}: ${obstacle ?? (node.ready ? 'cordoned' : 'not Ready')}`;
  });
  return {
    kind: 'no',
    why: `it has no place on another node (${someOf(names)})`,
    mend: 'Add a node, run fewer replicas than there are nodes, or make the rule a preferred one; or accept it.',
  };
}

function isInService(node: NodeView, pod: PodView): boolean {
  const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  return node.ready && (!node.unschedulable || tolerates(pod.tolerations, cordon));
}
