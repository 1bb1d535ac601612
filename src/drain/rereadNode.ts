import type { Clock } from '../time/clock.js';
import type { WaitingFor } from './drainEnd.js';
import type { ProgressReporter } from './drainProgress.js';
import type { DrainTime } from './drainTime.js';
import type { DrainCache } from './waitForChange.js';

const firstPauseMs = 1000;
const longestPauseMs = 15_000;

/**
 * Merges a consistent list of the node's pods into the cache: that it is empty is not guessed.
 * Tries again until the drain's time is over; then returns what the API server said, else nothing.
 */
export async function rereadNode(read: {
  readonly cache: DrainCache;
  readonly node: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly time: DrainTime;
  readonly progress: ProgressReporter;
}): Promise<readonly WaitingFor[]> {
  const { cache, node, clock, signal, time, progress } = read;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    const answer = await cache.refreshNode({ name: node, what: 'pods' }, signal);
    signal.throwIfAborted();
    if (answer.kind === 'ok') return [];
    const leftMs = Math.max(0, time.leftMs());
    const waitingFor = progress.waiting('reading', [
      {
        key: `refresh ${answer.kind}`,
        for: 'reading',
        what: `The pods of node ${node} cannot be read: ${answer.message}`,
        until: clock.now() + Math.round(leftMs),
        who: ['API server'],
      },
    ]);
    if (leftMs <= 0) return waitingFor;
    await clock.sleep(Math.min(pauseMs, leftMs), signal);
  }
}
