import type { TurnPhase } from './state.js';

/** How a step of a turn can end. */
export type StepEnd =
  | { readonly kind: 'done' }
  /** A gate says no, and nothing but a change by a person will alter that. */
  | { readonly kind: 'blocked'; readonly message: string }
  /** Not now: another attempt later in this window may work. */
  | { readonly kind: 'deferred'; readonly message: string }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly message: string }
  /** The node is back in service, and is not Ready any more. */
  | { readonly kind: 'not-recovered'; readonly message: string }
  /** The node is no longer in the cluster. */
  | { readonly kind: 'vanished'; readonly message: string }
  /** The turn would not end before the window closes any more. */
  | { readonly kind: 'stopped'; readonly message: string };

/**
 * How a turn can end before it is Done: a step that did not succeed, the run being stopped (by a signal, or by `abort`
 * or the window's end while the host is untouched), `abort --now`, which leaves everything as it is, or by this process
 * leaving the run to another one.
 */
export type Outcome = Exclude<StepEnd['kind'], 'done'> | 'aborted-now' | 'handed-over';

/** Why a step failed. */
export const failureCodes = [
  'job-failed',
  'job-timed-out',
  'job-vanished',
  'job-not-started',
  'job-no-contact',
  'no-reboot-answer',
  'rebooted-by-script',
  'boot-not-proved',
  'old-kernel',
  'not-uncordoned',
  'not-healthy',
  'not-empty',
] as const;
export type FailureCode = (typeof failureCodes)[number];

/** What becomes of the node, of the turn and of the run. */
export interface Decision {
  /** `undo`: uncordon if the cordon is ours. `leave`: stays as it is, cordoned. */
  readonly node: 'undo' | 'leave';
  /** Phase of the turn afterwards; `same`: it goes on at this step with the next start. */
  readonly turn: Extract<TurnPhase, 'Blocked' | 'Deferred' | 'Failed' | 'Pending' | 'Skipped'> | 'same';
  /** `failure`: counts towards stopAfterFailures. `stop`: no further turn begins. */
  readonly run: 'go-on' | 'failure' | 'stop';
}

/**
 * The outcome table (rule 6): before the host is touched everything can be undone; afterwards an unproven node is never
 * given pods again. A script that answered `changed=no` has not touched the host. Losing the lease is not in the table:
 * who has lost it touches nothing.
 */
export const outcomeTable: Readonly<Record<Outcome, { readonly untouched: Decision; readonly touched: Decision }>> = {
  blocked: {
    untouched: { node: 'undo', turn: 'Blocked', run: 'go-on' },
    touched: { node: 'leave', turn: 'Failed', run: 'failure' },
  },
  deferred: {
    untouched: { node: 'undo', turn: 'Deferred', run: 'go-on' },
    touched: { node: 'leave', turn: 'Failed', run: 'failure' },
  },
  failed: {
    untouched: { node: 'undo', turn: 'Failed', run: 'failure' },
    touched: { node: 'leave', turn: 'Failed', run: 'failure' },
  },
  'not-recovered': {
    untouched: { node: 'undo', turn: 'Failed', run: 'stop' },
    touched: { node: 'leave', turn: 'Failed', run: 'stop' },
  },
  vanished: {
    untouched: { node: 'undo', turn: 'Skipped', run: 'go-on' },
    touched: { node: 'leave', turn: 'Failed', run: 'failure' },
  },
  stopped: {
    untouched: { node: 'undo', turn: 'Pending', run: 'stop' },
    touched: { node: 'leave', turn: 'same', run: 'stop' },
  },
  'handed-over': {
    untouched: { node: 'leave', turn: 'same', run: 'stop' },
    touched: { node: 'leave', turn: 'same', run: 'stop' },
  },
  'aborted-now': {
    untouched: { node: 'leave', turn: 'Failed', run: 'stop' },
    touched: { node: 'leave', turn: 'Failed', run: 'stop' },
  },
};

export function decide(outcome: Outcome, hostTouched: boolean): Decision {
  return outcomeTable[outcome][hostTouched ? 'touched' : 'untouched'];
}
