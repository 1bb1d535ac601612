import type { Counts, RunPhase, RunState } from './state.js';

/** How many turns stand where. A node that left the cluster (Skipped) is no longer counted. */
export function countTurns(state: RunState): Counts {
  const phases = [...state.turns.values()].map((turn) => turn.status.phase).filter((phase) => phase !== 'Skipped');
  const count = (...wanted: string[]) => phases.filter((phase) => wanted.includes(phase)).length;
  const [total, done, failed, blocked] = [phases.length, count('Done'), count('Failed'), count('Blocked', 'Deferred')];
  return { total, done, failed, blocked, left: total - done - failed - blocked };
}

/** Why the conductor ended. */
export type RunStop =
  /** No node is left that this call may take. */
  | { readonly kind: 'finished' }
  /** stopAfterFailures, or a failed canary. */
  | { readonly kind: 'failures' }
  | { readonly kind: 'signal'; readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' }
  /** What earlier turns displaced is not back within settle.timeout (finding `not-recovered`). */
  | { readonly kind: 'not-recovered'; readonly message: string }
  /** A person deleted the run; only the turns in work were finished. */
  | { readonly kind: 'deleted' }
  /** The lease was lost. */
  | { readonly kind: 'other-actor' };

/** The run's phase after this call. */
export function endPhase(counts: Counts, stop: RunStop): RunPhase {
  if (counts.failed > 0) return 'Failed';
  if (counts.done === counts.total) return 'Completed';
  return stop.kind === 'signal' || stop.kind === 'other-actor' ? 'Running' : 'AwaitingWindow';
}

/**
 * Exit code of `run` (DESIGN, "Exit codes"): the first that applies of 1, 4, 130/143, 7, 6, 3, 5, 0. With any node not
 * Done it is never 0.
 */
export function exitCode(counts: Counts, stop: RunStop): number {
  if (counts.failed > 0) return 4;
  if (stop.kind === 'signal') return { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[stop.signal];
  if (stop.kind === 'other-actor' || stop.kind === 'deleted') return 7;
  if (counts.blocked > 0 || stop.kind === 'not-recovered') return 3;
  return counts.done === counts.total ? 0 : 5;
}
