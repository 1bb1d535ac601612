import { DeadlineExceeded, type Clock } from '../../src/time/clock.js';

/** A clock on which waiting takes no time: every sleep moves it on at once. */
export function createJumpingClock(): Clock {
  let nowMs = 0;
  const deadlines = new Set<{ readonly atMs: number; pass(): void }>();
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    async sleep(durationMs, signal) {
      signal.throwIfAborted();
      nowMs += durationMs;
      for (const deadline of [...deadlines]) if (deadline.atMs <= nowMs) deadline.pass();
      await Promise.resolve();
      signal.throwIfAborted();
    },
    deadline(afterMs, parent) {
      const controller = new AbortController();
      const clear = () => {
        deadlines.delete(deadline);
        parent.removeEventListener('abort', onAbort);
      };
      const onAbort = () => {
        clear();
        controller.abort(parent.reason);
      };
      const deadline = {
        atMs: nowMs + afterMs,
        pass: () => {
          clear();
          controller.abort(new DeadlineExceeded('the deadline has passed'));
        },
      };
      deadlines.add(deadline);
      if (parent.aborted) onAbort();
      else parent.addEventListener('abort', onAbort);
      return { signal: controller.signal, clear };
    },
  };
}
