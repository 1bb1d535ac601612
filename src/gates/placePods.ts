import { remembered } from '../cluster/remembered.js';
import type { ClusterView, PodView } from '../cluster/view.js';
import { occupancy } from '../drain/occupancy.js';
import { needsOf, roomElsewhere, type Room, type RoomNode } from './room.js';

/** Those of the pods that find no place in the first way tried; the room is as before. None: all of them fit. */
export function placeQuickly(room: Room, leaving: readonly PodView[]): readonly PodView[] {
  placeEach(room, aboutToBePlaced(room.view), quickly);
  const left = placeEach(room, leaving, quickly);
  while (room.takeBack());
  return left;
}

/**
 * Places the pods in the room, after those that wait for a node already and have one, as far as these fit; and leaves the
 * room as it is then. Answers those that find no place.
 *
 * Several ways are tried, and then a bounded search; the way that leaves fewest over counts. So a pod that is answered
 * does find none, unless pods are so many that the search ends before it has tried everything. The other direction is
 * not promised: the scheduler places one pod after the other, without a thought for those that follow, and may leave
 * one over that a better order would place. No pod is thought of as preempted.
 */
export function placePods(room: Room, leaving: readonly PodView[]): readonly PodView[] {
  const waiting = aboutToBePlaced(room.view);
  const place = (way: Way): readonly PodView[] => {
    placeEach(room, waiting, way);
    return placeEach(room, leaving, way);
  };
  let best: { readonly way: Way; readonly left: readonly PodView[] } | undefined;
  for (const way of ways) {
    const left = place(way);
    if (left.length === 0) return left;
    if (best === undefined || left.length < best.left.length) best = { way, left };
    while (room.takeBack());
  }
  if (best === undefined) return [];
  placeEach(room, waiting, best.way);
  const hopeless = leaving.filter((pod) => isHopeless(room, pod));
  const others = leaving.filter((pod) => !hopeless.includes(pod));
  if (best.left.length > hopeless.length && isFound(room, inOrder(room, others, fewestHomes))) return hopeless;
  while (room.takeBack());
  return place(best.way);
}

/**
 * Pods that wait for a node though there is one for them as the cluster stands: the scheduler is about to take it. Who
 * gets a place that only comes to be as pods leave, they or a replacement, is open.
 */
const aboutToBePlaced = remembered((view: ClusterView): readonly PodView[] => {
  const room = roomElsewhere(view, '', occupancy(view, ''));
  if (room.waiting.length === 0) return [];
  const left = new Set(placeEach(room, room.waiting, quickly));
  return room.waiting.filter((pod) => !left.has(pod));
});

/** In which order pods are placed, and which of the nodes they fit on each takes. */
interface Way {
  readonly order: (room: Room) => (one: PodView, other: PodView) => number;
  readonly choose: 'first' | 'emptiest' | 'fullest';
}

const largestFirst: Way['order'] = () => (one, other) => other.priority - one.priority || sizeOf(other) - sizeOf(one);

/** Pods with few homes first; those that need another pod beside them last. */
const fewestHomes: Way['order'] = (room) => (one, other) =>
  one.affinity.length - other.affinity.length ||
  room.homesOf(one).length - room.homesOf(other).length ||
  sizeOf(other) - sizeOf(one);

/** Looks at few nodes, and suffices where there is room. */
const quickly: Way = { order: largestFirst, choose: 'first' };

const ways: readonly Way[] = [
  quickly,
  { order: largestFirst, choose: 'emptiest' },
  { order: largestFirst, choose: 'fullest' },
  { order: fewestHomes, choose: 'fullest' },
];

/** Places what fits, until nothing more does: a pod may wait for one beside it. Answers those that are left. */
function placeEach(room: Room, pods: readonly PodView[], way: Way): readonly PodView[] {
  let left: readonly PodView[] = inOrder(room, pods, way.order);
  for (let before = -1; left.length !== before;) {
    before = left.length;
    // What is placed only takes room: where one found none, its like finds none.
    const homeless = new Set<string>();
    left = left.filter((pod) => {
      const like = kindOf(pod);
      if (like !== undefined && homeless.has(like)) return true;
      if (isPlaced(room, pod, way.choose)) return false;
      if (like !== undefined) homeless.add(like);
      return true;
    });
    if (!left.some(hopesForOthers)) break;
  }
  return left;
}

/** A pod that is placed may make a place for this one. */
function hopesForOthers({ affinity, hardSpread }: PodView): boolean {
  return affinity.length + hardSpread.length > 0;
}

/** The same for pods that fit on the same nodes. */
function kindOf(pod: PodView): string | undefined {
  if (pod.controller === undefined || pod.controller.kind === 'DaemonSet' || hopesForOthers(pod)) return undefined;
  return `${pod.controller.uid} ${pod.claims.join(' ')} ${needsOf(pod).join(' ')}`;
}

function isPlaced(room: Room, pod: PodView, choose: Way['choose']): boolean {
  const misfitOn = room.misfitsOf(pod);
  const fits = (node: RoomNode): boolean => misfitOn(node) === undefined;
  const homes = room.homesOf(pod);
  const node = choose === 'first' ? homes.find(fits) : byEmptiness(homes, choose).find(fits);
  if (node !== undefined) room.place(pod, node);
  return node !== undefined;
}

/** Fits on no node, and no pod that is placed can change that. */
function isHopeless(room: Room, pod: PodView): boolean {
  if (hopesForOthers(pod)) return false;
  const misfitOn = room.misfitsOf(pod);
  return room.homesOf(pod).every((node) => misfitOn(node) !== undefined);
}

/** How often the search asks whether a pod fits on a node, before it gives up. */
const searchLimit = 20_000;

/** Whether all pods can be placed: they are, then. Else the room is as before. */
function isFound(room: Room, pods: readonly PodView[]): boolean {
  let asked = 0;
  const placeFrom = (index: number): boolean => {
    const pod = pods[index];
    if (pod === undefined) return true;
    const misfitOn = room.misfitsOf(pod);
    for (const node of byEmptiness(room.homesOf(pod), 'fullest')) {
      asked += 1;
      if (asked > searchLimit) return false;
      if (misfitOn(node) !== undefined) continue;
      room.place(pod, node);
      if (placeFrom(index + 1)) return true;
      room.takeBack();
    }
    return false;
  };
  return placeFrom(0);
}

function inOrder(room: Room, pods: readonly PodView[], order: Way['order']): readonly PodView[] {
  return [...pods].sort(order(room));
}

function byEmptiness(nodes: readonly RoomNode[], choose: 'emptiest' | 'fullest'): readonly RoomNode[] {
  const sign = choose === 'emptiest' ? -1 : 1;
  return nodes
    .map((node) => ({ node, free: freeShare(node) }))
    .sort((one, other) => sign * (one.free - other.free))
    .map(({ node }) => node);
}

const usual = ['cpu', 'memory'];

/** How much of cpu and memory is free: 0 is full, 2 empty. */
function freeShare({ node: { allocatable }, free }: RoomNode): number {
  return usual.reduce((sum, resource) => sum + (free[resource] ?? 0) / (allocatable[resource] ?? 1), 0);
}

/** A measure to compare pods by: a core counts as much as 4 GiB of memory. Few nodes have other resources. */
function sizeOf({ requests }: PodView): number {
  const { cpu = 0, memory = 0, ...others } = requests;
  return cpu / 1000 + memory / 2 ** 32 + (Object.keys(others).length > 0 ? 1000 : 0);
}
