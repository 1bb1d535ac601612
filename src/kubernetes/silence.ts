import type { Clock } from '../time/clock.js';

/** Aborts its signal when nothing has been read for too long, or the outer signal aborts. */
export interface Silence {
  readonly signal: AbortSignal;
  /** The same chunks; each of them breaks the silence. */
  brokenBy(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined>;
  clear(): void;
}

/** A timer is set anew no more often than this, however many chunks come. */
const setAnewMs = 1000;

/** Begins to listen; `longestMs` may be longer by a second. */
export function silenceOf(clock: Clock, longestMs: number, outer: AbortSignal): Silence {
  const ended = new AbortController();
  const signal = AbortSignal.any([outer, ended.signal]);
  const listen = () => {
    const deadline = clock.deadline(longestMs, outer);
    const onAbort = () => {
      ended.abort(deadline.signal.reason);
    };
    deadline.signal.addEventListener('abort', onAbort, { once: true });
    return {
      since: clock.monotonic(),
      clear: () => {
        deadline.signal.removeEventListener('abort', onAbort);
        deadline.clear();
      },
    };
  };
  let current = listen();
  return {
    signal,
    async *brokenBy(body) {
      for await (const chunk of body) {
        if (clock.monotonic() - current.since >= setAnewMs) {
          current.clear();
          current = listen();
        }
        yield chunk;
      }
    },
    clear() {
      current.clear();
    },
  };
}
