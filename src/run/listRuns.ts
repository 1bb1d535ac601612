import type { ApiFailure, ApiObject, ClusterPort } from '../cluster/clusterPort.js';
import { recordOf, stringOf, timeOf } from '../cluster/json.js';
import { TurnusError } from '../turnusError.js';
import { parseRun, parseTurn, runFinalizer, runLabel, runResource, turnResource } from './objects.js';
import { runStateOf } from './runStateOf.js';
import type { RunState } from './state.js';

/** A run as a list of runs names it. */
export interface ListedRun {
  readonly name: string;
  readonly phase: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** A turn of it is in work, or was when its actor died. */
  readonly isInWork: boolean;
  readonly object: ApiObject;
}

interface Place {
  readonly cluster: ClusterPort;
  readonly namespace: string;
}

/** All runs, the one in work first, then the newest first. Objects that cannot be understood are named all the same. */
export async function listAllRuns(place: Place, signal: AbortSignal): Promise<ListedRun[]> {
  const { cluster, namespace } = place;
  const listed = await cluster.list({ resource: runResource, namespace }, signal);
  if (listed.kind !== 'ok') throw readFailure(listed, `the MaintenanceRuns in namespace ${namespace}`);
  return listed.value.items
    .map((object) => ({
      name: object.metadata.name ?? '',
      phase: stringOf(recordOf(object['status'])['phase']) ?? 'Planned',
      createdAt: timeOf(object.metadata.creationTimestamp) ?? 0,
      isInWork: object.metadata.finalizers?.includes(runFinalizer) ?? false,
      object,
    }))
    .sort(
      (one, other) =>
        Number(other.isInWork) - Number(one.isInWork) ||
        other.createdAt - one.createdAt ||
        other.name.localeCompare(one.name),
    );
}

/** A listed run with its turns. */
export async function readRunState(place: Place & { run: ListedRun }, signal: AbortSignal): Promise<RunState> {
  const { cluster, namespace } = place;
  const run = parseRun(place.run.object);
  const listed = await cluster.list(
    { resource: turnResource, namespace, labelSelector: `${runLabel}=${run.name}` },
    signal,
  );
  if (listed.kind !== 'ok') throw readFailure(listed, `the NodeTurns of run ${run.name}`);
  return runStateOf({ run, turns: listed.value.items.map(parseTurn) });
}

/** What somebody who only looks hears when the API server does not answer. */
export function readFailure(failure: ApiFailure, what: string): TurnusError {
  const isForbidden = failure.kind === 'forbidden';
  return new TurnusError({
    code: `read-${failure.kind}`,
    message: `The API server does not show ${what}: ${failure.message}`,
    hint: isForbidden
      ? 'Looking needs the ClusterRole turnus-view (see docs/install.md).'
      : 'Try again once the API server answers.',
    exitCode: isForbidden ? 2 : 1,
  });
}
