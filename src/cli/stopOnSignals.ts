import type { RunStop } from '../run/runEnd.js';
import { exitCodeOfSignal, type StopSignal } from '../run/runEnd.js';
import type { CommandIo } from './io.js';

/** What signals to the process ask of a run. */
export interface Stopping {
  /** Aborts with the first signal. */
  readonly signal: AbortSignal;
  readonly stoppedBy: () => RunStop | undefined;
  readonly stop: (signal: StopSignal) => void;
}

/**
 * The first signal asks the run to stop: undo what is untouched, leave the rest resumable. The second leaves at once:
 * every step was recorded before it was made, so the next start finds where this one was.
 */
export function stopOnSignals(io: CommandIo, say: (line: string) => void): Stopping {
  const controller = new AbortController();
  let stop: RunStop | undefined;
  const stopBy = (signal: StopSignal) => {
    if (stop !== undefined) {
      say(
        `${signal} again: leaving at once. Start the same command again to go on; it waits until this lease is over.`,
      );
      io.exit(exitCodeOfSignal[signal]);
      return;
    }
    stop = { kind: 'signal', signal };
    say(
      `${signal}: stopping; a node whose host is untouched is given back first. Once more to leave at once and leave it to the next start.`,
    );
    controller.abort(new Error(`stopped by ${signal}`));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    io.onSignal(signal, () => {
      stopBy(signal);
    });
  }
  return { signal: controller.signal, stoppedBy: () => stop, stop: stopBy };
}
