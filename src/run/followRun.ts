import { Background } from '../cluster/background.js';
import { ChangeSignal } from '../cluster/changeSignal.js';
import type { ApiFailure, ApiObject, ClusterPort, Resource } from '../cluster/clusterPort.js';
import { followResource, type FollowedResource } from '../cluster/followResource.js';
import { orAborted } from '../cluster/orAborted.js';
import { WatchedResource } from '../cluster/watchedResource.js';
import type { Clock } from '../time/clock.js';
import { readFailure } from './listRuns.js';
import { parseRun, parseTurn, runLabel, runResource, turnResource } from './objects.js';
import { runStateOf } from './runStateOf.js';
import { endedRunPhases, type RunState } from './state.js';

export interface FollowRun {
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly name: string;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Hears the state at the beginning and after each change; the last time at the end of the run. */
  readonly onChange: (state: RunState) => void;
  /** Why what is shown may be old; undefined: it is current again. */
  readonly onProblem?: (failure: ApiFailure | undefined) => void;
}

export type RunFollowed = { readonly kind: 'ended'; readonly state: RunState } | { readonly kind: 'deleted' };

/**
 * Follows a run that somebody else takes to its end, with reading rights alone, until it has ended or is gone. Rejects
 * with the signal's reason, and with a TurnusError where its objects may not be read.
 */
export async function followRun(options: FollowRun): Promise<RunFollowed> {
  const { namespace, name, signal } = options;
  const background = new Background(signal);
  const changes = new ChangeSignal();
  const runs = watched(runResource, { namespace, fieldSelector: `metadata.name=${name}` }, parseRun);
  const turns = watched(turnResource, { namespace, labelSelector: `${runLabel}=${name}` }, parseTurn);
  const problems = new Map<FollowedResource, ApiFailure>();
  const follow = (followed: FollowedResource) =>
    new Promise<ApiFailure | undefined>((resolve) => {
      background.run(
        followResource({
          ...options,
          followed,
          signal: background.signal,
          onFirstList: resolve,
          onChange: () => {
            changes.changed();
          },
          onHealth: (failure) => {
            tellProblem(options, { problems, followed, failure });
          },
        }),
      );
    });

  let uid: string | undefined;
  const current = (): RunState | undefined => {
    const [run] = runs.store.snapshot().values();
    uid ??= run?.uid;
    if (run === undefined || run.uid !== uid) return undefined;
    return runStateOf({ run, turns: [...turns.store.snapshot().values()] });
  };

  try {
    for (const failure of await orAborted(Promise.all([follow(runs), follow(turns)]), background.signal)) {
      if (failure !== undefined) throw readFailure(failure, `the objects of run ${name}`);
    }
    for (;;) {
      const { version } = changes;
      const state = current();
      if (state === undefined) return { kind: 'deleted' };
      // The two watches do not come in step: at the end both are read once more.
      const last = endedRunPhases.includes(state.status.phase)
        ? await reread(options, state, background.signal)
        : undefined;
      options.onChange(last ?? state);
      if (last !== undefined && endedRunPhases.includes(last.status.phase)) return { kind: 'ended', state: last };
      await changes.after(version, background.signal);
    }
  } finally {
    await background.close(new Error(`run ${name} is no longer followed`));
  }
}

function watched<T>(
  resource: Resource,
  scope: NonNullable<FollowedResource['scope']>,
  parse: (object: ApiObject) => T,
): WatchedResource<T> {
  return new WatchedResource({ resource, scope, parse, scopeOf: () => undefined });
}

/** Tells only what is new. */
function tellProblem(
  { onProblem }: FollowRun,
  told: { problems: Map<FollowedResource, ApiFailure>; followed: FollowedResource; failure: ApiFailure | undefined },
): void {
  const { problems, followed, failure } = told;
  const before = problems.get(followed);
  if (failure === undefined) problems.delete(followed);
  else problems.set(followed, failure);
  if (failure?.message !== before?.message && (failure !== undefined || problems.size === 0)) onProblem?.(failure);
}

/** The state as it stands now; the one that is known where it cannot be read. */
async function reread(
  { cluster, namespace, name }: FollowRun,
  known: RunState,
  signal: AbortSignal,
): Promise<RunState> {
  const run = await cluster.get({ resource: runResource, namespace, name }, signal);
  const listed = await cluster.list(
    { resource: turnResource, namespace, labelSelector: `${runLabel}=${name}` },
    signal,
  );
  if (run.kind !== 'ok' || listed.kind !== 'ok') return known;
  return runStateOf({ run: parseRun(run.value), turns: listed.value.items.map(parseTurn) });
}
