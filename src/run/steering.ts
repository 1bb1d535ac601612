import type { ClusterView, NodeView } from '../cluster/view.js';
import { zoneOf } from '../cluster/zone.js';
import type { RunState } from './state.js';

/**
 * The nodes that pods are turned away from, so that each moves about once (rule 14): those whose turn is still to come,
 * but only once every zone that has such nodes has one in service whose turn is Done. Before that, every pod that
 * leaves would land on the one or two nodes that are done. Nodes that take no pods anyway are left alone.
 */
export function nodesToSteerAwayFrom({
  view,
  state,
  toCome,
}: {
  readonly view: ClusterView;
  readonly state: RunState;
  /** The nodes that may still begin their turn. */
  readonly toCome: readonly string[];
}): ReadonlySet<string> {
  const away = toCome.flatMap((name) => view.nodes.get(name) ?? []).filter((node) => !node.unschedulable);
  const homes = [...view.nodes.values()].filter((node) => isHome(node, state));
  const zonesOfHomes = new Set(homes.map(zoneOf));
  const hasHomes = away.every((node) => zonesOfHomes.has(zoneOf(node)));
  return new Set(hasHomes ? away.map(({ name }) => name) : []);
}

/** In service, with its turn behind it. */
function isHome({ name, uid, ready, unschedulable }: NodeView, { turns }: RunState): boolean {
  const turn = turns.get(name);
  return ready && !unschedulable && turn?.nodeUid === uid && turn.status.phase === 'Done';
}
