import type { Clock } from '../time/clock.js';
import type { ApiFailure, ClusterPort } from './clusterPort.js';
import { timeOf } from './json.js';
import { defaultLeaseDurations } from './lease.js';
import { parseLease, type LeaseRecord } from './leaseRecord.js';
import { resources } from './resources.js';

/** What somebody who does not want the Lease sees of it. */
export type LeaseSight =
  /** Nobody holds it. */
  | { readonly kind: 'free' }
  | { readonly kind: 'alive'; readonly holder: string; readonly renewedAt: number | undefined }
  /** Held, but not renewed: the holder is dead, stopped or cut off, and another may take the Lease. */
  | { readonly kind: 'silent'; readonly holder: string; readonly renewedAt: number | undefined }
  | { readonly kind: 'unknown'; readonly failure: ApiFailure };

/**
 * Who holds the Lease, and whether that one is alive. Clocks differ between machines: where the last renewal looks old
 * (or lies in the future) the Lease is read again after the time in which a living holder has renewed it.
 */
export async function seeLease(
  place: { cluster: ClusterPort; clock: Clock; namespace: string; name: string },
  signal: AbortSignal,
): Promise<LeaseSight> {
  const { cluster, clock, namespace, name } = place;
  const read = () => cluster.get({ resource: resources.leases, namespace, name }, signal);
  const first = await read();
  if (first.kind === 'not-found') return { kind: 'free' };
  if (first.kind !== 'ok') return { kind: 'unknown', failure: first };
  const record = parseLease(first.value);
  if (record.holder === '') return { kind: 'free' };
  const ageMs = clock.now() - (timeOf(record.renewTime) ?? 0);
  if (ageMs >= 0 && ageMs <= durationOf(record)) return sightOf('alive', record);

  await clock.sleep(defaultLeaseDurations.retryPeriodMs * 1.5, signal);
  const second = await read();
  if (second.kind === 'not-found') return { kind: 'free' };
  if (second.kind !== 'ok') return { kind: 'unknown', failure: second };
  const later = parseLease(second.value);
  if (later.holder === '') return { kind: 'free' };
  return sightOf(later.renewTime === record.renewTime ? 'silent' : 'alive', later);
}

function durationOf(record: LeaseRecord): number {
  return record.durationMs ?? defaultLeaseDurations.leaseDurationMs;
}

function sightOf(kind: 'alive' | 'silent', { holder, renewTime }: LeaseRecord): LeaseSight {
  return { kind, holder, renewedAt: timeOf(renewTime) };
}
