import type { Timeline } from '../../src/sandbox/timeline.js';

/** A timeline that moves when a test moves it. What is due at the same moment happens in the order of its asking. */
export interface HandTimeline extends Timeline {
  /** Plays everything that is due within the time. */
  advance(ms: number): void;
  /** Plays until the condition holds; throws when it does not within the limit. */
  runUntil(condition: () => boolean, limitMs: number): void;
}

interface Entry {
  readonly dueAt: number;
  readonly order: number;
  act: (() => void) | undefined;
}

export function handTimeline(startsAt = Date.parse('2026-11-10T21:00:00Z')): HandTimeline {
  const heap: Entry[] = [];
  let now = startsAt;
  let asked = 0;
  const isBefore = (a: Entry | undefined, b: Entry | undefined): boolean =>
    a !== undefined && b !== undefined && (a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order));
  const swap = (a: number, b: number): void => {
    const [first, second] = [heap[a], heap[b]];
    if (first === undefined || second === undefined) return;
    heap[a] = second;
    heap[b] = first;
  };
  const push = (entry: Entry): void => {
    heap.push(entry);
    for (let place = heap.length - 1; place > 0;) {
      const above = (place - 1) >> 1;
      if (!isBefore(heap[place], heap[above])) break;
      swap(place, above);
      place = above;
    }
  };
  const pop = (): Entry | undefined => {
    swap(0, heap.length - 1);
    const first = heap.pop();
    for (let place = 0; ;) {
      let least = place;
      for (const below of [2 * place + 1, 2 * place + 2]) if (isBefore(heap[below], heap[least])) least = below;
      if (least === place) return first;
      swap(place, least);
      place = least;
    }
  };
  const playNext = (until: number): boolean => {
    while (heap[0]?.act === undefined && heap.length > 0) pop();
    const next = heap[0];
    if (next === undefined || next.dueAt > until) return false;
    pop();
    now = Math.max(now, next.dueAt);
    next.act?.();
    return true;
  };
  return {
    now: () => now,
    after(delayMs, act) {
      const entry: Entry = { dueAt: now + Math.max(0, delayMs), order: (asked += 1), act };
      push(entry);
      return () => {
        entry.act = undefined;
      };
    },
    advance(ms) {
      const until = now + ms;
      while (playNext(until));
      now = until;
    },
    runUntil(condition, limitMs) {
      const until = now + limitMs;
      while (!condition()) {
        if (!playNext(until)) throw new Error(`it did not come true within ${String(limitMs)} ms`);
      }
    },
  };
}
