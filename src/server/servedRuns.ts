import type { ApiObject } from '../cluster/clusterPort.js';
import { openRequests } from '../run/ask.js';
import { readDesired } from '../run/desired.js';
import { periodOfRun } from '../run/identity.js';
import { isInWork } from '../run/nextTurn.js';
import { parseRun, parseTurn, type RunObject, type TurnObject } from '../run/objects.js';
import { TurnusError } from '../turnusError.js';
import type { ServedRun } from './nextDeed.js';

/** The runs of one playbook, rehearsals excepted. Objects that another version wrote are passed over. */
export function servedRuns(
  playbook: string,
  objects: { readonly runs: readonly ApiObject[]; readonly turns: readonly ApiObject[] },
): ServedRun[] {
  const runs = runsOf(objects.runs);
  const turns = objects.turns.flatMap((object) => understood(parseTurn, object));
  return runs
    .filter(({ spec }) => spec.playbook.name === playbook && !spec.rehearsal)
    .map((run) =>
      servedRun(
        run,
        turns.filter((turn) => turn.spec.run === run.name),
      ),
    );
}

/** Those that this version understands. */
export function runsOf(objects: readonly ApiObject[]): RunObject[] {
  return objects.flatMap((object) => understood(parseRun, object));
}

function servedRun(run: RunObject, turns: readonly TurnObject[]): ServedRun {
  const { name, spec, status } = run;
  const desired = readDesired(spec);
  const ids = desired.requests.map(({ id }) => id);
  return {
    name,
    period: periodOfRun(name, spec.playbook.name) ?? '',
    phase: status.phase,
    desired: desired.state,
    openRequests: openRequests(run).length,
    hasTurnInWork: turns.some(
      ({ status: turn }) => isInWork(turn.phase) || (turn.cordoned === true && turn.retryFrom !== undefined),
    ),
    asked: desired.state === 'Run' && ids.length === 0 ? '' : JSON.stringify([desired.state, ids]),
  };
}

function understood<T>(parse: (object: ApiObject) => T, object: ApiObject): T[] {
  try {
    return [parse(object)];
  } catch (error) {
    if (error instanceof TurnusError) return [];
    throw error;
  }
}
