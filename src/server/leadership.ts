import type { ClusterPort } from '../cluster/clusterPort.js';
import type { HeldLease } from '../cluster/heldLease.js';
import { acquireLease, defaultLeaseDurations } from '../cluster/lease.js';
import { leadershipLeaseName } from '../run/underLease.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';

/**
 * Waits until this process leads. An API server that is away is waited for.
 *
 * @throws TurnusError `leadership-failed` where the Lease may not be had at all; the signal's reason
 */
export async function takeLead(request: {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  readonly identity: string;
  readonly signal: AbortSignal;
  readonly onWaiting: (holder: string) => void;
}): Promise<HeldLease> {
  const outcome = await acquireLease({
    ...request,
    name: leadershipLeaseName,
    durations: defaultLeaseDurations,
    wait: true,
  });
  if (outcome.kind === 'held') return outcome.lease;
  throw new TurnusError({
    code: 'leadership-failed',
    message: `The lease ${request.namespace}/${leadershipLeaseName} cannot be taken: ${
      outcome.kind === 'failure' ? outcome.failure.message : `it is ${outcome.kind}`
    }`,
    hint: 'turnus serve needs what "turnus install --with serve" grants.',
    exitCode: 1,
  });
}
