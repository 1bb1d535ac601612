import type { PlaybookStatus } from '../../playbook/playbookStatus.js';
import { refusalPrefix } from '../../run/ask.js';
import { readTrigger, waitsPrefix, type Trigger } from '../../run/trigger.js';
import type { JudgedPlaybook } from './inForce.js';
import { startedBy } from '../acts/lastAnswer.js';
import { isOver, type ServedRun } from '../acts/nextDeed.js';

type Answered = PlaybookStatus['trigger'];

/** Where the trigger on a Playbook object stands. */
export type StandingTrigger =
  /** There is none, or it was answered to its end. */
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly trigger: Trigger }
  /** It starts nothing, or nothing more, and is to be told so. */
  | { readonly kind: 'over'; readonly id: string; readonly answer: string; readonly run: string | undefined };

/**
 * `answered`: the last answer that is known. One that has started a run is open as long as that run is, so that another
 * process goes on with it; it starts no second one. `runs`: those of the playbook.
 */
export function standingTrigger(question: {
  readonly judged: TriggeredPlaybook;
  readonly answered: Answered;
  readonly runs: readonly BegunRun[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}): StandingTrigger {
  const { answered, now } = question;
  const { read, inForce, mistakes } = question.judged;
  const written = read.object === undefined ? undefined : readTrigger(read.object.resource);
  if (written === undefined || written.kind === 'none') return { kind: 'none' };
  const id = written.kind === 'trigger' ? written.trigger.id : written.id;
  const own = answered?.id === id ? answered : undefined;
  if (own?.finishedAt !== undefined) return { kind: 'none' };
  const run = startedBy(id, question);
  const over = (answer: string): StandingTrigger => ({ kind: 'over', id, answer, run });
  if (written.kind === 'unusable') return over(`${refusalPrefix} ${written.problem}`);
  if (run !== undefined) {
    const ended = endOf(run, question);
    if (ended !== undefined) return over(ended);
  }
  // What is missing may only be so for a moment (a ConfigMap that is made anew): what was begun is not given up for it.
  if (inForce === undefined && run === undefined)
    return over(
      `${refusalPrefix} the playbook has mistakes and no former version is in force; see its condition Valid`,
    );
  const { trigger } = written;
  // A run that was begun because of it is gone on with, and not superseded once more.
  if (run !== undefined) return { kind: 'open', trigger: { ...trigger, replace: false } };
  if (trigger.startBefore !== undefined && now > trigger.startBefore)
    return over(`${refusalPrefix} ${tooLate(trigger.startBefore, own)}`);
  if (trigger.replace && mistakes.length > 0)
    return over(`${refusalPrefix} nothing is superseded while the playbook has mistakes; see its condition Valid`);
  return { kind: 'open', trigger };
}

/** What is written about a trigger that is over. */
export function overAnswer(
  { id, answer, run }: Omit<Extract<StandingTrigger, { kind: 'over' }>, 'kind'>,
  now: number,
): NonNullable<Answered> {
  const time = new Date(now).toISOString();
  return { id, time, answer, finishedAt: time, ...(run === undefined ? {} : { run }) };
}

/** How the run that it has started came to its end; undefined while it has not. */
function endOf(run: string, { judged, runs }: { judged: TriggeredPlaybook; runs: readonly BegunRun[] }) {
  const started = runs.find(({ name }) => name === run);
  if (started !== undefined) return isOver(started) ? `ended: run ${run} is ${started.phase}` : undefined;
  // Not on what this process alone knows: the run may not have been seen yet.
  return judged.read.object?.status.trigger?.run === run ? `ended: run ${run} was deleted` : undefined;
}

/** A run as far as it tells what has become of a trigger. */
export type BegunRun = Pick<ServedRun, 'name' | 'phase' | 'trigger'>;

type TriggeredPlaybook = Pick<JudgedPlaybook, 'read' | 'inForce' | 'mistakes'>;

function tooLate(startBefore: number, waited: Answered): string {
  const why = waited === undefined ? 'nobody served before' : waited.answer;
  return `nothing was started by ${new Date(startBefore).toISOString()} (${why}); trigger it again, or give it longer with --start-within`;
}

/**
 * The answer to a trigger for which something else has to end first, or whose run nobody can go on with; undefined where
 * it has one already, or needs none.
 */
export function waitingAnswer(question: {
  readonly judged: TriggeredPlaybook;
  readonly answered: Answered;
  readonly runs: readonly BegunRun[];
  /** What this process is at; undefined: nothing that is in the way. */
  readonly busy: { readonly trigger: string | undefined; readonly text: string } | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}): Answered {
  const { busy, answered, now, judged } = question;
  const standing = standingTrigger(question);
  if (standing.kind !== 'open' || standing.trigger.id === busy?.trigger) return undefined;
  const { id } = standing.trigger;
  const run = startedBy(id, question);
  const why = judged.inForce === undefined ? notInForce : busy?.text;
  const isTold = answered?.id === id && (why !== notInForce || answered.answer.endsWith(notInForce));
  if (why === undefined || isTold) return undefined;
  const time = new Date(now).toISOString();
  return { id, time, answer: `${waitsPrefix} ${why}`, ...(run === undefined ? {} : { run }) };
}

const notInForce = 'nothing of the playbook is in force, so that its run is not gone on with; see its condition Valid';
