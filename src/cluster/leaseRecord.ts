import type { Clock } from '../time/clock.js';
import type { ApiAnswer, ApiObject, ClusterPort } from './clusterPort.js';
import { numberOf, recordOf, stringOf, timeOf } from './json.js';
import { resources } from './resources.js';

/**
 * How leader election is timed. A holder that could not renew for `renewDeadlineMs` stops by itself before others,
 * after `leaseDurationMs`, may take over.
 */
export interface LeaseDurations {
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/** A Lease and who wants to hold it. */
export interface LeaseClaim {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  readonly name: string;
  /** Unique to this process: whoever shows the same identity counts as the same holder. */
  readonly identity: string;
  readonly durations: LeaseDurations;
}

/** A coordination.k8s.io/v1 Lease as leader election reads it. */
export interface LeaseRecord {
  /** Empty: released. */
  readonly holder: string;
  readonly durationMs: number | undefined;
  /** As text, only ever compared for being the same: clocks differ between machines. */
  readonly renewTime: string | undefined;
  /** Milliseconds since the epoch, by the holder's clock. */
  readonly acquiredAt: number | undefined;
  readonly transitions: number;
}

export function parseLease(object: ApiObject): LeaseRecord {
  const spec = recordOf(object['spec']);
  const durationSeconds = numberOf(spec['leaseDurationSeconds']);
  return {
    holder: stringOf(spec['holderIdentity']) ?? '',
    durationMs: durationSeconds === undefined ? undefined : durationSeconds * 1000,
    renewTime: stringOf(spec['renewTime']),
    acquiredAt: timeOf(spec['acquireTime']),
    transitions: numberOf(spec['leaseTransitions']) ?? 0,
  };
}

/** A new Lease that the claimant holds. */
export function newLease(claim: LeaseClaim): ApiObject {
  const { namespace, name } = claim;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace, name },
    spec: { ...heldSpec(claim), acquireTime: microTime(claim.clock.now()), leaseTransitions: 0 },
  };
}

/** What a holder writes at each renewal. */
export function heldSpec({ clock, identity, durations }: LeaseClaim): Readonly<Record<string, unknown>> {
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.max(1, Math.ceil(durations.leaseDurationMs / 1000)),
    renewTime: microTime(clock.now()),
  };
}

/** Replaces fields of the Lease's spec; the object's resourceVersion guards the write. */
export async function writeLease(
  { cluster, namespace }: LeaseClaim,
  object: ApiObject,
  spec: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<ApiAnswer<ApiObject>> {
  const replaced = { ...object, spec: { ...recordOf(object['spec']), ...spec } };
  return await cluster.replace({ resource: resources.leases, namespace, object: replaced }, signal);
}

/** RFC 3339 with exactly six digits: the API server refuses a MicroTime with fewer. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/Z$/, '000Z');
}
