import { lastTurnOf } from '../cluster/marks.js';
import type { NodeView } from '../cluster/view.js';
import { zoneOf } from '../cluster/zone.js';
import type { NodesPolicy } from '../playbook/playbook.js';

/**
 * The order of turns: within a zone by the playbook's criteria (longest since the last turn first), the zones
 * interleaved so that each pod has somewhere to go and no zone is finished before another (rule 14). As many of a zone
 * follow one another as may be in work at the same time, since turns overlap within one zone alone. The node that the
 * actor itself runs on goes last (rule 13).
 */
export function orderNodes(nodes: readonly NodeView[], policy: NodesPolicy, ownNode?: string): NodeView[] {
  const sorted = [...nodes].sort((one, other) => compareNodes(one, other, policy.order));
  const zones = new Map<string, NodeView[]>();
  for (const node of sorted) {
    const zone = zoneOf(node);
    const members = zones.get(zone) ?? [];
    members.push(node);
    zones.set(zone, members);
  }
  const ordered: NodeView[] = [];
  for (let begun = 0; ordered.length < sorted.length; begun += policy.concurrency) {
    for (const members of zones.values()) ordered.push(...members.slice(begun, begun + policy.concurrency));
  }
  return lastOf(ordered, ownNode);
}

/** The same nodes with the one named at the end, where it is among them. */
export function lastOf(nodes: readonly NodeView[], name: string | undefined): NodeView[] {
  return [...nodes.filter((node) => node.name !== name), ...nodes.filter((node) => node.name === name)];
}

function compareNodes(one: NodeView, other: NodeView, criteria: NodesPolicy['order']): number {
  for (const criterion of criteria) {
    const difference = criterion === 'name' ? compareNames(one, other) : lastTurnAt(one) - lastTurnAt(other);
    if (difference !== 0) return difference;
  }
  return compareNames(one, other);
}

function compareNames(one: NodeView, other: NodeView): number {
  // Names that differ only in leading zeros are equal to localeCompare.
  const difference = one.name.localeCompare(other.name, 'en', { numeric: true });
  return difference === 0 ? (one.name < other.name ? -1 : 1) : difference;
}

/** When the node's last turn ended, 0 where it never had one or the annotation cannot be read. */
export function lastTurnAt(node: NodeView): number {
  return lastTurnOf(node)?.time ?? 0;
}
