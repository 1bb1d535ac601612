import type { RunSpec } from './state.js';

/** What people can want of a run as a whole (`spec.desired.state`). */
export const desiredStates = ['Run', 'Pause', 'Abort', 'AbortNow'] as const;
export type DesiredState = (typeof desiredStates)[number];

/** What people can ask for once (`spec.desired.requests[].verb`). */
export const requestVerbs = ['retry', 'retry-again', 'skip', 'accept', 'resume'] as const;
export type RequestVerb = (typeof requestVerbs)[number];

/** A request as it was written, by whichever machine. */
export type WrittenRequest = NonNullable<NonNullable<RunSpec['desired']>['requests']>[number];

/** `spec.desired`, read with distrust: anybody may have edited it by hand. */
export interface Desired {
  readonly state: DesiredState;
  /** Who asked for the state; undefined where it is not said. */
  readonly by: string | undefined;
  readonly reason: string | undefined;
  readonly requests: readonly WrittenRequest[];
  /** What in it is nonsense, one sentence each; [] where all of it is understood. */
  readonly problems: readonly string[];
}

/**
 * What is wanted of the run. A state that is none counts as Pause: whoever wrote it wanted something else than Run, and
 * nothing is begun on a guess.
 */
export function readDesired(spec: Pick<RunSpec, 'desired'>): Desired {
  const { desired } = spec;
  const state = desiredStates.find((known) => known === (desired?.state ?? 'Run'));
  const requests = desired?.requests ?? [];
  const ids = requests.map(({ id }) => id);
  const problems = [
    ...(state === undefined
      ? [
          `spec.desired.state is ${JSON.stringify(desired?.state)}, which is none of ${desiredStates.join(', ')}; it counts as Pause.`,
        ]
      : []),
    ...[...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))].map(
      (id) => `spec.desired.requests holds id ${JSON.stringify(id)} more than once; only the first counts.`,
    ),
    ...(ids.includes('') ? ['A request in spec.desired.requests has an empty id and is never answered.'] : []),
  ];
  return {
    state: state ?? 'Pause',
    by: desired?.by,
    reason: desired?.reason,
    requests: requests.filter(({ id }, place) => id !== '' && ids.indexOf(id) === place),
    problems,
  };
}
