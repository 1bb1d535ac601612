import type { Timeline } from './timeline.js';

/** The timeline until `stop`: what waits then never happens, and nothing is taken on any more. */
export function stoppableTimeline(timeline: Timeline): Timeline & { stop(): void } {
  const waiting = new Set<() => void>();
  let isStopped = false;
  return {
    now: () => timeline.now(),
    after(delayMs, act) {
      if (isStopped) return () => undefined;
      const takeBack = timeline.after(delayMs, () => {
        waiting.delete(takeBack);
        act();
      });
      waiting.add(takeBack);
      return () => {
        waiting.delete(takeBack);
        takeBack();
      };
    },
    stop() {
      isStopped = true;
      for (const takeBack of waiting) takeBack();
      waiting.clear();
    },
  };
}
