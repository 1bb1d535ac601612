import type { ApiObject } from '../../cluster/clusterPort.js';
import { recordOf, stringOf } from '../../cluster/json.js';
import type { NodesPolicy } from '../../playbook/playbook.js';
import { openRequests } from '../../run/ask.js';
import { readDesired } from '../../run/desired.js';
import { periodOfRun } from '../../run/identity.js';
import { isInWork } from '../../run/nextTurn.js';
import { parseRun, type RunObject } from '../../run/objects.js';
import type { TurnPhase } from '../../run/state.js';
import { mustStop } from '../../run/stopRule.js';
import { TurnusError } from '../../turnusError.js';
import type { UnfinishedRun } from './inForce.js';
import { isOver, type ServedRun } from '../acts/nextDeed.js';

/** What is in Turnus' own namespace, as it stands there. */
export interface RecordedObjects {
  readonly runs: readonly ApiObject[];
  readonly turns: readonly ApiObject[];
}

/** The runs of one playbook, rehearsals excepted. Objects that another version wrote are passed over. */
export function servedRuns(
  { name: playbook, nodes }: { readonly name: string; readonly nodes: StopPolicy },
  objects: RecordedObjects,
): ServedRun[] {
  const inWork = runsInWork(objects.turns);
  return ofPlaybook(playbook, runsOf(objects.runs)).map((run) => ({
    name: run.name,
    period: periodOfRun(run.name, playbook) ?? '',
    isStopped: isStopped(run, { turns: objects.turns, policy: nodes }),
    phase: run.status.phase,
    desired: readDesired(run.spec).state,
    openRequests: openRequests(run).length,
    hasTurnInWork: inWork.has(run.name),
    asked: askedOf(run.spec),
    trigger: run.spec.trigger,
  }));
}

type StopPolicy = Pick<NodesPolicy, 'canaries' | 'stopAfterFailures'>;

/**
 * A run ends as Failed with any turn that failed: below the playbook's limit, and where a person has let the failures
 * stand, the other nodes have their turns all the same.
 */
function isStopped(
  { name, status }: RunObject,
  { turns, policy }: { readonly turns: readonly ApiObject[]; readonly policy: StopPolicy },
): boolean {
  if (status.phase !== 'Failed') return false;
  const own = turns.flatMap((turn) => {
    const { run, node } = recordOf(turn['spec']);
    const { phase, acknowledgedBy } = recordOf(turn['status']);
    const isCounted = phase === 'Failed' && acknowledgedBy === undefined;
    return run === name ? [{ node: stringOf(node) ?? '', phase: stringOf(phase) ?? 'Pending', isCounted }] : [];
  });
  const failed = own.flatMap(({ node, isCounted }) => (isCounted ? [node] : []));
  return mustStop({ failed, order: status.order ?? [], policy }) || !own.some(({ phase }) => isToCome.has(phase));
}

const isToCome: ReadonlySet<string> = new Set<TurnPhase>(['Pending', 'Deferred', 'Blocked']);

/**
 * Those of {@link servedRuns} that have not come to their end, as far as they decide about what is in force: one that
 * another supersedes does not any more, though that may not have taken over all that it left.
 */
export function unfinishedRuns(playbook: string, objects: RecordedObjects): UnfinishedRun[] {
  const inWork = runsInWork(objects.turns);
  const all = ofPlaybook(playbook, runsOf(objects.runs));
  const superseded = new Set(all.flatMap(({ spec }) => spec.replaces ?? []));
  return all
    .filter(({ name, status }) => !isOver(status) && !superseded.has(name))
    .map((run) => ({
      name: run.name,
      period: periodOfRun(run.name, playbook) ?? '',
      planHash: run.spec.planHash,
      isWanted:
        inWork.has(run.name) || openRequests(run).some(({ verb }) => verb === 'retry' || verb === 'retry-again'),
    }));
}

/** What people have asked of a run so far: another text whenever they ask for something else; '' where it is nothing. */
export function askedOf(spec: RunObject['spec']): string {
  const { state, requests } = readDesired(spec);
  return state === 'Run' && requests.length === 0 ? '' : JSON.stringify([state, requests.map(({ id }) => id)]);
}

/** Those that this version understands. */
export function runsOf(objects: readonly ApiObject[]): RunObject[] {
  return objects.flatMap((object) => {
    try {
      return [parseRun(object)];
    } catch (error) {
      if (error instanceof TurnusError) return [];
      throw error;
    }
  });
}

/**
 * Names of runs with a turn that waits for no window (chooseRun.ts). Asked at every change of a turn, and so of what is
 * written there without parsing the whole.
 */
export function runsInWork(turns: readonly ApiObject[]): ReadonlySet<string> {
  return new Set(
    turns.flatMap((turn) => {
      const { phase, cordoned, retryFrom } = recordOf(turn['status']);
      const isUnderWay = isInWork(stringOf(phase) ?? 'Pending') || (cordoned === true && retryFrom !== undefined);
      return isUnderWay ? (stringOf(recordOf(turn['spec'])['run']) ?? []) : [];
    }),
  );
}

/** The runs of the playbook, rehearsals excepted. */
export function ofPlaybook(playbook: string, runs: readonly RunObject[]): RunObject[] {
  return runs.filter(({ spec }) => spec.playbook.name === playbook && !spec.rehearsal);
}
