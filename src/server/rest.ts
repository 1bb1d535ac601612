import type { RunStop } from '../run/runEnd.js';

/** How an act for a playbook ended. */
export type Attempt = {
  /** What it was about; see nextDeed.ts. */
  readonly of: string;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
} & (
  | { readonly kind: 'ran'; readonly stop: RunStop }
  /** It was refused, and stays so until something changes. */
  | { readonly kind: 'refused' }
  /** Something did not answer. `times`: in a row. */
  | { readonly kind: 'failed'; readonly times: number }
);

/** Gates that say no are asked again, as is what did not recover. */
const gatesAgainMs = 10 * 60_000;
const otherActorMs = 5000;
const firstFailureMs = 15_000;
const longestFailureMs = 10 * 60_000;

/**
 * Until when the same is not tried again, milliseconds since the epoch; undefined: not before something has changed that
 * decides about it.
 */
export function restOf(attempt: Attempt): number | undefined {
  const { endedAt } = attempt;
  switch (attempt.kind) {
    case 'refused':
      return undefined;
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
      return stop.opensAt;
    case 'other-actor':
    case 'followed':
    case 'own-node':
      return endedAt + otherActorMs;
    case 'hand-over':
    case 'signal':
      return endedAt;
    case 'failures':
    case 'aborted':
    case 'paused':
    case 'deleted':
      return undefined;
  }
}
