import type { ClusterPort } from '../cluster/clusterPort.js';
import type { Playbook } from '../playbook/playbook.js';
import { TurnusError } from '../turnusError.js';
import { openRequests } from './ask.js';
import { listRuns } from './findRun.js';
import { runName } from './identity.js';
import { runFinalizer, type RunObject } from './objects.js';

/** The run that a call begins or continues. */
export interface ChosenRun {
  readonly name: string;
  /** The unfinished run that it supersedes; undefined without `--replace`. */
  readonly replaces: string | undefined;
}

export interface RunChoice {
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly playbook: Pick<Playbook, 'name' | 'schedule'>;
  readonly now: number;
  readonly rehearsal: boolean;
  /** `run --replace`: the unfinished run gives way to a new one. */
  readonly replace: boolean;
}

/**
 * The run of this playbook with a turn in work, whatever month it is from, else the month's newest. Rehearsals are
 * numbered: the newest is continued while it is unfinished.
 *
 * @throws TurnusError `nothing-to-replace`
 */
export async function chooseRun(choice: RunChoice, signal: AbortSignal): Promise<ChosenRun> {
  const { cluster, namespace, playbook, rehearsal } = choice;
  const listed = await listRuns({ cluster, namespace, prefix: `${playbook.name}-` }, signal);
  const runs = listed.filter(({ spec }) => spec.playbook.name === playbook.name && spec.rehearsal === rehearsal);
  return chosenFrom(runs, choice);
}

/** Chosen from the runs of the playbook: from those that are rehearsals, or from those that are none. */
export function chosenFrom(runs: readonly RunObject[], choice: MonthOfPlaybook & { replace: boolean }): ChosenRun {
  return choice.replace ? replacement(choice, runs) : { name: currentName(choice, runs), replaces: undefined };
}

type MonthOfPlaybook = Pick<RunChoice, 'playbook' | 'now' | 'rehearsal'>;

function currentName(choice: MonthOfPlaybook, runs: readonly RunObject[]): string {
  const inWork = runs.find(isInWork);
  if (inWork !== undefined) return inWork.name;
  const numbered = ofMonth(choice, runs);
  const newest = numbered.at(-1);
  if (newest === undefined) return nameOf(choice, choice.rehearsal ? 1 : 0);
  const isOver = choice.rehearsal ? isFinished(newest.run) : newest.run.status.phase === 'Superseded';
  return nameOf(choice, isOver ? newest.number + 1 : newest.number);
}

function replacement(choice: MonthOfPlaybook, runs: readonly RunObject[]): ChosenRun {
  const newest = ofMonth(choice, runs).at(-1);
  const old = runs.find(isInWork) ?? newest?.run;
  if (old === undefined || old.status.phase === 'Completed' || old.status.phase === 'Superseded') {
    throw new TurnusError({
      code: 'nothing-to-replace',
      message:
        old === undefined
          ? `Playbook ${choice.playbook.name} has no run this month that --replace could supersede.`
          : `Run ${old.name} is ${old.status.phase}; --replace supersedes unfinished runs only.`,
      hint: 'Start it without --replace.',
    });
  }
  return { name: nameOf(choice, newest === undefined ? 0 : newest.number + 1), replaces: old.name };
}

function isInWork(run: RunObject): boolean {
  return run.finalizers.includes(runFinalizer);
}

/** A rehearsal that ended is not continued, except where somebody asked for more of it. */
function isFinished(run: RunObject): boolean {
  if (openRequests(run).length > 0) return false;
  return ['Completed', 'Failed', 'Aborted', 'Superseded'].includes(run.status.phase);
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

function nameOf(choice: MonthOfPlaybook, number: number): string {
  const { playbook, now, rehearsal } = choice;
  const name = runName({
    playbook: playbook.name,
    at: now,
    timeZone: playbook.schedule.timeZone,
    rehearsal: undefined,
  });
  if (rehearsal) return `${name}-rehearsal-${String(number)}`;
  return number === 0 ? name : `${name}-x${String(number)}`;
}
