import type { Clock } from '../../src/time/clock.js';
import { takenAt } from './clusterFixtures.js';

/** A clock that a test moves by hand, for code that only reads it. */
export function handClock(): Clock & { advance(durationMs: number): void } {
  let elapsedMs = 0;
  const unused = (): never => {
    throw new Error('this clock cannot wait');
  };
  return {
    now: () => takenAt + elapsedMs,
    monotonic: () => elapsedMs,
    sleep: unused,
    deadline: unused,
    advance: (durationMs) => {
      elapsedMs += durationMs;
    },
  };
}
