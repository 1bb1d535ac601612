import type { ClusterView, OwnerKey } from '../cluster/view.js';
import type { Clock } from '../time/clock.js';
import type { WaitingFor } from './drainEnd.js';
import { ownerName } from '../cluster/replicas.js';
import type { ProgressReporter } from './drainProgress.js';
import { recoverySentence, unrecovered, type DisplacedOwners } from './recovery.js';
import { waitForChange, type DrainCache } from './waitForChange.js';

export interface ReplacementsToAwait {
  readonly cache: DrainCache;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly node: string;
  readonly displaced: DisplacedOwners;
  /** Replicas by owner that are not waited for. */
  readonly excused: (view: ClusterView) => ReadonlyMap<OwnerKey, number>;
  /** Monotonic time at which the wait is over. */
  readonly deadline: number;
  readonly progress: ProgressReporter;
}

/**
 * Waits until every displaced owner has min(Ready before, desired now) Ready replicas on other nodes. Returns what is
 * still missing when the time is over: nothing where all are back. Rejects with the signal's reason when it aborts.
 */
export async function awaitReplacements(wait: ReplacementsToAwait): Promise<readonly WaitingFor[]> {
  const { cache, clock, signal, node, displaced, excused, deadline, progress } = wait;
  for (;;) {
    const version = cache.version();
    const view = cache.view();
    const missing = unrecovered({ view, displaced, notOn: node, excused: excused(view) });
    const leftMs = deadline - clock.monotonic();
    const waits = missing.map((owner) => ({
      key: owner.owner,
      for: 'replacements' as const,
      what: recoverySentence(owner),
      until: clock.now() + Math.max(0, Math.round(leftMs)),
      who: [ownerName(owner.owner), ...owner.unready.map((pod) => pod.split(': ')[0] ?? pod)],
    }));
    const waitingFor = progress.waiting('replacements', waits, 0);
    if (missing.length === 0 || leftMs <= 0) return waitingFor;
    await waitForChange({ cache, version, clock, atMostMs: leftMs, signal });
  }
}
