import { marks } from '../cluster/marks.js';
import type { NodeView } from '../cluster/view.js';
import type { Count } from '../playbook/playbook.js';
import type { Finding } from './finding.js';

/**
 * Is there room for one more node out of service? Nodes of the playbook's selection that are cordoned or not Ready use
 * up `maxUnavailable`, whoever took them out; excluded nodes are not in the selection.
 */
export function unavailableGate({
  node,
  selection,
  maxUnavailable,
}: {
  /** Name of the node that wants to leave; it does not count itself. */
  readonly node: string;
  readonly selection: readonly NodeView[];
  readonly maxUnavailable: Count;
}): readonly Finding[] {
  const room = unavailableLimit(maxUnavailable, selection.length);
  const out = selection
    .filter(({ name, ready, unschedulable }) => name !== node && (!ready || unschedulable))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  if (out.length < room) return [];
  const names = out.map(whyOut).join(', ');
  return [
    {
      code: 'no-room',
      severity: 'block',
      node,
      objects: out.map(({ name }) => `Node ${name}`),
      message: `${String(out.length)} of ${String(selection.length)} nodes are out of service already (${names}), and spec.nodes.maxUnavailable allows ${String(room)}.`,
      hint: `Bring ${out.length === 1 ? 'it' : 'them'} back (repair, kubectl uncordon), label ${out.length === 1 ? 'it' : 'them'} ${marks.exclude}, or raise spec.nodes.maxUnavailable.`,
    },
  ];
}

/** A number, or a percentage of the selection, rounded down but at least 1. */
export function unavailableLimit(maxUnavailable: Count, nodes: number): number {
  if (typeof maxUnavailable === 'number') return maxUnavailable;
  return Math.max(1, Math.floor((Number.parseInt(maxUnavailable, 10) * nodes) / 100));
}

function whyOut({ name, ready, notReadyReason, unschedulable, annotations }: NodeView): string {
  if (!ready) return `${name}: not Ready${notReadyReason === undefined ? '' : `, ${notReadyReason}`}`;
  const run = annotations[marks.cordonedBy];
  return unschedulable && run !== undefined ? `${name}: cordoned by ${run}` : `${name}: cordoned`;
}
