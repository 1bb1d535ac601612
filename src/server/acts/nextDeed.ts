import { due } from '../../calendar/due.js';
import type { Schedule } from '../../calendar/schedule.js';
import type { Trigger } from '../../run/trigger.js';
import { restOf, type Attempt } from './rest.js';

/** A run of the playbook, rehearsals excepted, as far as it matters here. */
export interface ServedRun {
  readonly name: string;
  /** `yyyy-mm` */
  readonly period: string;
  readonly phase: string;
  /** Failed, and failures have stopped it, or no node of it is left that could begin. */
  readonly isStopped: boolean;
  /** `spec.desired.state`: Run, Pause, Abort or AbortNow. */
  readonly desired: string;
  /** What people have asked of it and nobody has answered. */
  readonly openRequests: number;
  /** A turn is in work, or a node that is out of service because of us is to be tried again. */
  readonly hasTurnInWork: boolean;
  /** Changes whenever people ask for something else; '' where nobody has asked anything. */
  readonly asked: string;
  /** Id of the trigger that it was begun for. */
  readonly trigger: string | undefined;
}

/** A playbook in force with all that decides about it. */
export interface ServedPlaybook {
  readonly name: string;
  readonly schedule: Schedule;
  /** With which the next month's run begins, where it is another. */
  readonly nextSchedule: Schedule | undefined;
  /** Changes with everything that the playbook says and with the files that it names. */
  readonly version: string;
  readonly runs: readonly ServedRun[];
  /** The last run that this playbook is known to have had: a person may have deleted it since. */
  readonly lastRun: { readonly name: string; readonly period: string } | undefined;
  /** Not answered to its end. */
  readonly trigger: Trigger | undefined;
  /** The trigger starts nothing, or nothing more, and is to be told so. */
  readonly over: { readonly id: string; readonly answer: string; readonly run: string | undefined } | undefined;
  /** What came of the acts for it in this process: at most one for each subject, see {@link subjectOf}. */
  readonly attempts: readonly Attempt[];
}

export type Because =
  /** A window is open, and the month's run is to begin or to go on. */
  | { readonly kind: 'window'; readonly period: string }
  /** A turn is in work, or people ask something of the run: that waits for no window. */
  | { readonly kind: 'unfinished'; readonly run: string }
  | { readonly kind: 'trigger'; readonly trigger: Trigger };

export type Deed =
  | { readonly kind: 'act'; readonly playbook: string; readonly because: Because }
  /** `until`: when this is to be asked again if nothing changes; undefined: only when something changes. */
  | { readonly kind: 'wait'; readonly until: number | undefined };

/**
 * What the actor does next: finishes what is in work before it begins anything, answers people before windows. Pure: a
 * tick that was missed, a pause of the machine or a new process change nothing but when it is asked.
 */
export function nextDeed(playbooks: readonly ServedPlaybook[], now: number): Deed {
  const deeds = playbooks.flatMap((playbook) => deedsOf(playbook, now));
  for (const kind of ['unfinished', 'trigger', 'window'] as const) {
    const found = deeds.find((deed) => deed.kind === 'act' && deed.because.kind === kind);
    if (found !== undefined) return found;
  }
  const times = deeds.flatMap((deed) => (deed.kind === 'wait' && deed.until !== undefined ? [deed.until] : []));
  return { kind: 'wait', until: times.length === 0 ? undefined : Math.min(...times) };
}

function deedsOf(playbook: ServedPlaybook, now: number): Deed[] {
  return wholeDeedsOf(playbook, now).map((deed) => (deed.kind === 'act' ? unlessResting(playbook, deed, now) : deed));
}

/** What is due, also where it rests because it was tried in vain. */
export function dueActs(playbook: ServedPlaybook, now: number): Act[] {
  return wholeDeedsOf(playbook, now).filter((deed) => deed.kind === 'act');
}

function wholeDeedsOf(playbook: ServedPlaybook, now: number): Deed[] {
  return [...unfinishedOf(playbook), ...triggerOf(playbook), windowOf(playbook, now)];
}

type Act = Extract<Deed, { kind: 'act' }>;

function unfinishedOf({ name, runs }: ServedPlaybook): Act[] {
  return runs
    .filter((run) => !isOver(run) && (run.hasTurnInWork || (run.openRequests > 0 && isNewest(run, runs))))
    .map((run) => ({ kind: 'act', playbook: name, because: { kind: 'unfinished', run: run.name } }));
}

function triggerOf({ name, trigger }: ServedPlaybook): Act[] {
  return trigger === undefined ? [] : [{ kind: 'act', playbook: name, because: { kind: 'trigger', trigger } }];
}

function windowOf(playbook: ServedPlaybook, now: number): Deed {
  const { name, schedule, runs, lastRun } = playbook;
  const past = runs.map((run) => ({ period: run.period, isEnded: isOver(run) || waitsForPeople(run) }));
  // Who deletes a run does not want it begun again in the same month.
  const deleted =
    lastRun === undefined || runs.some((run) => run.name === lastRun.name)
      ? []
      : [{ period: lastRun.period, isEnded: true }];
  const all = [...past, ...deleted];
  const answer = due({ schedule, now, runs: all });
  if (answer.kind === 'nothing') return { kind: 'wait', until: answer.until };
  if (answer.kind === 'begin' && playbook.nextSchedule !== undefined) {
    const next = due({ schedule: playbook.nextSchedule, now, runs: all });
    return { kind: 'wait', until: next.kind === 'nothing' ? next.until : undefined };
  }
  return { kind: 'act', playbook: name, because: { kind: 'window', period: answer.period } };
}

/** Nothing of a run in this phase is left to be done. */
export function isOver({ phase }: { readonly phase: string }): boolean {
  return phase === 'Completed' || phase === 'Superseded';
}

/** Nothing but what a person asks lets it go on. */
function waitsForPeople({ isStopped, desired, openRequests }: ServedRun): boolean {
  if (openRequests > 0) return false;
  return desired !== 'Run' || isStopped;
}

function isNewest(run: ServedRun, runs: readonly ServedRun[]): boolean {
  return runs.every(({ period }) => period <= run.period);
}

/** What was tried and came to nothing is not tried again at once. */
function unlessResting(playbook: ServedPlaybook, act: Act, now: number): Deed {
  const subject = subjectOf(playbook, act.because);
  const attempt = playbook.attempts.find(({ of }) => of === subject);
  if (attempt === undefined) return act;
  const rest = restOf(attempt, now);
  if (rest !== undefined && rest <= now) return act;
  return { kind: 'wait', until: rest };
}

/**
 * What an attempt was about: where this is another one, something has changed that it did not know of, and nothing rests.
 */
export function subjectOf(
  { version, runs }: { readonly version: string; readonly runs: readonly Pick<ServedRun, 'name' | 'asked'>[] },
  because: Because,
): string {
  // A run that was only just begun changes nothing here.
  const asked = runs.flatMap((run) => (run.asked === '' ? [] : `${run.name} ${run.asked}`)).sort();
  const what =
    because.kind === 'trigger' ? because.trigger.id : because.kind === 'window' ? because.period : because.run;
  return JSON.stringify([because.kind, what, version, asked]);
}
