import type { ApiFailure, ClusterPort } from '../cluster/clusterPort.js';
import { acquireLease, defaultLeaseDurations } from '../cluster/lease.js';
import type { HeldLease } from '../cluster/heldLease.js';
import type { Clock } from '../time/clock.js';
import type { RunResult } from './startRun.js';

/** The one lease of all playbooks in a cluster (rule 12). */
export const leaseName = 'turnus';

export interface LeaseUse {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  readonly actor: string;
  /** Aborts when the run is asked to stop. */
  readonly stop: AbortSignal;
  readonly onWaiting: (holder: string) => void;
  readonly onLost: () => void;
}

export type LeaseEnd =
  | { readonly kind: 'ran'; readonly result: RunResult }
  | { readonly kind: 'other'; readonly holder: string }
  | { readonly kind: 'failure'; readonly failure: ApiFailure };

/** How long an API server may be away before the run is given up; it can be resumed by starting it again. */
const outageMs = 15 * 60_000;
const retryMs = 5000;

/**
 * Runs `body` while the lease is held. A lease that was lost because the API server was away is taken again, and the
 * run resumed; one that another actor has taken ends the run.
 */
export async function runUnderLease(use: LeaseUse, body: (lease: HeldLease) => Promise<RunResult>): Promise<LeaseEnd> {
  let lost: { readonly result: RunResult; readonly at: number } | undefined;
  for (;;) {
    const acquired = await acquireLease({
      cluster: use.cluster,
      clock: use.clock,
      namespace: use.namespace,
      name: leaseName,
      identity: use.actor,
      durations: defaultLeaseDurations,
      wait: false,
      signal: use.stop,
      onWaiting: use.onWaiting,
    });
    if (acquired.kind === 'held') {
      const result = await body(acquired.lease).finally(() => acquired.lease.release());
      if (result.stop.kind !== 'other-actor' || use.stop.aborted) return { kind: 'ran', result };
      lost = { result, at: use.clock.monotonic() };
      use.onLost();
      continue;
    }
    if (acquired.kind === 'other' || lost === undefined) {
      return lost === undefined ? acquired : { kind: 'ran', result: lost.result };
    }
    if (use.clock.monotonic() - lost.at > outageMs) return { kind: 'ran', result: lost.result };
    await use.clock.sleep(retryMs, use.stop);
  }
}
