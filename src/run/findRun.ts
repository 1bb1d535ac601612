import type { ClusterPort } from '../cluster/clusterPort.js';
import { newRun, parseRun, parseTurn, runLabel, runResource, turnResource } from './objects.js';
import type { RunObject, TurnObject } from './objects.js';
import type { RunSpec } from './state.js';
import { required } from './stateWrite.js';

interface RunPlace {
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly name: string;
}

/** The run with this name and its turns; undefined where there is none. */
export async function findRun(
  place: RunPlace,
  signal: AbortSignal,
): Promise<{ run: RunObject; turns: TurnObject[] } | undefined> {
  const { cluster, namespace, name } = place;
  const answer = await cluster.get({ resource: runResource, namespace, name }, signal);
  if (answer.kind === 'not-found') return undefined;
  const run = parseRun(required(answer, `read MaintenanceRun ${name}`));
  const listed = await cluster.list(
    { resource: turnResource, namespace, labelSelector: `${runLabel}=${name}` },
    signal,
  );
  const turns = required(listed, `list the NodeTurns of ${name}`)
    .items.map(parseTurn)
    .filter((turn) => turn.spec.run === run.name);
  return { run, turns };
}

/** Creates the run. */
export async function createRun(place: RunPlace & { spec: RunSpec }, signal: AbortSignal): Promise<RunObject> {
  const { cluster, namespace, name, spec } = place;
  const object = newRun({ name, namespace, spec });
  const answer = await cluster.create({ resource: runResource, namespace, object }, signal);
  return parseRun(required(answer, `create MaintenanceRun ${name}`));
}

/** Every run whose name begins so, for the numbers of rehearsals. */
export async function listRuns(
  place: { cluster: ClusterPort; namespace: string; prefix: string },
  signal: AbortSignal,
): Promise<RunObject[]> {
  const answer = await place.cluster.list({ resource: runResource, namespace: place.namespace }, signal);
  return required(answer, 'list the MaintenanceRuns')
    .items.filter((object) => object.metadata.name?.startsWith(place.prefix))
    .map(parseRun);
}
