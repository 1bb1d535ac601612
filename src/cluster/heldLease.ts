import type { ApiObject } from './clusterPort.js';
import { heldSpec, microTime, parseLease, writeLease, type LeaseClaim } from './leaseRecord.js';
import { resources } from './resources.js';

/** Whether we may act at this moment. */
export type FenceAnswer = { readonly kind: 'ok' } | { readonly kind: 'lost'; readonly reason: string };

/** Somebody else acts, or may act, in this cluster. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** A Lease that is renewed in the background until it is released or lost. */
export interface HeldLease {
  /** Aborts with {@link LeaseLost} the moment the lease is lost or could not be renewed in time. */
  readonly signal: AbortSignal;
  /**
   * To be asked immediately before each outward act: looks at our own renewal deadline on the monotonic clock, so that
   * it also knows after the process was stopped for a while.
   */
  fence(): FenceAnswer;
  /**
   * Ends acting at once, as if the lease were lost; `release` still hands it over. For who must be gone before what is in
   * work has come to a stop by itself.
   */
  giveUp(reason: string): void;
  /** Ends renewing and hands the lease over, so that a successor need not wait. Never rejects; nothing may act after. */
  release(): Promise<void>;
}

/** How long the hand-over may take; a successor waits for the lease duration otherwise. */
const releaseWithinMs = 5000;

/**
 * Starts to renew a Lease that was just written. `writtenAt` is the monotonic time before that write was sent: others
 * may count from the moment it arrived, we count from before it.
 */
export function holdLease(claim: LeaseClaim, written: ApiObject, writtenAt: number): HeldLease {
  const { cluster, clock, namespace, name, identity, durations } = claim;
  const lost = new AbortController();
  const stopping = new AbortController();
  let object = written;
  let deadlineAt = writtenAt + durations.renewDeadlineMs;
  let released = false;
  let isGivenUp = false;

  const lose = (reason: string): void => {
    if (!lost.signal.aborted) lost.abort(new LeaseLost(reason));
  };
  const notRenewed = `the Lease ${namespace}/${name} could not be renewed within ${String(durations.renewDeadlineMs / 1000)} s`;

  /** One renewal; a write that somebody else's write made void is looked into. */
  const renewOnce = async (signal: AbortSignal): Promise<void> => {
    const sentAt = clock.monotonic();
    const answer = await writeLease(claim, object, heldSpec(claim), signal);
    if (answer.kind === 'ok') {
      object = answer.value;
      deadlineAt = sentAt + durations.renewDeadlineMs;
      return;
    }
    if (answer.kind === 'not-found') {
      lose(`the Lease ${namespace}/${name} was deleted`);
      return;
    }
    if (answer.kind === 'conflict') await lookAgain(signal);
  };

  /** False where it is not ours any more. Our own write may have been the one: its answer can have been lost. */
  const lookAgain = async (signal: AbortSignal): Promise<boolean> => {
    const read = await cluster.get({ resource: resources.leases, namespace, name }, signal);
    if (read.kind !== 'ok') return true;
    const { holder } = parseLease(read.value);
    if (holder === identity) {
      object = read.value;
      return true;
    }
    lose(
      holder === ''
        ? `somebody released the Lease ${namespace}/${name}`
        : `the Lease ${namespace}/${name} is now held by ${holder}`,
    );
    return false;
  };

  const renew = async (): Promise<void> => {
    while (!lost.signal.aborted) {
      await clock.sleep(
        Math.max(0, Math.min(durations.retryPeriodMs, deadlineAt - clock.monotonic())),
        stopping.signal,
      );
      const leftMs = deadlineAt - clock.monotonic();
      if (leftMs <= 0) {
        lose(notRenewed);
        return;
      }
      // Half of the time, so that a connection that has died unnoticed does not take all of it.
      const attemptMs = leftMs > 2 * durations.retryPeriodMs ? leftMs / 2 : leftMs;
      const deadline = clock.deadline(attemptMs, stopping.signal);
      try {
        await renewOnce(deadline.signal);
      } catch (error) {
        if (!deadline.signal.aborted) throw error;
      } finally {
        deadline.clear();
      }
    }
  };
  const renewing = renew().catch((error: unknown) => {
    if (!stopping.signal.aborted) lose(`renewing the Lease ${namespace}/${name} failed: ${String(error)}`);
  });

  const handOver = async (signal: AbortSignal): Promise<void> => {
    const now = microTime(clock.now());
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    const answer = await writeLease(claim, object, spec, signal);
    // Where no answer came the write may have been done: what is read then has no holder, and nothing is left to do.
    if (answer.kind !== 'conflict' && answer.kind !== 'unreachable') return;
    if (await lookAgain(signal)) await writeLease(claim, object, spec, signal);
  };

  return {
    signal: lost.signal,
    fence() {
      if (released) return { kind: 'lost', reason: `the Lease ${namespace}/${name} has been released` };
      if (clock.monotonic() >= deadlineAt) lose(notRenewed);
      if (!lost.signal.aborted) return { kind: 'ok' };
      return { kind: 'lost', reason: lost.signal.reason instanceof Error ? lost.signal.reason.message : notRenewed };
    },
    giveUp(reason) {
      if (lost.signal.aborted) return;
      isGivenUp = true;
      lose(reason);
    },
    async release() {
      if (released) {
        await renewing;
        return;
      }
      released = true;
      stopping.abort(new Error('the lease is released'));
      await renewing;
      if (lost.signal.aborted && !isGivenUp) return;
      const deadline = clock.deadline(releaseWithinMs, isGivenUp ? new AbortController().signal : lost.signal);
      try {
        await handOver(deadline.signal);
      } catch (error) {
        // Without an answer in time the successor waits for the lease duration.
        if (!deadline.signal.aborted) throw error;
      } finally {
        deadline.clear();
      }
    },
  };
}
