import pRetry, { AbortError as GiveUp } from 'p-retry';
import type { ApiAnswer, ApiFailure } from '../cluster/clusterPort.js';
import type { Clock } from '../time/clock.js';

/** Bounds of the repetitions of a read. */
const repetitions = { retries: 3, minTimeoutMs: 200, maxTimeoutMs: 2000 };

/** A server that asks for more patience than this gets its answer handed on. */
const longestRetryAfterMs = 10_000;

/**
 * Repeats a read that got no answer, a 5xx or flow control, at most three times and not beyond `totalMs`, honouring
 * Retry-After. Only for reads: a write may have happened although its answer was lost.
 */
export async function repeatReads<T>(options: {
  readonly read: () => Promise<ApiAnswer<T>>;
  readonly clock: Clock;
  readonly totalMs: number;
  readonly signal: AbortSignal;
}): Promise<ApiAnswer<T>> {
  const { read, clock, signal } = options;
  const endsAt = clock.monotonic() + options.totalMs;
  try {
    return await pRetry(
      async () => {
        const answer = await read();
        if (answer.kind === 'ok') return answer;
        if (!isPassing(answer) || clock.monotonic() >= endsAt) throw new GiveUp(new Refused(answer));
        throw new Refused(answer);
      },
      {
        retries: repetitions.retries,
        minTimeout: repetitions.minTimeoutMs,
        maxTimeout: repetitions.maxTimeoutMs,
        maxRetryTime: options.totalMs,
        randomize: true,
        signal,
        onFailedAttempt: async ({ error, retriesLeft }) => {
          if (signal.aborted || retriesLeft === 0 || !(error instanceof Refused) || error.failure.kind !== 'throttled')
            return;
          await clock.sleep(Math.min(error.failure.retryAfterMs, Math.max(0, endsAt - clock.monotonic())), signal);
        },
      },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Refused) return error.failure;
    throw error;
  }
}

function isPassing(failure: ApiFailure): boolean {
  switch (failure.kind) {
    case 'unreachable':
      return true;
    case 'throttled':
      return failure.retryAfterMs <= longestRetryAfterMs;
    case 'refused':
      return failure.status >= 500;
    default:
      return false;
  }
}

/** Carries a failure through p-retry, which knows only exceptions. */
class Refused extends Error {
  readonly failure: ApiFailure;
  constructor(failure: ApiFailure) {
    super(failure.message);
    this.failure = failure;
  }
}
