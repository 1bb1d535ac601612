import { isDeadlineExceeded, type Clock } from '../time/clock.js';
import { formatDuration } from '../time/duration.js';

/**
 * The answer, or what `late` makes of the sentence that it did not come in time: one that does not answer delays
 * nobody else. Rejects with the signal's reason when that aborts.
 */
export async function bounded<T>(
  bound: {
    readonly clock: Clock;
    readonly withinMs: number;
    readonly ask: (signal: AbortSignal) => Promise<T>;
    readonly late: (message: string) => T;
  },
  signal: AbortSignal,
): Promise<T> {
  const { clock, withinMs, ask, late } = bound;
  const deadline = clock.deadline(withinMs, signal);
  try {
    return await ask(deadline.signal);
  } catch (error) {
    if (signal.aborted || !isDeadlineExceeded(deadline.signal)) throw error;
    return late(`there was no answer within ${formatDuration(withinMs)}.`);
  } finally {
    deadline.clear();
  }
}
