/**
 * Time and waiting, passed in wherever they are needed, so that tests can run on virtual time.
 */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. For people and records, never for measuring. */
  now(): number;
  /** A clock that never jumps, milliseconds. For measuring and for deadlines. */
  monotonic(): number;
  /** Resolves after `durationMs`. Rejects with the signal's reason when the signal aborts first. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
  /**
   * A signal that aborts with a {@link DeadlineExceeded} after `afterMs`, or with the parent's reason as soon as
   * `parent` aborts. `clear()` must be called when the work is done, else the timer stays.
   */
  deadline(afterMs: number, parent: AbortSignal): Deadline;
}

/** A bounded piece of work: hand `signal` to it and call `clear` when it has ended. */
export interface Deadline {
  readonly signal: AbortSignal;
  clear(): void;
}

/** The reason of a signal made by {@link Clock.deadline} whose time has run out. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/** True when `signal` aborted because its own time ran out, not because the work was stopped from outside. */
export function isDeadlineExceeded(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof DeadlineExceeded;
}
