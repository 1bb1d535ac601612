import type { StopSignal } from '../run/runEnd.js';
import type { CommandIo } from './io.js';

/** The signals to a command that has other commands run inside it. */
export interface HeldSignals {
  /** Aborts with the first signal. */
  readonly signal: AbortSignal;
  readonly stoppedBy: () => StopSignal | undefined;
  /** Acts as if this signal had come. */
  readonly stop: (signal: StopSignal) => void;
  /** For the commands inside: they hear of signals as if they were alone. */
  readonly onSignal: CommandIo['onSignal'];
}

/** Hears of SIGINT, SIGTERM and SIGHUP from now on. */
export function holdSignals(io: CommandIo): HeldSignals {
  const controller = new AbortController();
  const inside: { readonly signal: StopSignal; readonly listener: () => void }[] = [];
  let stoppedBy: StopSignal | undefined;
  const stop = (signal: StopSignal) => {
    stoppedBy ??= signal;
    controller.abort(new Error(`stopped by ${signal}`));
    for (const wanted of inside) if (wanted.signal === signal) wanted.listener();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    io.onSignal(signal, () => {
      stop(signal);
    });
  }
  return {
    signal: controller.signal,
    stoppedBy: () => stoppedBy,
    stop,
    onSignal: (signal, listener) => {
      inside.push({ signal, listener });
    },
  };
}
