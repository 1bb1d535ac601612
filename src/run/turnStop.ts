import { isHostTouched } from './hostTouched.js';
import type { TurnStatus } from './state.js';

/** A person asked for the run's end through `spec.desired`. */
export class AbortRequested extends Error {
  override readonly name = 'AbortRequested';
  /** `turnus abort --now`: everything stays as it is. */
  readonly now: boolean;

  constructor(request: { now: boolean; by: string | undefined }) {
    super(`${request.now ? 'abort --now' : 'abort'} by ${request.by ?? 'somebody who did not say who'}`);
    this.now = request.now;
  }
}

/** The signals that end a run before its time. */
export interface RunStopSignals {
  /** A signal to the process, or the lease is lost. */
  readonly stop: AbortSignal;
  /** `abort`, or the window has closed: ends a turn whose host is untouched; one whose host is touched is finished. */
  readonly abort: AbortSignal;
  readonly abortNow: AbortSignal;
}

/** The signal under which a turn's steps work; `close` when the turn has ended. */
export function openTurnStop(
  signals: RunStopSignals,
  status: () => TurnStatus,
): { readonly signal: AbortSignal; close(): void } {
  const { stop, abort, abortNow } = signals;
  const controller = new AbortController();
  const whenUntouched = () => {
    const now = status();
    // A node that was given back is finished as well: nothing is left to undo.
    if (!isHostTouched(now) && now.phase !== 'Settling') controller.abort(abort.reason);
  };
  const links: readonly (readonly [AbortSignal, () => void])[] = [
    [
      stop,
      () => {
        controller.abort(stop.reason);
      },
    ],
    [
      abortNow,
      () => {
        controller.abort(abortNow.reason);
      },
    ],
    [abort, whenUntouched],
  ];
  for (const [signal, act] of links) {
    if (signal.aborted) act();
    else signal.addEventListener('abort', act);
  }
  return {
    signal: controller.signal,
    close() {
      for (const [signal, act] of links) signal.removeEventListener('abort', act);
    },
  };
}
