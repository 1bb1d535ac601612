import type { ClusterView, NodeView } from '../cluster/view.js';
import { zoneOf } from '../cluster/zone.js';
import type { RunState } from './state.js';

/**
 * The nodes that pods are turned away from, so that each moves about once (rule 14): those whose turn is still to come,
 * once there are homes, which are nodes in service whose turn is Done. The pods of a turn must never have a single node,
 * or a single zone, to go to: while all homes are in one zone, or there is but one, as many of the nodes that come last
 * in other zones stay open to them. Nodes that take no pods anyway are left alone, and those that a gate has blocked:
 * they will hardly have their turn.
 */
export function nodesToSteerAwayFrom({
  view,
  state,
  toCome,
}: {
  readonly view: ClusterView;
  readonly state: RunState;
  /** The nodes that may still begin their turn, in that order. */
  readonly toCome: readonly string[];
}): ReadonlySet<string> {
  const pending = toCome
    .filter((name) => state.turns.get(name)?.status.phase !== 'Blocked')
    .flatMap((name) => view.nodes.get(name) ?? [])
    .filter((node) => !node.unschedulable);
  const homes = [...view.nodes.values()].filter((node) => isHome(node, state));
  if (homes.length === 0) return new Set();
  const open = new Set(openBesides(homes, pending));
  return new Set(pending.filter((node) => !open.has(node)).map(({ name }) => name));
}

/** The pending nodes that pods may go to all the same, because the homes alone are no choice. */
function openBesides(homes: readonly NodeView[], pending: readonly NodeView[]): readonly NodeView[] {
  const zones = new Set([...homes, ...pending].map(zoneOf));
  const zonesOfHomes = new Set(homes.map(zoneOf));
  if (zones.size === 1) return homes.length > 1 ? [] : pending.slice(-1);
  return zonesOfHomes.size > 1 ? [] : pending.filter((node) => !zonesOfHomes.has(zoneOf(node))).slice(-homes.length);
}

/** In service, with its turn behind it. */
function isHome({ name, uid, ready, unschedulable }: NodeView, { turns }: RunState): boolean {
  const turn = turns.get(name);
  return ready && !unschedulable && turn?.nodeUid === uid && turn.status.phase === 'Done';
}
