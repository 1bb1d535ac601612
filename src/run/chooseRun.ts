import type { ClusterPort } from '../cluster/clusterPort.js';
import type { Playbook } from '../playbook/playbook.js';
import { TurnusError } from '../turnusError.js';
import { openRequests } from './ask.js';
import { findRun, listRuns } from './findRun.js';
import { periodOf as monthOf } from '../calendar/period.js';
import { periodOfRun, runName } from './identity.js';
import { isInWork } from './nextTurn.js';
import type { RunObject } from './objects.js';
import { endedRunPhases, type TurnStatus } from './state.js';

/** The run that a call begins or continues. */
export interface ChosenRun {
  readonly name: string;
  /** The unfinished run that it supersedes: with `--replace`, or because its period is over. */
  readonly replaces: string | undefined;
  /** It is of a period that is over: what it has in work, or was asked, is finished, and nothing else begins in it. */
  readonly isFormer: boolean;
}

export interface RunChoice {
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly playbook: Pick<Playbook, 'name' | 'schedule'>;
  /** Of the playbook as it is now, in this cluster. */
  readonly planHash: string;
  /** The opening of the window, or now where there are none: its month is the period. */
  readonly at: number;
  /** `run --now`: outside of every window an unfinished run goes on, and the next period has not begun. */
  readonly isAdHoc: boolean;
  readonly rehearsal: boolean;
  /** `run --replace`: the unfinished run gives way to a new one. */
  readonly replace: boolean;
}

/** A run of the playbook, and whether an actor is wanted for it whatever month it is: for a turn in work, or a retry. */
export interface CandidateRun {
  readonly run: RunObject;
  readonly isWanted: boolean;
}

/**
 * The run of this playbook in which a turn is in work or a retry is asked, whatever month it is from, else the month's
 * newest, which supersedes what an earlier month has left unfinished. Rehearsals are numbered: the newest is continued
 * while it is unfinished.
 *
 * @throws TurnusError `nothing-to-replace`
 */
export async function chooseRun(choice: RunChoice, signal: AbortSignal): Promise<ChosenRun> {
  const { cluster, namespace, playbook, rehearsal } = choice;
  const listed = await listRuns({ cluster, namespace, prefix: `${playbook.name}-` }, signal);
  const runs = listed.filter(({ spec }) => spec.playbook.name === playbook.name && spec.rehearsal === rehearsal);
  const candidates: CandidateRun[] = [];
  for (const run of runs) candidates.push({ run, isWanted: await isWanted({ cluster, namespace, run }, signal) });
  return chosenFrom(candidates, choice);
}

async function isWanted(
  place: { cluster: ClusterPort; namespace: string; run: RunObject },
  signal: AbortSignal,
): Promise<boolean> {
  const { run } = place;
  if (isOver(run)) return false;
  // Whatever else is asked of a run of a month that is over ends with it: it must not cost the new one its window.
  if (openRequests(run).some(({ verb }) => verb === 'retry' || verb === 'retry-again')) return true;
  const found = await findRun({ ...place, name: run.name }, signal);
  return found?.turns.some(({ status }) => isInWork(status.phase) || isOutAndRetried(status)) === true;
}

/** A retry of a node in service waits for a window like any turn, and goes first in the new month's run as well. */
function isOutAndRetried({ cordoned, retryFrom }: TurnStatus): boolean {
  return cordoned === true && retryFrom !== undefined;
}

type MonthOfPlaybook = Pick<RunChoice, 'playbook' | 'rehearsal' | 'planHash'> & { readonly period: string };

/** Chosen from the runs of the playbook: from those that are rehearsals, or from those that are none. */
export function chosenFrom(
  candidates: readonly CandidateRun[],
  question: Omit<RunChoice, 'cluster' | 'namespace'>,
): ChosenRun {
  const runs = candidates.map(({ run }) => run);
  const choice = { ...question, period: periodFor(question, runs) };
  const isReplaced = (run: RunObject) => runs.some(({ spec }) => spec.replaces === run.name);
  const wanted = candidates
    .filter(({ run, isWanted: is }) => is && !isReplaced(run))
    .map(({ run }) => run)
    .sort(byName)
    .at(-1);
  const newest = ofMonth(choice, runs).at(-1);
  if (!choice.replace) {
    if (wanted !== undefined) return { name: wanted.name, replaces: undefined, isFormer: isBefore(wanted, choice) };
    const replaces = newest === undefined ? leftUnfinished(choice, runs)?.name : undefined;
    return { name: currentName(choice, newest), replaces, isFormer: false };
  }
  const old = wanted ?? newest?.run;
  if (old === undefined || isOver(old)) throw nothingToReplace(choice, old);
  // The same command again: this run is the one that it made.
  if (old.spec.replaces !== undefined && old.spec.planHash === choice.planHash) {
    return { name: old.name, replaces: undefined, isFormer: false };
  }
  const name = nameOf(choice, newest === undefined ? 0 : newest.number + 1);
  return { name, replaces: old.name, isFormer: false };
}

function periodFor(
  { playbook, at, isAdHoc, rehearsal }: Omit<RunChoice, 'cluster' | 'namespace'>,
  runs: readonly RunObject[],
): string {
  const unfinished =
    isAdHoc && !rehearsal
      ? runs
          .filter((run) => !isOver(run))
          .map(periodOf)
          .sort()
          .at(-1)
      : undefined;
  return unfinished ?? monthOf(at, playbook.schedule.timeZone);
}

/** '' where the name of the run is none that Turnus gives. */
function periodOf({ name, spec }: RunObject): string {
  return periodOfRun(name, spec.playbook.name) ?? '';
}

function isBefore(run: RunObject, { period }: MonthOfPlaybook): boolean {
  return periodOf(run) < period;
}

/** The newest run of an earlier month that did not come to its end. */
function leftUnfinished(choice: MonthOfPlaybook, runs: readonly RunObject[]): RunObject | undefined {
  if (choice.rehearsal) return undefined;
  return runs
    .filter((run) => !isOver(run) && !run.terminating && periodOf(run) !== '' && isBefore(run, choice))
    .sort((one, other) => periodOf(one).localeCompare(periodOf(other)) || byName(one, other))
    .at(-1);
}

function currentName(choice: MonthOfPlaybook, newest: { run: RunObject; number: number } | undefined): string {
  if (newest === undefined) return nameOf(choice, choice.rehearsal ? 1 : 0);
  const isPast = choice.rehearsal ? isFinished(newest.run) : newest.run.status.phase === 'Superseded';
  return nameOf(choice, isPast ? newest.number + 1 : newest.number);
}

function nothingToReplace(choice: MonthOfPlaybook, old: RunObject | undefined): TurnusError {
  return new TurnusError({
    code: 'nothing-to-replace',
    message:
      old === undefined
        ? `Playbook ${choice.playbook.name} has no run this month that --replace could supersede.`
        : `Run ${old.name} is ${old.status.phase}; --replace supersedes unfinished runs only.`,
    hint: 'Start it without --replace.',
  });
}

function isOver(run: RunObject): boolean {
  return run.status.phase === 'Completed' || run.status.phase === 'Superseded';
}

function byName(one: RunObject, other: RunObject): number {
  return one.name < other.name ? -1 : 1;
}

/** A rehearsal that ended is not continued, except where somebody asked for more of it. */
function isFinished(run: RunObject): boolean {
  if (openRequests(run).length > 0) return false;
  return endedRunPhases.includes(run.status.phase);
}

/** The month's runs with their numbers, the newest last. */
function ofMonth(choice: MonthOfPlaybook, runs: readonly RunObject[]): { run: RunObject; number: number }[] {
  const first = nameOf(choice, 0);
  const stem = nameOf(choice, 1).slice(0, -1);
  return runs
    .flatMap((run) => {
      if (run.name === first) return [{ run, number: 0 }];
      const number = run.name.startsWith(stem) ? Number(run.name.slice(stem.length)) : Number.NaN;
      return Number.isInteger(number) && number > 0 ? [{ run, number }] : [];
    })
    .sort((one, other) => one.number - other.number);
}

function nameOf({ playbook, period, rehearsal }: MonthOfPlaybook, number: number): string {
  return runName({ playbook: playbook.name, period, number, rehearsal });
}
