import type { Refusal } from '../api/simulatedApi.js';
import type { Timeline } from '../timeline.js';

/** Troubles of the API that one causes on purpose. What `cut` and `refuse` answer ends them; they end each other. */
export interface ApiFaults {
  /** Breaks every watch off, and the connection of every request: for this long, or until it is ended. */
  cut(forMs?: number): () => void;
  /** Answers every request with this code; watches that are open go on. */
  refuse(code: 429 | 500 | 503, forMs?: number): () => void;
  /** Breaks every open watch off, once; whoever watched may come back at once. */
  breakWatches(): void;
}

/** What is out of order at the moment. */
export interface CurrentFaults extends ApiFaults {
  readonly isCut: () => boolean;
  readonly refusal: () => Refusal | undefined;
  /** Ends what is going on. */
  readonly end: () => void;
}

const refusals = {
  429: { reason: 'TooManyRequests', message: 'too many requests, please try again later', seconds: 1 },
  500: { reason: 'InternalError', message: 'etcdserver: request timed out', seconds: undefined },
  503: { reason: 'ServiceUnavailable', message: 'the apiserver is shutting down', seconds: undefined },
} as const;

/** No faults yet. `breakWatches` breaks the connections of all watches. */
export function currentFaults(timeline: Timeline, breakWatches: () => void): CurrentFaults {
  let current: 'cut' | Refusal | undefined;
  let cancel: (() => void) | undefined;
  const end = () => {
    cancel?.();
    [current, cancel] = [undefined, undefined];
  };
  const begin = (fault: 'cut' | Refusal, forMs: number | undefined) => {
    end();
    current = fault;
    if (forMs !== undefined) cancel = timeline.after(forMs, end);
    return () => {
      if (current === fault) end();
    };
  };
  return {
    breakWatches,
    end,
    cut(forMs) {
      const mend = begin('cut', forMs);
      breakWatches();
      return mend;
    },
    refuse(code, forMs) {
      const { reason, message, seconds } = refusals[code];
      const details = seconds === undefined ? {} : { details: { retryAfterSeconds: seconds } };
      return begin({ code, reason, message, ...details }, forMs);
    },
    isCut: () => current === 'cut',
    refusal: () => (current === 'cut' ? undefined : current),
  };
}
