import type { RunState, TurnState } from '../run/state.js';

/** The turns in the order of the run; those that the order does not name come last. */
export function turnsInOrder(state: RunState): TurnState[] {
  const nodes = new Set([...(state.status.order ?? []), ...state.turns.keys()]);
  return [...nodes].flatMap((node) => state.turns.get(node) ?? []);
}
