import type { Timeline } from '../../src/sandbox/timeline.js';
import { DeadlineExceeded, type Clock } from '../../src/time/clock.js';

interface Timer {
  at: number;
  /** Of two timers for the same moment, the one set first goes first. */
  readonly order: number;
  act: (() => void) | undefined;
}

/** So many events happen in one turn of the event loop. */
const eventsATurn = 500;

/**
 * Time that passes only when nobody has anything left to do: the next timer is due when every promise has settled that
 * can. The same timers in the same order give the same night.
 */
export class VirtualTime implements Timeline {
  readonly #heap: Timer[] = [];
  #now: number;
  readonly #startedAt: number;
  #order = 0;
  /** Timers that have gone off. */
  events = 0;

  constructor(startAt: number) {
    this.#now = startAt;
    this.#startedAt = startAt;
  }

  now(): number {
    return this.#now;
  }

  /** Milliseconds since the beginning. */
  elapsed(): number {
    return this.#now - this.#startedAt;
  }

  after(delayMs: number, act: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), order: (this.#order += 1), act };
    push(this.#heap, timer);
    return () => {
      timer.act = undefined;
    };
  }

  /** Its wall clock shows whole milliseconds, as the machine's does. */
  readonly clock: Clock = {
    now: () => Math.floor(this.#now),
    monotonic: () => this.elapsed(),
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const onAbort = () => {
          cancel();
          reject(signal.reason as Error);
        };
        const cancel = this.after(durationMs, () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        });
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    deadline: (afterMs, parent) => {
      const controller = new AbortController();
      if (parent.aborted) {
        controller.abort(parent.reason);
        return { signal: controller.signal, clear: () => undefined };
      }
      const onParentAbort = () => {
        clear();
        controller.abort(parent.reason);
      };
      const cancel = this.after(afterMs, () => {
        clear();
        controller.abort(new DeadlineExceeded(`the deadline of ${String(afterMs)} ms has passed`));
      });
      const clear = () => {
        cancel();
        parent.removeEventListener('abort', onParentAbort);
      };
      parent.addEventListener('abort', onParentAbort);
      return { signal: controller.signal, clear };
    },
  };

  /** Lets time pass until `isOver` holds; false where `limitMs` of virtual time have passed or nothing is left to come. */
  async run(isOver: () => boolean, limitMs: number): Promise<boolean> {
    const until = this.#now + limitMs;
    await settled();
    while (!isOver()) {
      const timer = this.#next();
      if (timer === undefined || timer.at > until) {
        // Not lost: whoever lets time pass again comes to it.
        if (timer !== undefined) push(this.#heap, timer);
        this.#now = until;
        return false;
      }
      this.#now = Math.max(this.#now, timer.at);
      this.events += 1;
      const { act } = timer;
      timer.act = undefined;
      act?.();
      await settled();
      if (this.events % eventsATurn === 0) await turnOfTheEventLoop();
    }
    return true;
  }

  /** Nothing happens for so long: what was to come comes as much later, in the same order. */
  jump(byMs: number): void {
    if (byMs < 0) throw new RangeError(`time does not go back by ${String(-byMs)} ms`);
    for (const timer of this.#heap) timer.at += byMs;
    this.#now += byMs;
  }

  #next(): Timer | undefined {
    for (;;) {
      const timer = pop(this.#heap);
      if (timer === undefined || timer.act !== undefined) return timer;
    }
  }
}

/**
 * Resolves when every promise has settled that needs no timer. A tick that is asked for while promises are settled comes
 * when their queue is empty (node:process, processTicksAndRejections), and costs far less than a turn of the event loop.
 */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/** Lets signals, messages and the like through. */
async function turnOfTheEventLoop(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

function push(heap: Timer[], timer: Timer): void {
  let place = heap.length;
  heap.push(timer);
  while (place > 0) {
    const parent = (place - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(timer, above)) break;
    heap[place] = above;
    place = parent;
  }
  heap[place] = timer;
}

function pop(heap: Timer[]): Timer | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let place = 0;
  for (;;) {
    const left = 2 * place + 1;
    const right = left + 1;
    let child = left;
    const leftTimer = heap[left];
    if (leftTimer === undefined) break;
    const rightTimer = heap[right];
    if (rightTimer !== undefined && isBefore(rightTimer, leftTimer)) child = right;
    const childTimer = heap[child];
    if (childTimer === undefined || !isBefore(childTimer, last)) break;
    heap[place] = childTimer;
    place = child;
  }
  heap[place] = last;
  return first;
}
