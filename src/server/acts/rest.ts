import type { RunStop } from '../../run/runEnd.js';

/** How an act for a playbook ended. */
export type Attempt = {
  /** What it was about; see nextDeed.ts. */
  readonly of: string;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
} & (
  | { readonly kind: 'ran'; readonly stop: RunStop }
  /** Another actor is at work: its end is waited for by looking at the lease (awaitLease.ts). */
  | { readonly kind: 'held' }
  /** It was refused, and stays so until something changes. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Something did not answer. `times`: in a row. */
  | { readonly kind: 'failed'; readonly message: string; readonly times: number }
);

/** Gates that say no are asked again, as is what did not recover. */
const gatesAgainMs = 10 * 60_000;
const otherActorMs = 5000;
const firstFailureMs = 15_000;
const longestFailureMs = 10 * 60_000;
/** A clock that is kept right steps back by less than this. */
const clockStepMs = 60_000;

/** Attempts that are remembered of a playbook: many more than it has unfinished runs, windows and triggers at a time. */
const mostAttempts = 50;

/**
 * Until when the same is not tried again, milliseconds since the epoch; undefined: not before something has changed that
 * decides about it. Where the clock was set back the attempt lies in the future, and what it says of times is void.
 */
export function restOf(attempt: Attempt, now: number): number | undefined {
  const rest = restAfter(attempt);
  return rest !== undefined && now < attempt.endedAt - clockStepMs ? now : rest;
}

/** The attempts with the one that has just ended, in the place of the former one of the same subject. */
export function rememberAttempt(attempts: readonly Attempt[], ended: Ended): readonly Attempt[] {
  const before = attempts.find(({ of }) => of === ended.of);
  const times = ended.kind === 'failed' && before?.kind === 'failed' ? before.times + 1 : 1;
  const attempt: Attempt = ended.kind === 'failed' ? { ...ended, times } : ended;
  return [...attempts.filter(({ of }) => of !== ended.of), attempt].slice(-mostAttempts);
}

/** An attempt of which is not yet known how many of its kind there were in a row. */
export type Ended = Exclude<Attempt, { kind: 'failed' }> | Omit<Extract<Attempt, { kind: 'failed' }>, 'times'>;

function restAfter(attempt: Attempt): number | undefined {
  const { endedAt } = attempt;
  switch (attempt.kind) {
    case 'refused':
      return undefined;
    case 'held':
      return Number.NEGATIVE_INFINITY;
    case 'failed':
      return endedAt + Math.min(longestFailureMs, firstFailureMs * 2 ** Math.min(attempt.times - 1, 10));
    case 'ran':
      return afterRun(attempt.stop, endedAt);
  }
}

function afterRun(stop: RunStop, endedAt: number): number | undefined {
  switch (stop.kind) {
    case 'finished':
    case 'not-recovered':
    case 'cluster-not-healthy':
      return endedAt + gatesAgainMs;
    case 'window':
      // One that has opened while the run ended would otherwise be no rest at all.
      return stop.opensAt === undefined ? undefined : Math.max(stop.opensAt, endedAt + otherActorMs);
    case 'other-actor':
    case 'followed':
    case 'own-node':
    case 'hand-over':
    case 'signal':
      return endedAt + otherActorMs;
    case 'failures':
    case 'aborted':
    case 'paused':
    case 'deleted':
      return undefined;
  }
}
