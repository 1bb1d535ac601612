import type { PodView } from '../cluster/view.js';
import { someOf } from '../drain/budgetWords.js';
import { needsOf, type Misfit, type Room, type RoomNode } from './room.js';

/**
 * Why the pod fits on no node as the room is, in half a sentence with the numbers; undefined where it does fit.
 */
export function shortageOf(room: Room, pod: PodView): string | undefined {
  const homes = room.homesOf(pod);
  if (homes.length === 0) return 'no node that would take it is in service';
  const misfitOn = room.misfitsOf(pod);
  const misfits: MisfitOf[] = [];
  for (const home of homes) {
    const misfit = misfitOn(home);
    if (misfit === undefined) return undefined;
    misfits.push({ home, misfit });
  }
  const common = needsOf(pod).find(([resource]) => misfits.every(({ misfit }) => isShortOf(misfit, resource)));
  if (common !== undefined) return shortEverywhere(common, homes);
  const places = misfits.map(({ home, misfit }) => `${home.node.name}: ${misfitText(pod, home, misfit)}`);
  return `it has no place on any node: ${someOf(places)}`;
}

interface MisfitOf {
  readonly home: RoomNode;
  readonly misfit: Misfit;
}

function isShortOf(misfit: Misfit, resource: string): boolean {
  return misfit.kind === 'short' && misfit.resources.includes(resource);
}

function shortEverywhere([resource, amount]: readonly [string, number], homes: readonly RoomNode[]): string {
  const whom = homes.length === 1 ? 'the one node that it may use' : `any of ${String(homes.length)} nodes`;
  if (resource === 'pods') {
    const all = homes.length === 1 ? whom : `each of ${String(homes.length)} nodes that it may use`;
    return `${all} has as many pods as it takes`;
  }
  const best = homes.reduce((one, other) => (freeOf(other, resource) > freeOf(one, resource) ? other : one));
  const free = amountText(resource, freeOf(best, resource));
  return `it needs ${amountText(resource, amount)}, and the most that ${whom} has free is ${free} (${best.node.name})`;
}

function misfitText(pod: PodView, home: RoomNode, misfit: Misfit): string {
  if (misfit.kind === 'forbidden') return misfit.why;
  const [resource = 'pods'] = misfit.resources;
  if (resource === 'pods') return 'it has as many pods as it takes';
  const need = amountText(resource, pod.requests[resource] ?? 0);
  return `${amountText(resource, freeOf(home, resource))} free of the ${need} that it needs`;
}

/** What an overcommitted node has free is nothing. */
function freeOf({ free }: RoomNode, resource: string): number {
  return Math.max(0, free[resource] ?? 0);
}

/** `1.5 cpu`, `512Mi memory`, `2 nvidia.com/gpu`. */
function amountText(resource: string, amount: number): string {
  if (resource === 'cpu') return `${String(amount / 1000)} cpu`;
  const isBytes = resource === 'memory' || resource === 'ephemeral-storage' || resource.startsWith('hugepages-');
  return `${isBytes ? bytesText(amount) : String(amount)} ${resource}`;
}

/** In the largest unit of which there is one, with two digits after the point: a free amount is rounded down by that. */
function bytesText(bytes: number): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${String(Math.floor((bytes / 2 ** (10 * power)) * 100) / 100)}${units[power] ?? ''}`;
}
