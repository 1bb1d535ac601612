import type { Clock } from '../../src/time/clock.js';

/** A clock that stands until a test moves it; what sleeps wakes then. */
export function waitingClock(startsAt: number): Clock & { advance(durationMs: number): Promise<void> } {
  let now = startsAt;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    now: () => now,
    monotonic: () => now - startsAt,
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = {
          at: now + durationMs,
          wake: () => {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
        });
      }),
    deadline: () => {
      throw new Error('this clock has no deadlines');
    },
    async advance(durationMs) {
      const end = now + durationMs;
      for (;;) {
        const next = [...sleepers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
        if (next === undefined) break;
        now = next.at;
        next.wake();
        // What was woken goes to sleep again before time goes on.
        for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      }
      now = end;
    },
  };
}
