import { isDeepStrictEqual } from 'node:util';
import type { ApiFailure, ClusterPort } from '../cluster/clusterPort.js';
import { isPassing } from '../cluster/passingFailure.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import { judgeAsk, type AskAnswer, type Asking, type WrittenDesired } from './ask.js';
import { findRun } from './findRun.js';
import { runResource } from './objects.js';
import { runStateOf } from './runStateOf.js';
import type { RunState } from './state.js';

/** Tries of the write: somebody writes in between, or the API server is away for a moment. */
const attempts = 10;
const pauseMs = 1000;

export interface AskPlace {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  /** Name of the run. */
  readonly name: string;
}

/** `state`: the run on which the answer rests; for `write`, as it was just before. */
export interface JudgedAsk {
  readonly kind: 'judged';
  readonly state: RunState;
  readonly answer: AskAnswer;
}
export type PutAsk = { readonly kind: 'no-run' } | JudgedAsk;

/**
 * Judges what is asked on the run as it stands and writes it into `spec.desired`, guarded by the run's resourceVersion:
 * where somebody wrote in between, it is read and judged anew. A write whose answer was lost is looked for first.
 *
 * @throws TurnusError where the API server refuses the write or stays away
 */
export async function putAsk(place: AskPlace, asking: Asking, signal: AbortSignal): Promise<PutAsk> {
  const { cluster, clock, namespace, name } = place;
  let uncertain: { readonly judged: JudgedAsk; readonly desired: WrittenDesired } | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const found = await findRun(place, signal);
    if (found === undefined) return { kind: 'no-run' };
    const state = runStateOf(found);
    if (uncertain !== undefined && isWritten(state.spec.desired, uncertain.desired)) return uncertain.judged;
    const answer = judgeAsk(state, asking);
    const judged: JudgedAsk = { kind: 'judged', state, answer };
    if (answer.kind !== 'write') return judged;
    const { desired } = answer;
    const metadata = { resourceVersion: found.run.resourceVersion, uid: found.run.uid };
    const body = { metadata, spec: { desired: replacing(desired) } };
    const written = await cluster.patch(
      { resource: runResource, namespace, name, patch: { type: 'merge', body } },
      signal,
    );
    if (written.kind === 'ok') return judged;
    if (attempt === attempts || (written.kind !== 'conflict' && !isPassing(written))) throw notWritten(place, written);
    if (written.kind === 'conflict') continue;
    uncertain = { judged, desired };
    await clock.sleep(pauseMs, signal);
  }
}

/** What others write beside it (`overrides`) is not part of it. */
function isWritten(found: WrittenDesired | undefined, wanted: WrittenDesired): boolean {
  return found !== undefined && isDeepStrictEqual(replacing(found), replacing(wanted));
}

/** A merge patch leaves what it does not name; null takes it away (RFC 7386). */
function replacing({ state, by, reason, requests }: WrittenDesired): Readonly<Record<string, unknown>> {
  return { state, by: by ?? null, reason: reason ?? null, requests: requests ?? null };
}

function notWritten({ name }: AskPlace, failure: ApiFailure): TurnusError {
  const isRefusal = failure.kind === 'forbidden' || failure.kind === 'invalid';
  return new TurnusError({
    code: `ask-${failure.kind}`,
    message: `The API server did not let this be written into spec.desired of MaintenanceRun ${name}: ${failure.message}`,
    hint: isRefusal
      ? 'Nothing was written. docs/control.md says what is needed to ask something of a run.'
      : 'Give the same command again; where it was written after all, that one says so.',
    exitCode: isRefusal ? 2 : 1,
  });
}
