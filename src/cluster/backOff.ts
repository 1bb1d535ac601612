/** Bounds of a wait between attempts. */
export interface BackOff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * How long to wait before attempt `attempt` (from 0): full jitter, a random part of an exponentially growing bound, so
 * that many waiters do not return at the same moment. `random` is from 0 to below 1.
 */
export function backOffMs({ firstMs, longestMs }: BackOff, attempt: number, random: () => number): number {
  return random() * Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 30));
}
