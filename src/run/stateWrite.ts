import type { ApiAnswer, ApiFailure, ApiObject, ClusterPort, Resource } from '../cluster/clusterPort.js';
import { LeaseLost } from '../cluster/heldLease.js';
import { isPassing } from '../cluster/passingFailure.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import type { RunObject, TurnObject } from './objects.js';

/** Tries and pauses of a status write: longer than a restart of the API server, bounded by the lease's fence. */
const writeAttempts = 60;
const writePauseMs = 1000;

export interface StateWriter {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  /** Identity of this process. */
  readonly actor: string;
}

interface StatusWrite<T> {
  readonly resource: Resource;
  readonly kind: string;
  readonly current: T;
  readonly parse: (object: ApiObject) => T;
  /** Makes the object anew where somebody has deleted it; absent: that is a failure. */
  readonly createAgain?: () => Promise<T>;
}

/**
 * Writes a status, guarded by the object's resourceVersion. A conflict is answered by reading again, because a person
 * may have written `spec.desired` in between; a status that another actor has taken over is never overwritten
 * (throws LeaseLost). A NodeTurn that somebody deleted is made anew: what it said is known here.
 */
export async function writeStatus<T extends RunObject | TurnObject>(
  writer: StateWriter,
  write: StatusWrite<T> & { status: T['status'] },
  signal: AbortSignal,
): Promise<T> {
  const { cluster, clock, namespace, actor } = writer;
  const what = `write the status of ${write.kind} ${write.current.name}`;
  const status = { ...write.status, actor };
  let { current } = write;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await cluster.patch(
      {
        resource: write.resource,
        namespace,
        name: current.name,
        subresource: 'status',
        patch: {
          type: 'json',
          operations: [
            { op: 'test', path: '/metadata/resourceVersion', value: current.resourceVersion },
            { op: 'add', path: '/status', value: status },
          ],
        },
      },
      signal,
    );
    if (answer.kind === 'ok') {
      // Nothing else has changed: the write was made on this very version.
      const { resourceVersion = '' } = answer.value.metadata;
      return { ...current, resourceVersion, status };
    }
    if (answer.kind === 'not-found' && write.createAgain !== undefined && attempt < writeAttempts) {
      current = await write.createAgain();
      continue;
    }
    if (!mayPass(answer) || attempt === writeAttempts) throw stateFailure(answer, what);
    if (attempt > 1) await clock.sleep(writePauseMs, signal);
    const read = await cluster.get({ resource: write.resource, namespace, name: current.name }, signal);
    if (read.kind === 'ok') current = write.parse(read.value);
    else if (read.kind === 'not-found' && write.createAgain !== undefined) continue;
    else if (!mayPass(read)) throw stateFailure(read, what);
    const owner = current.status.actor;
    if (owner !== undefined && owner !== write.current.status.actor && owner !== actor) {
      throw new LeaseLost(`${owner} has taken over ${write.kind} ${current.name}`);
    }
  }
}

/** The value, or a TurnusError that says what could not be done. */
export function required<T>(answer: ApiAnswer<T>, what: string): T {
  if (answer.kind === 'ok') return answer.value;
  throw stateFailure(answer, what);
}

export function stateFailure(failure: ApiFailure, what: string): TurnusError {
  return new TurnusError({
    code: `state-${failure.kind}`,
    message: `The API server did not let Turnus ${what}: ${failure.message}`,
    hint: 'Nothing is done without a record. Start the same command again once the API server answers.',
    exitCode: 1,
  });
}

/** A failure that the next try may not meet: somebody wrote in between, or the API server is away for a moment. */
function mayPass(failure: ApiFailure): boolean {
  return failure.kind === 'conflict' || failure.kind === 'invalid' || isPassing(failure);
}
