import { HandOver } from '../run/handOver.js';
import { exitCodeOfSignal } from '../run/runEnd.js';
import type { Log } from '../server/log.js';
import type { CommandIo } from './io.js';

/** What signals ask of `turnus serve`. */
export interface Ending {
  /** Aborts with the first signal: what is in work is left to another actor, and nothing is undone. */
  readonly stop: AbortSignal;
  /** Aborts when what is in work has not come to a stop by itself. */
  readonly hurry: AbortSignal;
  close(): void;
}

/** The whole hand-over takes less than 5 s; the rest of them is for giving up the leases, and for the next to see it. */
const hurryAfterMs = 2000;

/** Hears SIGTERM, SIGINT and SIGHUP. The second one ends the process at once: all is recorded before it is done. */
export function handOverOnSignals(io: CommandIo, log: Log): Ending {
  const stop = new AbortController();
  const hurry = new AbortController();
  const closed = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    io.onSignal(signal, () => {
      if (stop.signal.aborted) {
        io.exit(exitCodeOfSignal[signal]);
        return;
      }
      log.info({ event: 'ending', msg: `${signal}: hands over what is in work and ends; nothing is undone.` });
      stop.abort(new HandOver(`the process has to end (${signal})`));
      io.clock.sleep(hurryAfterMs, closed.signal).then(
        () => {
          hurry.abort(new HandOver('the process has to end at once'));
        },
        () => undefined,
      );
    });
  }
  return {
    stop: stop.signal,
    hurry: hurry.signal,
    close() {
      closed.abort(new Error('has ended'));
    },
  };
}
