import { lastTurnOf } from '../cluster/marks.js';
import type { NodeView } from '../cluster/view.js';
import type { NodesPolicy } from '../playbook/playbook.js';

const zoneLabel = 'topology.kubernetes.io/zone';

/**
 * The order of turns: within a zone by the playbook's criteria (longest since the last turn first), the zones
 * interleaved so that each pod has somewhere to go and no zone is finished before another (rule 14). The node that the
 * actor itself runs on goes last (rule 13).
 */
export function orderNodes(nodes: readonly NodeView[], policy: NodesPolicy, ownNode?: string): NodeView[] {
  const sorted = [...nodes].sort((one, other) => compareNodes(one, other, policy.order));
  const zones = new Map<string, NodeView[]>();
  for (const node of sorted) {
    const zone = node.labels[zoneLabel] ?? '';
    const members = zones.get(zone) ?? [];
    members.push(node);
    zones.set(zone, members);
  }
  const ordered: NodeView[] = [];
  for (let round = 0; ordered.length < sorted.length; round += 1) {
    for (const members of zones.values()) {
      const node = members[round];
      if (node !== undefined) ordered.push(node);
    }
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
