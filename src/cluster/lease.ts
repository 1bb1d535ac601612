import type { ApiFailure, ApiObject } from './clusterPort.js';
import { holdLease, type HeldLease } from './heldLease.js';
import {
  heldSpec,
  microTime,
  newLease,
  parseLease,
  writeLease,
  type LeaseClaim,
  type LeaseDurations,
  type LeaseRecord,
} from './leaseRecord.js';
import { isPassing } from './passingFailure.js';
import { resources } from './resources.js';

export { LeaseLost, type HeldLease } from './heldLease.js';

/** client-go's own (tools/leaderelection). */
export const defaultLeaseDurations: LeaseDurations = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2000,
};

export interface LeaseRequest extends LeaseClaim {
  /**
   * False: answers `other` as soon as another holder shows that it is alive, which takes up to its lease duration;
   * a dead holder's lease is taken either way. True: waits until the lease can be had.
   */
  readonly wait: boolean;
  /**
   * False: only a dead holder's lease is taken; one that its holder has given up is `free`, so that who waited learns
   * that the other ended by itself.
   */
  readonly takeFree?: boolean;
  /** Ends the attempt, not the lease once it is held. */
  readonly signal: AbortSignal;
  /** Hears whom we wait for, whenever that changes. */
  readonly onWaiting?: (holder: string) => void;
}

export type LeaseOutcome =
  | { readonly kind: 'held'; readonly lease: HeldLease }
  /** With `takeFree: false`: nobody holds it. */
  | { readonly kind: 'free' }
  /** `since`: when the holder took it, by its own clock, milliseconds since the epoch. */
  | { readonly kind: 'other'; readonly holder: string; readonly since: number | undefined }
  | { readonly kind: 'failure'; readonly failure: ApiFailure };

/**
 * Takes the Lease, as client-go's leader election does (tools/leaderelection/leaderelection.go): another holder's lease
 * is over when its record has not changed for its lease duration **on our own monotonic clock**; wall clocks are never
 * compared. Writes carry the resourceVersion, so that of two candidates one wins. A missing Lease is created.
 */
export async function acquireLease(request: LeaseRequest): Promise<LeaseOutcome> {
  const { clock, durations, signal } = request;
  let observed: Observation | undefined;
  let toldHolder: string | undefined;
  for (;;) {
    const attempt = await tryOnce(request, observed);
    switch (attempt.kind) {
      case 'held':
      case 'free':
        return attempt;
      case 'lost-race':
        continue;
      case 'failure':
        if (!request.wait || !isPassing(attempt.failure)) return attempt;
        await clock.sleep(durations.retryPeriodMs, signal);
        continue;
      case 'taken': {
        const { record } = attempt.observed;
        const isAlive = observed !== undefined && attempt.observed !== observed;
        if (isAlive && !request.wait) return { kind: 'other', holder: record.holder, since: record.acquiredAt };
        observed = attempt.observed;
        if (record.holder !== toldHolder) request.onWaiting?.(record.holder);
        toldHolder = record.holder;
        const leftMs = expiryOf(request, observed) - clock.monotonic();
        await clock.sleep(Math.max(1, Math.min(durations.retryPeriodMs, leftMs)), signal);
      }
    }
  }
}

/** Another holder's record, and when (monotonic) we first saw it so. */
interface Observation {
  readonly record: LeaseRecord;
  readonly at: number;
}

type Attempt =
  | Extract<LeaseOutcome, { kind: 'held' | 'free' | 'failure' }>
  /** Another candidate wrote at the same moment. */
  | { readonly kind: 'lost-race' }
  /** Somebody holds it; the same observation as handed in while the record stays the same. */
  | { readonly kind: 'taken'; readonly observed: Observation };

async function tryOnce(request: LeaseRequest, observed: Observation | undefined): Promise<Attempt> {
  const { cluster, clock, namespace, name, identity, signal } = request;
  const read = await cluster.get({ resource: resources.leases, namespace, name }, signal);
  if (read.kind === 'not-found' && request.takeFree === false) return { kind: 'free' };
  if (read.kind === 'not-found') {
    const sentAt = clock.monotonic();
    const created = await cluster.create({ resource: resources.leases, namespace, object: newLease(request) }, signal);
    return created.kind === 'ok' ? held(request, created.value, sentAt) : notWritten(created);
  }
  if (read.kind !== 'ok') return { kind: 'failure', failure: read };

  const record = parseLease(read.value);
  const current =
    observed !== undefined && isSame(observed.record, record) ? observed : { record, at: clock.monotonic() };
  if (record.holder === '' && request.takeFree === false) return { kind: 'free' };
  const isFree = record.holder === '' || record.holder === identity;
  if (!isFree && clock.monotonic() < expiryOf(request, current)) return { kind: 'taken', observed: current };

  const sentAt = clock.monotonic();
  const spec = {
    ...heldSpec(request),
    acquireTime: microTime(clock.now()),
    leaseTransitions: record.holder === identity ? record.transitions : record.transitions + 1,
  };
  const written = await writeLease(request, read.value, spec, signal);
  return written.kind === 'ok' ? held(request, written.value, sentAt) : notWritten(written);
}

function held(request: LeaseRequest, object: ApiObject, sentAt: number): Attempt {
  return { kind: 'held', lease: holdLease(request, object, sentAt) };
}

function notWritten(failure: ApiFailure): Attempt {
  if (failure.kind === 'conflict' || failure.kind === 'already-exists') return { kind: 'lost-race' };
  return { kind: 'failure', failure };
}

/** Monotonic time at which the observed holder counts as dead. */
function expiryOf({ durations }: LeaseRequest, { record, at }: Observation): number {
  return at + (record.durationMs ?? durations.leaseDurationMs);
}

function isSame(a: LeaseRecord, b: LeaseRecord): boolean {
  return a.holder === b.holder && a.renewTime === b.renewTime && a.transitions === b.transitions;
}
