import type { ApiObject, ClusterPort, Resource } from '../cluster/clusterPort.js';
import { timeOf } from '../cluster/json.js';
import { listObjects } from '../cluster/listObjects.js';
import { TurnusError } from '../turnusError.js';
import type { RecordedRun } from './completedTurn.js';
import { readFailure } from './listRuns.js';
import { parseRun, parseTurn, runResource, turnResource } from './objects.js';

/** What the runs in a cluster have recorded. */
export interface Records {
  /** The newest first. */
  readonly runs: readonly (RecordedRun & { readonly snapshot: string })[];
  /** Objects that another version of Turnus wrote in a way that this one does not know, one sentence each. */
  readonly notUnderstood: readonly string[];
}

/** Reads every run and every turn. */
export async function readRecords(
  place: { readonly cluster: ClusterPort; readonly namespace: string },
  signal: AbortSignal,
): Promise<Records> {
  // Turns last: they are never older than the runs beside them.
  const runs = understood(await listed({ ...place, resource: runResource }, signal), parseRun);
  const turns = understood(await listed({ ...place, resource: turnResource }, signal), parseTurn);
  const turnsOf = new Map(runs.values.map(({ value }) => [value.name, [] as RecordedRun['turns'][number][]]));
  for (const { value, createdAt } of turns.values) {
    const { run, node, nodeUid } = value.spec;
    turnsOf.get(run)?.push({ node, nodeUid, createdAt, status: value.status });
  }
  return {
    runs: runs.values
      .map(({ value: { name, spec, status }, createdAt }) => ({
        name,
        playbook: spec.playbook.name,
        snapshot: spec.playbook.snapshot,
        rehearsal: spec.rehearsal,
        createdAt,
        phase: status.phase,
        order: status.order ?? [],
        turns: turnsOf.get(name) ?? [],
      }))
      .sort(byAge),
    notUnderstood: [...runs.notUnderstood, ...turns.notUnderstood],
  };
}

/** The newest first. Of those of one second, `-x10` before `-x2`. */
function byAge(one: RecordedRun, other: RecordedRun): number {
  return other.createdAt - one.createdAt || other.name.localeCompare(one.name, 'en', { numeric: true });
}

async function listed(
  request: { readonly cluster: ClusterPort; readonly namespace: string; readonly resource: Resource },
  signal: AbortSignal,
): Promise<readonly ApiObject[]> {
  const answer = await listObjects(request, signal);
  if (answer.kind !== 'ok')
    throw readFailure(answer, `the ${request.resource.plural} in namespace ${request.namespace}`);
  return answer.value;
}

function understood<T>(
  objects: readonly ApiObject[],
  parse: (object: ApiObject) => T,
): { values: { value: T; createdAt: number }[]; notUnderstood: string[] } {
  const values: { value: T; createdAt: number }[] = [];
  const notUnderstood: string[] = [];
  for (const object of objects) {
    try {
      values.push({ value: parse(object), createdAt: timeOf(object.metadata.creationTimestamp) ?? 0 });
    } catch (error) {
      if (!(error instanceof TurnusError)) throw error;
      notUnderstood.push(error.message);
    }
  }
  return { values, notUnderstood };
}
