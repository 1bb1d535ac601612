import type { WatchCache } from '../cluster/watchCache.js';
import { isDeadlineExceeded, type Clock } from '../time/clock.js';

/** The live copy of the cluster, as far as a drain needs it. */
export type DrainCache = Pick<WatchCache, 'view' | 'version' | 'changed' | 'refreshNode'>;

/** Changes come in bursts, and a look at a full node costs some milliseconds: what comes in so short a time is one. */
const togetherMs = 20;

/**
 * Waits until the cache has changed, one of the tasks has ended or the time is over, whichever comes first, and a
 * moment more for what changes with it. Rejects with the signal's reason when it aborts.
 */
export async function waitForChange(wait: {
  readonly cache: Pick<DrainCache, 'changed'>;
  readonly version: number;
  readonly clock: Clock;
  readonly atMostMs: number;
  readonly tasks?: Iterable<Promise<void>>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { cache, version, clock, atMostMs, tasks = [], signal } = wait;
  signal.throwIfAborted();
  const over = new AbortController();
  const stop = () => {
    over.abort(signal.reason);
  };
  signal.addEventListener('abort', stop);
  const deadline = clock.deadline(Math.max(0, atMostMs), over.signal);
  const change = cache.changed(version, deadline.signal).catch((error: unknown) => {
    if (!isDeadlineExceeded(deadline.signal) && !over.signal.aborted) throw error;
  });
  try {
    await Promise.race([change, ...tasks]);
  } finally {
    signal.removeEventListener('abort', stop);
    // Nobody looks at the reason, and an error would cost its stack trace at each change.
    over.abort('no longer awaited');
    deadline.clear();
    await change;
  }
  await clock.sleep(Math.max(0, Math.min(togetherMs, atMostMs)), signal);
}
