import type { Span } from './pace.js';
import { within, type World } from './world.js';

/** Keys of objects to be looked at, each once however often it was added, as client-go's work queue. */
export interface WorkQueue {
  /** Looks at it after the delay; where it waits already, the earlier time holds. */
  add(key: string, delayMs?: number): void;
}

/** Calls `work` for each key, a random time within `delayMs` after it was added unless `add` says otherwise. */
export function workQueue(
  { timeline, random }: Pick<World, 'timeline' | 'random'>,
  delayMs: Span,
  work: (key: string) => void,
): WorkQueue {
  const chance = random.fork();
  const waiting = new Map<string, { readonly dueAt: number; readonly takeBack: () => void }>();
  return {
    add(key, delay) {
      const before = waiting.get(key);
      if (before !== undefined && delay === undefined) {
        if (before.dueAt <= timeline.now() + delayMs.most) return;
      }
      const wait = delay ?? within(delayMs, chance);
      const dueAt = timeline.now() + wait;
      if (before !== undefined) {
        if (before.dueAt <= dueAt) return;
        before.takeBack();
      }
      const takeBack = timeline.after(wait, () => {
        waiting.delete(key);
        work(key);
      });
      waiting.set(key, { dueAt, takeBack });
    },
  };
}
