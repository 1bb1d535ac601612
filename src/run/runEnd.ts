import type { Counts, RunPhase, RunState } from './state.js';

/** How many turns stand where. A node that left the cluster is no longer counted; one that a person skipped is. */
export function countTurns(state: Pick<RunState, 'turns'>): Counts {
  const counted = [...state.turns.values()]
    .map(({ status }) => status)
    .filter((status) => status.phase !== 'Skipped' || status.skippedBy !== undefined);
  const count = (...wanted: string[]) => counted.filter(({ phase }) => wanted.includes(phase)).length;
  const [total, done, failed, blocked] = [counted.length, count('Done'), count('Failed'), count('Blocked', 'Deferred')];
  const skipped = count('Skipped');
  const left = total - done - failed - blocked - skipped;
  return { total, done, failed, blocked, left, ...(skipped === 0 ? {} : { skipped }) };
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** 128 and the signal's number, as shells have it. */
export const exitCodeOfSignal: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** Why the conductor ended. */
export type RunStop =
  /** No node is left that this call may take. */
  | { readonly kind: 'finished' }
  /** stopAfterFailures, or a failed canary. */
  | { readonly kind: 'failures' }
  | { readonly kind: 'signal'; readonly signal: StopSignal }
  /** No node is left that may be taken, and what turns displaced was waited for in vain (finding `not-recovered`). */
  | { readonly kind: 'not-recovered'; readonly message: string }
  /** The conditions of the cluster did not hold within their wait; no further turn would find it otherwise. */
  | { readonly kind: 'cluster-not-healthy'; readonly message: string }
  /** A person wants the run to end (`turnus abort`). */
  | { readonly kind: 'aborted' }
  /** Nobody resumed the paused run within the time that this call waits, or before the window closed. */
  | { readonly kind: 'paused' }
  /** No turn that is left would end before the window closes; `opensAt`: the next one, milliseconds since the epoch. */
  | { readonly kind: 'window'; readonly message: string; readonly opensAt: number | undefined }
  /** A person deleted the run; only the turns in work were finished. */
  | { readonly kind: 'deleted' }
  /** Another actor took the run to where it is; this one only looked on. */
  | { readonly kind: 'followed' }
  /** This process ends and leaves everything as it is to the next one (`serve`). */
  | { readonly kind: 'hand-over' }
  /** Only the node that this process runs on is left; another one takes it (rule 13). */
  | { readonly kind: 'own-node' }
  /** The lease was lost. */
  | { readonly kind: 'other-actor' };

/** The run's phase after this call. */
export function endPhase(counts: Counts, stop: RunStop): RunPhase {
  if (stop.kind === 'aborted') return 'Aborted';
  if (counts.failed > 0) return 'Failed';
  if (counts.done + (counts.skipped ?? 0) === counts.total) return 'Completed';
  if (stop.kind === 'paused') return 'Paused';
  return goesOnElsewhere.includes(stop.kind) ? 'Running' : 'AwaitingWindow';
}

/** Somebody else goes on with the run, or the same command once it is started again. */
const goesOnElsewhere: readonly RunStop['kind'][] = ['signal', 'other-actor', 'hand-over', 'own-node'];

/**
 * Exit code of `run` (DESIGN, "Exit codes"): the first that applies of 1, 4, 130/143, 7, 6, 3, 5, 0. With any node not
 * Done it is never 0.
 */
export function exitCode(counts: Counts, stop: RunStop): number {
  if (counts.failed > 0) return 4;
  if (stop.kind === 'signal') return exitCodeOfSignal[stop.signal];
  if (stoppedByOthers.includes(stop.kind) || (counts.skipped ?? 0) > 0) return 7;
  if (counts.blocked > 0 || stop.kind === 'not-recovered' || stop.kind === 'cluster-not-healthy') return 3;
  if (counts.done === counts.total) return 0;
  return stop.kind === 'followed' ? 7 : 5;
}

/** How a run ended for somebody who only looked on. */
export function followedStop({ turns, status }: Pick<RunState, 'turns' | 'status'>): RunStop {
  const isShort = [...turns.values()].some(
    ({ status: { phase, unrecovered } }) => phase === 'Done' && unrecovered !== undefined,
  );
  return isShort ? { kind: 'not-recovered', message: status.message ?? '' } : { kind: 'followed' };
}

const stoppedByOthers: readonly RunStop['kind'][] = ['other-actor', 'hand-over', 'deleted', 'aborted', 'paused'];
