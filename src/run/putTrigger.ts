import type { ApiFailure, ApiObject, ClusterPort } from '../cluster/clusterPort.js';
import { isPassing } from '../cluster/passingFailure.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import { playbookResource } from './objects.js';
import {
  readTrigger,
  triggerAnswerIn,
  triggerPatch,
  waitsPrefix,
  type Trigger,
  type TriggerAnswer,
} from './trigger.js';

/** Tries of the write: somebody writes in between, or the API server is away for a moment. */
const attempts = 10;
const pauseMs = 1000;

/** How long an answer is waited for, and how often is looked. */
const answerWithinMs = 10_000;
const lookEveryMs = 500;

export interface TriggerPlace {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  /** Name of the playbook. */
  readonly name: string;
}

export type PutTrigger =
  | { readonly kind: 'no-playbook' }
  /** `replaced`: a trigger that nobody had answered, and that nobody answers any more. */
  | { readonly kind: 'written'; readonly replaced: Trigger | undefined };

/**
 * Writes the trigger onto the Playbook object, guarded by its resourceVersion. A write whose answer was lost is looked
 * for first.
 *
 * @throws TurnusError where the API server refuses the write or stays away
 */
export async function putTrigger(place: TriggerPlace, trigger: Trigger, signal: AbortSignal): Promise<PutTrigger> {
  const { cluster, clock, namespace, name } = place;
  let replaced: Trigger | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const read = await cluster.get({ resource: playbookResource, namespace, name }, signal);
    if (read.kind === 'not-found') return { kind: 'no-playbook' };
    let failure: ApiFailure;
    if (read.kind === 'ok') {
      const before = readTrigger(read.value);
      if (before.kind === 'trigger' && before.trigger.id === trigger.id) return { kind: 'written', replaced };
      replaced = unanswered(read.value);
      const patch = triggerPatch(trigger, read.value);
      const written = await cluster.patch({ resource: playbookResource, namespace, name, patch }, signal);
      if (written.kind === 'ok') return { kind: 'written', replaced };
      failure = written;
    } else failure = read;
    if (attempt === attempts || (failure.kind !== 'conflict' && !isPassing(failure))) throw notWritten(place, failure);
    if (failure.kind !== 'conflict') await clock.sleep(pauseMs, signal);
  }
}

function unanswered(object: ApiObject): Trigger | undefined {
  const written = readTrigger(object);
  if (written.kind !== 'trigger') return undefined;
  const answer = triggerAnswerIn(object, written.trigger.id);
  return answer === undefined || isWaiting(answer) ? written.trigger : undefined;
}

function isWaiting({ answer }: TriggerAnswer): boolean {
  return answer.startsWith(waitsPrefix);
}

/** Waits a moment for what `turnus serve` makes of the trigger; undefined where nobody answers. */
export async function awaitTriggerAnswer(
  place: TriggerPlace,
  id: string,
  signal: AbortSignal,
): Promise<TriggerAnswer | undefined> {
  const { cluster, clock, namespace, name } = place;
  const startedAt = clock.monotonic();
  for (;;) {
    const read = await cluster.get({ resource: playbookResource, namespace, name }, signal);
    const answer = read.kind === 'ok' ? triggerAnswerIn(read.value, id) : undefined;
    if ((answer !== undefined && !isWaiting(answer)) || clock.monotonic() - startedAt >= answerWithinMs) return answer;
    await clock.sleep(lookEveryMs, signal);
  }
}

function notWritten({ name }: TriggerPlace, failure: ApiFailure): TurnusError {
  const isRefusal = failure.kind === 'forbidden' || failure.kind === 'invalid';
  return new TurnusError({
    code: `trigger-${failure.kind}`,
    message: `The API server did not let the trigger be written onto Playbook ${name}: ${failure.message}`,
    hint: isRefusal
      ? 'Nothing was written. Whoever triggers a run needs the ClusterRole turnus-playbook-editor in the namespace of Turnus.'
      : 'Nothing may have been written: look at the annotations of the playbook before you give the command again.',
    exitCode: isRefusal ? 2 : 1,
  });
}
