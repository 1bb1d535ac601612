import type { Timeline } from './timeline.js';

/** The machine's clock. What waits does not keep the process alive. */
export const systemTimeline: Timeline = {
  now: () => Date.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
