import { admitsNode } from '../cluster/nodeSelector.js';
import { isFinished } from '../cluster/podPhase.js';
import { keepsPodsOff, tolerates } from '../cluster/taints.js';
import type { ClusterView, NodeView, PodView } from '../cluster/view.js';
import { remembered } from '../cluster/remembered.js';
import type { Occupancy } from '../drain/occupancy.js';
import { reaches, volumesOf } from '../drain/volumeReach.js';

/** A node, and what of its allocatable no pod has asked for. Below 0 where it is overcommitted. */
export interface RoomNode {
  readonly node: NodeView;
  /** By resource, as in ResourceAmounts. */
  readonly free: Record<string, number>;
}

/** Why a pod does not fit on a node at the moment: resources it is short of, or what the pods there forbid. */
export type Misfit =
  | { readonly kind: 'short'; readonly resources: readonly string[] }
  | { readonly kind: 'forbidden'; readonly why: string };

/** The nodes that pods can move to. Pods are placed on them in thought, and taken back in the reverse order. */
export interface Room {
  readonly view: ClusterView;
  /** Pods that no node was found for yet. */
  readonly waiting: readonly PodView[];
  /** Nodes in service that take the pod by the rules that no other pod changes. */
  homesOf(pod: PodView): readonly RoomNode[];
  /** Undefined where the pod fits on the node, beside those that are placed. */
  misfitsOf(pod: PodView): (node: RoomNode) => Misfit | undefined;
  place(pod: PodView, node: RoomNode): void;
  /** Takes back the pod placed last; false where none is left. */
  takeBack(): boolean;
}

/**
 * The room on all nodes but `leaving` ('': on all). A node is in service while it is Ready and neither cordoned nor tainted for the
 * pod, also by a taint that passes (disk pressure, for example). Every pod there that has not finished takes what it
 * requests, one that is ending too.
 */
export function roomElsewhere(view: ClusterView, leaving: string, occupied: Occupancy): Room {
  const { all, waiting } = roomIn(view);
  const nodes = all
    .filter(({ node }) => node.name !== leaving)
    .map(({ node, free }): RoomNode => ({ node, free: { ...free } }));
  const placed: { readonly pod: PodView; readonly node: RoomNode }[] = [];
  const homes = new Map<string, readonly RoomNode[]>();
  const homesOf = (pod: PodView): readonly RoomNode[] => {
    const shape = isUndemanding(pod) ? 'undemanding' : pod.uid;
    const known = homes.get(shape) ?? nodes.filter(homeFor(pod, view));
    homes.set(shape, known);
    return known;
  };
  return {
    view,
    waiting,
    homesOf,
    misfitsOf(pod) {
      const needs = needsOf(pod);
      const obstacleOn = occupied.obstaclesFor(pod, 'nowhere');
      return ({ node, free }) => {
        const short = needs.filter(([resource, amount]) => amount > (free[resource] ?? 0));
        if (short.length > 0) return { kind: 'short', resources: short.map(([resource]) => resource) };
        const why = obstacleOn(node);
        return why === undefined ? undefined : { kind: 'forbidden', why };
      };
    },
    place(pod, node) {
      take(node, pod);
      occupied.place({ ...pod, nodeName: node.node.name });
      placed.push({ pod, node });
    },
    takeBack() {
      const last = placed.pop();
      if (last === undefined) return false;
      occupied.takeBack();
      take(last.node, last.pod, -1);
      return true;
    },
  };
}

/** Of all nodes, whichever is left, and as it is before anything is placed. */
const roomIn = remembered((view: ClusterView): { all: readonly RoomNode[]; waiting: readonly PodView[] } => {
  const nodes = new Map<string, RoomNode>();
  for (const node of view.nodes.values()) {
    if (node.ready) nodes.set(node.name, { node, free: { ...node.allocatable } });
  }
  const waiting: PodView[] = [];
  for (const pod of view.pods.values()) {
    if (isFinished(pod)) continue;
    if (pod.nodeName === undefined) {
      if (!pod.terminating) waiting.push(pod);
      continue;
    }
    const node = nodes.get(pod.nodeName);
    if (node !== undefined) take(node, pod);
  }
  return { all: [...nodes.values()], waiting };
});

/** Resource and amount; a pod is one of the `pods` that a node takes (pkg/scheduler/framework/plugins/noderesources). */
export function needsOf({ requests }: PodView): readonly (readonly [string, number])[] {
  return [['pods', 1], ...Object.entries(requests)];
}

function take({ free }: RoomNode, { requests }: PodView, times = 1): void {
  free['pods'] = (free['pods'] ?? 0) - times;
  for (const resource of Object.keys(requests)) {
    free[resource] = (free[resource] ?? 0) - (requests[resource] ?? 0) * times;
  }
}

/** Asks for nothing that a node has and others may lack: all such pods have the same homes. */
function isUndemanding({ nodeSelector, nodeAffinity, tolerations, claims }: PodView): boolean {
  return (
    nodeAffinity === undefined &&
    tolerations.length === 0 &&
    claims.length === 0 &&
    Object.keys(nodeSelector).length === 0
  );
}

function homeFor(pod: PodView, view: ClusterView): (home: RoomNode) => boolean {
  const volumes = volumesOf(view, pod);
  if ('why' in volumes) return () => false;
  return ({ node }) =>
    takesPodsOf(pod, node) && admitsNode(pod, node) && volumes.every(({ volume }) => reaches(volume, node));
}

const cordon = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

/** Whether no taint keeps the pod off the node; a cordon is one. */
export function takesPodsOf({ tolerations }: PodView, { unschedulable, taints }: NodeView): boolean {
  return [...taints, ...(unschedulable ? [cordon] : [])].every(
    (taint) => !keepsPodsOff(taint) || tolerates(tolerations, taint),
  );
}
