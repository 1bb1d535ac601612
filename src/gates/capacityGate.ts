import { podKey, type ClusterView, type NodeView, type PodView } from '../cluster/view.js';
import { count } from '../drain/budgetWords.js';
import type { Occupancy } from '../drain/occupancy.js';
import { placements } from '../drain/placement.js';
import type { DrainPolicy, GatesPolicy } from '../playbook/playbook.js';
import type { Finding } from './finding.js';
import { placePods, placeQuickly } from './placePods.js';
import { podsToPlace } from './podsToPlace.js';
import { roomElsewhere, takesPodsOf, type Room } from './room.js';
import { shortageOf } from './shortage.js';

export interface CapacityToCheck {
  readonly view: ClusterView;
  /** {@link neighbourhoodOf} the node: its pods, and those of their owners. */
  readonly near: ClusterView;
  readonly node: NodeView;
  readonly policy: DrainPolicy;
  /** What pods on other nodes take up. */
  readonly occupied: Occupancy;
  readonly capacity: GatesPolicy['capacity'];
}

/**
 * Would the pods of this node fit on the others? All that leave are placed in thought, one beside the other, by what
 * they request and by the scheduler's other hard rules; see {@link placePods} for what that can tell and what not.
 *
 * Pods that wait for a node already and have a place as the cluster stands take it first, and are not named. Others that
 * wait are not counted: they are Pending with this node in service too. Pods that can run on no other node whatever is free are `short-during-turn` and not named again.
 */
export function capacityGate({ view, near, node, policy, occupied, capacity }: CapacityToCheck): readonly Finding[] {
  const room = roomElsewhere(view, node.name, occupied);
  const leaving = podsToPlace({ near, node: node.name, policy });
  const doubtful = placeQuickly(room, leaving);
  if (doubtful.length === 0) return [];
  const placementOf = placements(view, node.name, occupied);
  const elsewhere = new Set(doubtful.filter((pod) => mayReturn(pod, node) || placementOf(pod).kind === 'no'));
  if (elsewhere.size === doubtful.length) return [];
  const left = placePods(
    room,
    leaving.filter((pod) => !elsewhere.has(pod)),
  );
  return left.length === 0 ? [] : [noCapacity({ left, room, node, mode: capacity.mode })];
}

/** A cordon does not keep it off this node: the scheduler may put it back, and there is room. */
function mayReturn(pod: PodView, node: NodeView): boolean {
  return takesPodsOf(pod, { ...node, unschedulable: true });
}

/** How many pods the message speaks of. */
const shown = 3;

function noCapacity({
  left,
  room,
  node,
  mode,
}: {
  readonly left: readonly PodView[];
  readonly room: Room;
  readonly node: NodeView;
  readonly mode: GatesPolicy['capacity']['mode'];
}): Finding {
  const names = left.map((pod) => `Pod ${podKey(pod)}`);
  const reasons = reasonsOf(left.slice(0, shown), room);
  const more = left.length > shown ? ` and ${count(left.length - shown, 'more pod')}` : '';
  return {
    code: 'no-capacity',
    severity: mode === 'block' ? 'block' : 'caution',
    node: node.name,
    objects: names,
    message: `${count(left.length, 'pod')} of node ${node.name} would find no room on other nodes and stay Pending: ${names
      .slice(0, shown)
      .map((name, index) => `${name} (${reasons[index] ?? ''})`)
      .join(', ')}${more}.`,
    hint: `Add a node or free room on the others for the time of the turn, or lower the requests of these pods${
      mode === 'block' ? '; or set spec.gates.capacity.mode: warn.' : '.'
    }`,
  };
}

/** Why each finds no place: at once, or beside the others that leave. The room is empty of them afterwards. */
function reasonsOf(pods: readonly PodView[], room: Room): readonly string[] {
  const beside = pods.map((pod) => shortageOf(room, pod));
  while (room.takeBack());
  return pods.map((pod, index) => {
    const alone = shortageOf(room, pod);
    return alone ?? `when the others have moved, ${beside[index] ?? 'it has no place on any node'}`;
  });
}
