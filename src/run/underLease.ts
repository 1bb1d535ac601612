import type { ApiFailure, ClusterPort } from '../cluster/clusterPort.js';
import { acquireLease, defaultLeaseDurations, type LeaseOutcome } from '../cluster/lease.js';
import { isPassing } from '../cluster/passingFailure.js';
import { LeaseLost, type HeldLease } from '../cluster/heldLease.js';
import type { Clock } from '../time/clock.js';
import type { RunResult } from './startRun.js';

/** The one lease of all playbooks in a cluster (rule 12). */
export const leaseName = 'turnus';
/** The Lease by which one process of `turnus serve` decides what is due, and the others stand by. */
export const leadershipLeaseName = 'turnus-serve';

export interface LeaseUse {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  readonly actor: string;
  /** Aborts when the run is asked to stop. */
  readonly stop: AbortSignal;
  readonly onWaiting: (holder: string) => void;
  readonly onLost: () => void;
  /**
   * Another actor holds the lease: answers whether it is at work on the same run, so that this call follows it. The
   * watching that it begins ends with the signal.
   */
  readonly follow: (holder: string, signal: AbortSignal) => Promise<boolean>;
}

export type LeaseEnd =
  | { readonly kind: 'ran'; readonly result: RunResult }
  /** The other actor that was followed has ended by itself. */
  | { readonly kind: 'followed'; readonly holder: string }
  | { readonly kind: 'other'; readonly holder: string }
  | { readonly kind: 'failure'; readonly failure: ApiFailure };

/** How long an API server may be away before the run is given up; it can be resumed by starting it again. */
const outageMs = 15 * 60_000;
const retryMs = 5000;
/** How long an API server may be busy when the lease is first asked for. */
const busyMs = 30_000;

/**
 * Runs `body` while the lease is held. A lease that was lost because the API server was away is taken again, and the
 * run resumed; one that another actor has taken ends the run. An actor that is at work on the same run is followed: when
 * it dies its lease is taken, when it ends by itself so does this call.
 */
export async function runUnderLease(use: LeaseUse, body: (lease: HeldLease) => Promise<RunResult>): Promise<LeaseEnd> {
  const { clock, stop } = use;
  let lost: { readonly result: RunResult | undefined; readonly at: number } | undefined;
  for (;;) {
    const acquired = await acquire(use, lost !== undefined);
    if (acquired.kind === 'held') {
      const result = await unlessLost(body(acquired.lease)).finally(() => acquired.lease.release());
      if (result !== undefined && (result.stop.kind !== 'other-actor' || stop.aborted)) return { kind: 'ran', result };
      stop.throwIfAborted();
      lost = { result: result ?? lost?.result, at: clock.monotonic() };
      use.onLost();
      continue;
    }
    if (lost === undefined) return acquired;
    if (acquired.kind === 'other' || clock.monotonic() - lost.at > outageMs)
      return lost.result === undefined ? acquired : { kind: 'ran', result: lost.result };
    await clock.sleep(retryMs, stop);
  }
}

/** Undefined where the lease was lost before the run was opened: nothing is known of it then. */
async function unlessLost(body: Promise<RunResult>): Promise<RunResult | undefined> {
  try {
    return await body;
  } catch (error) {
    if (error instanceof LeaseLost) return undefined;
    throw error;
  }
}

type Acquired = Extract<LeaseOutcome, { kind: 'held' | 'failure' }> | Extract<LeaseEnd, { kind: 'followed' | 'other' }>;

/** Takes the lease, or follows whoever holds it; who has just lost it does not follow. */
async function acquire(use: LeaseUse, hasLost: boolean): Promise<Acquired> {
  const request = {
    cluster: use.cluster,
    clock: use.clock,
    namespace: use.namespace,
    name: leaseName,
    identity: use.actor,
    durations: defaultLeaseDurations,
    signal: use.stop,
    onWaiting: use.onWaiting,
  };
  const since = use.clock.monotonic();
  for (;;) {
    const first = await acquireLease({ ...request, wait: false });
    if (first.kind === 'free') continue;
    if (first.kind === 'failure' && isPassing(first.failure) && use.clock.monotonic() - since < busyMs) {
      await use.clock.sleep(defaultLeaseDurations.retryPeriodMs, use.stop);
      continue;
    }
    if (first.kind !== 'other') return first;
    const { holder } = first;
    const watching = new AbortController();
    const signal = AbortSignal.any([use.stop, watching.signal]);
    try {
      if (hasLost || !(await use.follow(holder, signal))) return { kind: 'other', holder };
      const then = await acquireLease({ ...request, wait: true, takeFree: false, onWaiting: () => undefined });
      if (then.kind === 'free') return { kind: 'followed', holder };
      if (then.kind !== 'other') return then;
    } finally {
      watching.abort();
    }
  }
}
