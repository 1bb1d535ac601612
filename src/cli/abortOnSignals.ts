import type { StopSignal } from '../run/runEnd.js';
import type { CommandIo } from './io.js';

/** Aborts at Ctrl-C, TERM and HUP: for commands that read only, and have nothing to give back. */
export function abortOnSignals(io: CommandIo): {
  readonly stopping: AbortController;
  /** The first signal that came; undefined where none did. */
  readonly stoppedBy: () => StopSignal | undefined;
} {
  const stopping = new AbortController();
  let stoppedBy: StopSignal | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    io.onSignal(signal, () => {
      stoppedBy ??= signal;
      stopping.abort(new Error(`stopped by ${signal}`));
    });
  }
  return { stopping, stoppedBy: () => stoppedBy };
}
