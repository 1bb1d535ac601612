import { wholeRun } from './expectedTime.js';
import type { Plan } from './plan.js';
import type { TurnStatus } from './state.js';

/** A turn of a former run that was done. */
export interface PastTurn {
  readonly node: string;
  /** When it ended, milliseconds since the epoch. */
  readonly endedAt: number;
  /** Milliseconds from its check to its end, without what came before and was undone. */
  readonly tookMs: number;
}

/** As many former turns of a node as are looked at: the last ones. */
export const turnsLookedAt = 5;

/**
 * The plan with what former turns say in the place of estimates: the median of the last {@link turnsLookedAt} of the
 * node, else the median of the last ones of all other nodes. Without former turns the plan stays as it is.
 */
export function withHistory(plan: Plan, past: readonly PastTurn[]): Plan {
  const lastTurns = turnsByNode(past);
  const ofOthers = median([...lastTurns.values()].flatMap((turns) => turns[0] ?? []));
  if (ofOthers === undefined) return plan;
  const nodes = plan.nodes.map((node) => {
    if (node.verdict !== 'goes') return node;
    return { ...node, expectedMs: median(lastTurns.get(node.node) ?? []) ?? ofOthers, basis: 'history' as const };
  });
  return { ...plan, nodes, ...wholeRun(nodes) };
}

/**
 * The turn as history, from its record; undefined where it was not done or its times are not all there. What counts
 * begins with the last check: a turn that was deferred and done a day later did not take a day.
 */
export function pastTurn(node: string, status: TurnStatus): PastTurn | undefined {
  const steps = status.steps ?? [];
  const check = steps.findLastIndex(({ phase }) => phase === 'Checking');
  const counted = steps.slice(check === -1 ? 0 : check);
  const endedAt = Date.parse(status.finishedAt ?? '');
  if (status.phase !== 'Done' || Number.isNaN(endedAt) || counted.length === 0) return undefined;
  // A step that failed, or whose actor died, and that went on later has no end: what was between was nobody's work.
  const spans = counted.map((step) => Date.parse(step.finishedAt ?? '') - Date.parse(step.startedAt));
  const tookMs = spans.filter((ms) => ms > 0).reduce((sum, ms) => sum + ms, 0);
  return tookMs > 0 ? { node, endedAt, tookMs } : undefined;
}

/** The durations of each node's last turns, the newest first. */
function turnsByNode(past: readonly PastTurn[]): ReadonlyMap<string, readonly number[]> {
  const turns = new Map<string, number[]>();
  for (const { node, tookMs } of [...past].sort((one, other) => other.endedAt - one.endedAt)) {
    const known = turns.get(node) ?? [];
    if (known.length < turnsLookedAt) turns.set(node, [...known, tookMs]);
  }
  return turns;
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : Math.round((low + high) / 2);
}
