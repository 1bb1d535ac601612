import { openRequests } from './ask.js';
import { isCarriedOver } from './carryOver.js';
import type { RunObject } from './objects.js';
import { endedRunPhases } from './state.js';

/** A run in the cluster, and when it was made there. */
export interface KeptRun {
  readonly run: RunObject;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface RetentionChoice {
  readonly runs: readonly KeptRun[];
  /** Name of the playbook whose runs are meant. */
  readonly playbook: string;
  /** How many ended runs are kept, and as many rehearsals. */
  readonly limit: number;
  /** The run that has just been acted on. */
  readonly current: string;
  /** The runs whose cordons stand on nodes. */
  readonly cordoning: ReadonlySet<string>;
}

/**
 * The ended runs of a playbook that are older than the newest `limit`, the oldest first; rehearsals are counted by
 * themselves. A run stays, however old, that something holds or waits for, whose cordon stands on a node, or that
 * another run replaces which stays: while that one has not ended, and where both are of one month, of which each tells a
 * part.
 */
export function runsToDelete(choice: RetentionChoice): RunObject[] {
  const ended = choice.runs
    .filter(({ run }) => run.spec.playbook.name === choice.playbook && endedRunPhases.includes(run.status.phase))
    .sort(byAge);
  const old = [true, false].flatMap((rehearsal) => {
    const counted = ended.filter(({ run }) => run.spec.rehearsal === rehearsal);
    return counted.slice(0, Math.max(0, counted.length - choice.limit));
  });
  const deleted = new Set(old.map(({ run }) => run).filter((run) => mayGo(run, choice)));
  for (let named = namedByKept(choice, deleted); named !== undefined; named = namedByKept(choice, deleted)) {
    deleted.delete(named);
  }
  return [...deleted];
}

function mayGo(run: RunObject, { current, cordoning }: RetentionChoice): boolean {
  return (
    run.name !== current &&
    !run.terminating &&
    run.finalizers.length === 0 &&
    openRequests(run).length === 0 &&
    !cordoning.has(run.name)
  );
}

/** One of the runs to be deleted that is replaced by a run that stays. */
function namedByKept({ runs }: RetentionChoice, deleted: ReadonlySet<RunObject>): RunObject | undefined {
  const kept = runs.map(({ run }) => run).filter((run) => !deleted.has(run) && run.spec.replaces !== undefined);
  const needs = (run: RunObject): string | undefined =>
    isCarriedOver({ name: run.name, replaces: run.spec.replaces }, run.spec.playbook.name) &&
    endedRunPhases.includes(run.status.phase)
      ? undefined
      : run.spec.replaces;
  const needed = new Set(kept.map(needs));
  return [...deleted].find(({ name }) => needed.has(name));
}

/** The oldest first. Runs of the same second are told apart by their numbers: `-x2` comes before `-x10`. */
function byAge(one: KeptRun, other: KeptRun): number {
  return one.createdAt - other.createdAt || one.run.name.localeCompare(other.run.name, 'en', { numeric: true });
}
