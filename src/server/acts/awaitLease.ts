import type { ClusterPort } from '../../cluster/clusterPort.js';
import { acquireLease, defaultLeaseDurations } from '../../cluster/lease.js';
import { leaseName } from '../../run/underLease.js';
import type { Clock } from '../../time/clock.js';

/** Waited for at a stretch; then it is looked what else has changed. */
const withinMs = 60_000;

/**
 * Waits for another actor's end: until nobody holds the lease of acting, or its holder is dead, at most a minute. Nothing
 * is held by it. An API server that is away is waited for.
 */
export async function awaitLease(
  place: {
    readonly cluster: ClusterPort;
    readonly clock: Clock;
    readonly namespace: string;
    readonly identity: string;
  },
  signal: AbortSignal,
): Promise<'free' | 'held'> {
  const deadline = place.clock.deadline(withinMs, signal);
  try {
    const outcome = await acquireLease({
      ...place,
      name: leaseName,
      durations: defaultLeaseDurations,
      wait: true,
      takeFree: false,
      signal: deadline.signal,
    });
    if (outcome.kind === 'held') await outcome.lease.release();
    return 'free';
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.signal.aborted) throw error;
    return 'held';
  } finally {
    deadline.clear();
  }
}
