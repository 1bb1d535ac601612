/** A clock on the wall by the changes of its offset, in their order; one at least. */
export type ClockChanges = readonly ClockChange[];

export interface ClockChange {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** How far the clock was ahead of UTC before it, and is from then on. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The instant at which the clock shows this time, by the rule of wallClock.ts: one that is skipped is the first instant
 * after the gap, of one that comes twice it is the first pass.
 */
export function instantByChanges(wallMs: number, changes: ClockChanges): number {
  let change: ClockChange | undefined;
  for (const next of changes) {
    if (wallMs - offsetAfter(change, next) < next.at) break;
    change = next;
  }
  const at = wallMs - offsetAfter(change, changes[0]);
  return change === undefined ? at : Math.max(change.at, at);
}

/** What the clock shows at this instant. */
export function wallTimeByChanges(at: number, changes: ClockChanges): number {
  return (
    at +
    offsetAfter(
      changes.findLast((change) => change.at <= at),
      changes[0],
    )
  );
}

/** Before the first change the clock is what that one finds. */
function offsetAfter(change: ClockChange | undefined, next: ClockChange | undefined): number {
  return change?.toMs ?? next?.fromMs ?? 0;
}
