import { parseLease, type LeaseRecord } from '../cluster/leaseRecord.js';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { seeLease } from '../cluster/leaseSight.js';
import { resources } from '../cluster/resources.js';
import type { Clock } from '../time/clock.js';
import { refusalPrefix, type Awaited } from './ask.js';
import { parseRun, runResource } from './objects.js';
import type { RunState } from './state.js';
import { leadershipLeaseName, leaseName } from './underLease.js';

/** What an actor has made of what was asked. */
export type Answer =
  | { readonly kind: 'answered'; readonly result: string }
  | { readonly kind: 'refused'; readonly result: string }
  /** The run shows the state, or has ended meanwhile. */
  | { readonly kind: 'shown'; readonly phase: string };

export type AnswerEnd =
  | Answer
  /** The actor is alive and has not come to it yet. */
  | { readonly kind: 'at-work'; readonly holder: string }
  /** An actor is alive, but has another run in work (one actor a cluster). */
  | { readonly kind: 'elsewhere'; readonly holder: string }
  /** No actor shows a sign of life. `holder`: who holds the lease nevertheless; '' where nobody does. */
  | { readonly kind: 'nobody'; readonly holder: string }
  /** No actor has a run in work, but `turnus serve` is there and takes this one up. */
  | { readonly kind: 'served'; readonly holder: string }
  /** The lease cannot be read. */
  | { readonly kind: 'unknown'; readonly message: string }
  | { readonly kind: 'run-gone' };

/** How long an answer is waited for, how long a sign of life (an actor renews every 2 s), and how often is looked. */
const answerWithinMs = 15_000;
const signWithinMs = 5000;
const lookEveryMs = 500;
const servedWithinMs = 30_000;

export interface AnswerPlace {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  /** The run as it was when it was asked. */
  readonly before: RunState;
  readonly awaits: Awaited;
}

/**
 * Waits for the answer of the actor as long as one shows that it is alive: its lease is renewed while we look, measured
 * on our own monotonic clock, because the clocks of two machines are never compared.
 */
export async function awaitAnswer(place: AnswerPlace, signal: AbortSignal): Promise<AnswerEnd> {
  const { cluster, clock, namespace, before, awaits } = place;
  const startedAt = clock.monotonic();
  const sign = signOfLife();
  let { actor } = before.status;
  let leader: string | undefined;
  const nobody = async (holder: string): Promise<AnswerEnd | undefined> => {
    leader ??= await leaderOf({ cluster, clock, namespace }, signal);
    if (leader === undefined) return { kind: 'nobody', holder };
    // It takes up what is asked by a request at once, and begins with reading the cluster.
    const isWaitedFor = awaits.request !== undefined && clock.monotonic() - startedAt < servedWithinMs;
    return isWaitedFor ? undefined : { kind: 'served', holder: leader };
  };
  for (;;) {
    const read = await cluster.get({ resource: runResource, namespace, name: before.name }, signal);
    if (read.kind === 'not-found') return { kind: 'run-gone' };
    if (read.kind === 'ok') {
      const run = parseRun(read.value);
      if (run.uid !== before.uid) return { kind: 'run-gone' };
      const answer = answerIn(run.status, { awaits, phaseBefore: before.status.phase });
      if (answer !== undefined) return answer;
      ({ actor } = run.status);
    }
    const lease = await cluster.get({ resource: resources.leases, namespace, name: leaseName }, signal);
    if (lease.kind === 'not-found') {
      const end = await nobody('');
      if (end !== undefined) return end;
    }
    if (lease.kind === 'forbidden') return { kind: 'unknown', message: lease.message };
    const waitedMs = clock.monotonic() - startedAt;
    if (lease.kind === 'ok') {
      const { holder, isAlive } = sign.see(parseLease(lease.value));
      if (holder === '' || (waitedMs >= signWithinMs && !isAlive)) {
        const end = await nobody(holder);
        if (end !== undefined) return end;
      } else if (waitedMs >= signWithinMs && actor !== holder) {
        return { kind: 'elsewhere', holder };
      } else if (waitedMs >= answerWithinMs) {
        return { kind: 'at-work', holder };
      }
    } else if (lease.kind !== 'not-found' && waitedMs >= answerWithinMs) {
      return { kind: 'unknown', message: lease.message };
    }
    await clock.sleep(lookEveryMs, signal);
  }
}

/** The living process of `turnus serve` that decides; undefined where there is none, or that cannot be seen. */
async function leaderOf(
  place: Pick<AnswerPlace, 'cluster' | 'clock' | 'namespace'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const sight = await seeLease({ ...place, name: leadershipLeaseName }, signal);
  return sight.kind === 'alive' ? sight.holder : undefined;
}

/** The answer as it stands in the run's status; undefined while there is none. */
export function answerIn(
  status: RunState['status'],
  asked: { readonly awaits: Awaited; readonly phaseBefore: string },
): Answer | undefined {
  const { awaits, phaseBefore } = asked;
  if (awaits.request !== undefined) {
    const result = status.handledRequests?.find(({ id }) => id === awaits.request)?.result;
    if (result === undefined) return undefined;
    return { kind: result.startsWith(refusalPrefix) ? 'refused' : 'answered', result };
  }
  const { phase } = status;
  const hasEnded = phase !== phaseBefore && ['Completed', 'Failed', 'Superseded'].includes(phase);
  return hasEnded || isShown(phase, awaits.state) ? { kind: 'shown', phase } : undefined;
}

function isShown(phase: string, state: Awaited['state']): boolean {
  switch (state) {
    case 'Pause':
      return phase === 'Paused';
    case 'Abort':
    case 'AbortNow':
      return phase === 'Aborted';
    case 'Run':
      return phase !== 'Paused' && phase !== 'Aborted';
    case undefined:
      return false;
  }
}

/** Whoever renews the lease between two looks is alive. */
function signOfLife(): { see(record: LeaseRecord): { holder: string; isAlive: boolean } } {
  let last: LeaseRecord | undefined;
  let isAlive = false;
  return {
    see(record) {
      if (last !== undefined && record.renewTime !== last.renewTime) isAlive = true;
      last = record;
      return { holder: record.holder, isAlive };
    },
  };
}
