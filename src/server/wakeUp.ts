import cron from 'node-cron';
import { ChangeSignal } from '../cluster/changeSignal.js';
import type { Clock } from '../time/clock.js';
import { eitherSignal } from './eitherSignal.js';

/** What wakes the actor up; what is to be done then is decided from the clock and the objects alone. */
export interface WakeUp {
  /**
   * Resolves at `until` (milliseconds since the epoch), or earlier: at the next tick, and as soon as `changed` does.
   * Rejects with the signal's reason.
   */
  wait(wait: {
    readonly until: number | undefined;
    readonly changed: (signal: AbortSignal) => Promise<void>;
    readonly signal: AbortSignal;
  }): Promise<void>;
  close(): Promise<void>;
}

/**
 * A tick of node-cron each minute, so that a clock that was set and a machine that stood still are noticed, and the exact
 * instant at which something is due.
 */
export function openWakeUp(clock: Clock): WakeUp {
  const ticks = new ChangeSignal();
  const task = cron.schedule(
    '* * * * *',
    () => {
      ticks.changed();
    },
    { noOverlap: true, missedExecutionTolerance: 60_000, suppressMissedWarning: true },
  );
  return {
    async wait({ until, changed, signal }) {
      const over = new AbortController();
      const joined = eitherSignal(signal, over.signal);
      const either = joined.signal;
      const { version } = ticks;
      const waits = [
        ticks.after(version, either),
        changed(either),
        ...(until === undefined ? [] : [clock.sleep(Math.max(0, until - clock.now()), either)]),
      ];
      try {
        await Promise.race(waits);
      } finally {
        over.abort(new Error('woken up'));
        await Promise.allSettled(waits);
        joined.clear();
      }
    },
    async close() {
      await task.destroy();
    },
  };
}
