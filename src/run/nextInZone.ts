import type { ClusterView } from '../cluster/view.js';
import { zoneOf } from '../cluster/zone.js';

/**
 * The nodes to come, up to the first that is in another zone than those in work: turns overlap within one zone alone, and
 * the order, which takes some of each zone and then of the next, is kept. A node that is gone is in no other zone.
 */
export function nextInZone({
  view,
  inWork,
  toCome,
}: {
  readonly view: ClusterView;
  readonly inWork: ReadonlySet<string>;
  /** In the order in which they would begin. */
  readonly toCome: readonly string[];
}): readonly string[] {
  const zones = new Set([...inWork].flatMap((name) => zonesOf(view, name)));
  const end = toCome.findIndex((name) => zonesOf(view, name).some((zone) => !zones.has(zone)));
  if (zones.size > 1) return [];
  return end < 0 ? toCome : toCome.slice(0, end);
}

function zonesOf(view: ClusterView, name: string): readonly string[] {
  const node = view.nodes.get(name);
  return node === undefined ? [] : [zoneOf(node)];
}
