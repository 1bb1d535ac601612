import { isRecord, numberOf, parseJson, stringOf } from '../cluster/json.js';
import type { FaultAnswer, FaultName, FaultRequest, Faults } from './faults.js';

/** Where a sandbox takes faults, beside the API. */
export const faultsPath = '/sandbox/faults';

/** The answer to a wish, as `turnus sandbox break` and `mend` read it: `{"sandbox": {messages | refused}}`. */
export function answerWish(faults: Faults | undefined, body: string): Readonly<Record<string, unknown>> {
  const answer = faults === undefined ? notYet : decide(faults, parseJson(body));
  return {
    sandbox: answer.kind === 'refused' ? { refused: answer.message } : { messages: answer.messages },
  };
}

const notYet: FaultAnswer = { kind: 'refused', message: 'The sandbox is still starting.' };

function decide(faults: Faults, wish: unknown): FaultAnswer {
  if (!isRecord(wish)) return { kind: 'refused', message: 'A wish is a JSON object.' };
  const fault = stringOf(wish['fault']);
  if (fault !== undefined && !isFault(faults, fault))
    return { kind: 'refused', message: `There is no fault ${fault}; there are: ${faults.names.join(', ')}.` };
  if (wish['verb'] === 'mend') return faults.mend(fault);
  if (wish['verb'] !== 'break' || fault === undefined)
    return { kind: 'refused', message: 'A wish says what to break or to mend.' };
  const [subject, forMs] = [stringOf(wish['subject']), numberOf(wish['forMs'])];
  const request: FaultRequest = {
    fault,
    ...(subject === undefined ? {} : { subject }),
    ...(forMs === undefined || forMs <= 0 ? {} : { forMs }),
  };
  return faults.break(request);
}

function isFault(faults: Faults, name: string): name is FaultName {
  return faults.names.some((known) => known === name);
}
