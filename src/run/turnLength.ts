import type { PastTurn } from './forecastRun.js';
import { pastTurn } from './forecastRun.js';
import type { RunState } from './state.js';

/** So many former turns tell what is usual; of a node with fewer, those of all nodes are asked. */
const enoughTurns = 3;

/** As many turns as are looked at, the newest. */
const turnsAsked = 40;

/**
 * How long a turn of the node may well take, in milliseconds, from its check to its end: the 95th percentile of its
 * former turns, else of those of all nodes, else the estimate. It decides whether the turn still fits into the window.
 */
export function turnLengthMs(of: {
  readonly node: string;
  readonly past: readonly PastTurn[];
  readonly estimateMs: number;
}): number {
  const newest = [...of.past].sort((one, other) => other.endedAt - one.endedAt);
  const own = newest.filter(({ node }) => node === of.node).slice(0, turnsAsked);
  const asked = own.length >= enoughTurns ? own : newest.slice(0, turnsAsked);
  return percentile95(asked.map(({ tookMs }) => tookMs)) ?? of.estimateMs;
}

/** The turns of this run that are done. */
export function turnsOfRun({ turns }: Pick<RunState, 'turns'>): PastTurn[] {
  return [...turns.values()].flatMap(({ node, status }) => pastTurn(node, status) ?? []);
}

/** By the nearest rank: one of the values, which 95 of 100 do not exceed. */
function percentile95(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * 0.95) - 1];
}
