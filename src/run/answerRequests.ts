import { applyRequest } from './applyRequest.js';
import type { Conducting } from './conducting.js';
import type { WrittenRequest } from './desired.js';
import { judgeRequest, type JudgedRequest } from './judgeRequest.js';
import { countTurns } from './runEnd.js';
import type { RunState } from './state.js';
import { timestamp } from './turnContext.js';

/**
 * Answers every request of `spec.desired` that has no answer yet, once: the turns are changed first, and carry the
 * request's id, so that a successor of an actor that died in between does not change them again. Never runs while a
 * turn is being chosen.
 */
export async function answerRequests(work: Conducting, signal: AbortSignal): Promise<void> {
  const { store, control, clock, journal } = work;
  for (const request of control.desired().requests) {
    const state = store.state();
    if (answersOf(state).some(({ id }) => id === request.id)) continue;
    const now = timestamp(clock);
    const judged = judgeNow(work, request);
    const applied = applyRequest(state, request, { judged, now });
    await journal.append({
      type: 'request.answered',
      id: request.id,
      verb: request.verb,
      result: applied.result,
      ...(request.node === undefined ? {} : { about: request.node }),
      ...(request.code === undefined ? {} : { code: request.code }),
      ...(request.by === undefined ? {} : { by: request.by }),
      ...(request.reason === undefined ? {} : { reason: request.reason }),
    });
    for (const [node, change] of applied.turns) await store.saveTurn(node, change, signal);
    await store.saveRun(
      {
        counts: countTurns(store.state()),
        handledRequests: [
          ...keptAnswers(state, control.desired().requests),
          { id: request.id, result: applied.result, time: now },
        ],
      },
      signal,
    );
  }
}

/** The turn that is in work, or about to begin, is changed by nobody but its own steps. */
function judgeNow({ store, inHand }: Conducting, request: WrittenRequest): JudgedRequest {
  const judged = judgeRequest(store.state(), request);
  if (!('node' in judged) || !inHand.has(judged.node)) return judged;
  return { kind: 'refused', message: `the turn of ${judged.node} is in work; ask again when it has ended.` };
}

/** Answers to requests that are no longer asked are kept for people, this many. */
const keptForPeople = 50;

/** An answer is kept as long as its request stands in the spec: without it the request would be answered again. */
function keptAnswers(
  state: RunState,
  asked: readonly { readonly id: string }[],
): NonNullable<RunState['status']['handledRequests']> {
  const answers = answersOf(state);
  const recent = new Set(answers.slice(-keptForPeople).map(({ id }) => id));
  return answers.filter(({ id }) => recent.has(id) || asked.some((request) => request.id === id));
}

function answersOf(state: RunState): NonNullable<RunState['status']['handledRequests']> {
  return state.status.handledRequests ?? [];
}
