/** How long nodes are expected to take, and what that rests on. */
export interface ExpectedTime {
  /** Milliseconds; 0 where there is nothing to be done. */
  readonly expectedMs: number;
  /**
   * `history`: former turns of the node, or where it had none, of other nodes. `estimate`: the playbook and the pods,
   * with guesses for the rest. Absent where there is nothing to be done.
   */
  readonly basis?: 'history' | 'estimate';
}

/**
 * The time of a run: its turns one after the other, as `spec.nodes.concurrency: 1` has them. It rests on history where
 * that of every node does.
 */
export function wholeRun(nodes: readonly ExpectedTime[]): ExpectedTime {
  const counted = nodes.filter(({ basis }) => basis !== undefined);
  const expectedMs = counted.reduce((sum, node) => sum + node.expectedMs, 0);
  if (counted.length === 0) return { expectedMs };
  return { expectedMs, basis: counted.every(({ basis }) => basis === 'history') ? 'history' : 'estimate' };
}
