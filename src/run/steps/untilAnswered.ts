import type { ApiFailure } from '../../cluster/clusterPort.js';
import { isPassing } from '../../cluster/passingFailure.js';
import { timestamp, type TurnContext } from '../turnContext.js';

/** Longer than a restart of the API server; a longer outage loses the lease, and the run is resumed after it. */
const attempts = 60;
const pauseMs = 1000;

/**
 * Asks again while the API server is away for a moment: a short outage must not end a turn that a long one would only
 * interrupt. `attempt` must be safe to repeat.
 */
export async function untilAnswered<T>(
  turn: TurnContext,
  ask: { what: string; attempt: () => Promise<T>; failureOf: (answer: T) => ApiFailure | undefined },
  signal: AbortSignal,
): Promise<T> {
  const since = timestamp(turn.clock);
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask.attempt();
    const failure = ask.failureOf(answer);
    if (failure === undefined || !isPassing(failure) || attempt === attempts) {
      if (attempt > 1) turn.waiting(undefined);
      return answer;
    }
    turn.waiting({
      what: `the API server to answer (since ${since}), so that ${ask.what}: ${failure.message}`,
      who: 'the API server',
    });
    await turn.clock.sleep(pauseMs, signal);
  }
}
