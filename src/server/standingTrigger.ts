import type { PlaybookStatus } from '../playbook/playbookStatus.js';
import { refusalPrefix } from '../run/ask.js';
import { readTrigger, waitsPrefix } from '../run/trigger.js';
import { isOver, type OpenTrigger, type ServedRun } from './nextDeed.js';
import type { ReadPlaybook } from './playbookSource.js';

type Answered = PlaybookStatus['trigger'];

/** Where the trigger on a Playbook object stands. */
export type StandingTrigger =
  /** There is none, or it was answered to its end. */
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly trigger: OpenTrigger }
  /** It starts nothing, or nothing more, and is to be told so. */
  | { readonly kind: 'over'; readonly id: string; readonly answer: string; readonly run: string | undefined };

/**
 * `answered`: the last answer that is known. One that has started a run is open as long as that run is, so that another
 * process goes on with it; it starts no second one.
 */
export function standingTrigger(question: {
  readonly read: ReadPlaybook;
  readonly isInForce: boolean;
  readonly answered: Answered;
  readonly runs: readonly ServedRun[];
}): StandingTrigger {
  const { read, answered } = question;
  const written = read.object === undefined ? undefined : readTrigger(read.object.resource);
  if (written === undefined || written.kind === 'none') return { kind: 'none' };
  const id = written.kind === 'trigger' ? written.trigger.id : written.id;
  const own = answered?.id === id ? answered : undefined;
  if (own?.finishedAt !== undefined) return { kind: 'none' };
  const over = (answer: string): StandingTrigger => ({ kind: 'over', id, answer, run: own?.run });
  if (written.kind === 'unusable') return over(`${refusalPrefix} ${written.problem}`);
  if (own?.run !== undefined) {
    const started = question.runs.find(({ name }) => name === own.run);
    // Not on what this process alone knows: the run may not have been seen yet.
    const isDeleted = started === undefined && read.object?.status.trigger?.run === own.run;
    if (isDeleted) return over(`ended: run ${own.run} was deleted`);
    if (started !== undefined && isOver(started)) return over(`ended: run ${own.run} is ${started.phase}`);
  }
  if (!question.isInForce)
    return over(
      `${refusalPrefix} the playbook has mistakes and no former version is in force; see its condition Valid`,
    );
  return { kind: 'open', trigger: written.trigger };
}

/** The answer to a trigger for which something else has to end first; undefined where it has one already, or needs none. */
export function waitingAnswer(question: {
  readonly read: ReadPlaybook;
  readonly answered: Answered;
  readonly isInForce: boolean;
  /** What this process is at; undefined: nothing that is in the way. */
  readonly busy: { readonly trigger: string | undefined; readonly text: string } | undefined;
  readonly time: string;
}): Answered {
  const { busy, answered, time } = question;
  const standing = standingTrigger({ ...question, runs: [] });
  if (busy === undefined || standing.kind !== 'open' || standing.trigger.id === busy.trigger) return undefined;
  const { id } = standing.trigger;
  return answered?.id === id ? undefined : { id, time, answer: `${waitsPrefix} ${busy.text}` };
}
