import { readDesired } from './desired.js';
import type { RunSpec, RunStatus, TurnStatus } from './state.js';

type Conditions = NonNullable<RunStatus['conditions']>;

/** For `kubectl wait --for=condition=Completed` and the like: each type is True in the phase of its name. */
const runTypes = ['Completed', 'Failed', 'Paused', 'Aborted'] as const;
const turnTypes = ['Done', 'Failed', 'Blocked'] as const;

/** `DesiredInvalid` says what of `spec.desired` is nonsense. */
export function runConditions(status: RunStatus, spec: Pick<RunSpec, 'desired'>, now: string): Conditions {
  const { problems } = readDesired(spec);
  const isInvalid = problems.length > 0;
  return [
    ...conditions(runTypes, status, now),
    condition(status, {
      type: 'DesiredInvalid',
      value: isInvalid,
      reason: isInvalid ? 'NotUnderstood' : 'Understood',
      message: problems.join(' '),
      now,
    }),
  ];
}

export function turnConditions(status: TurnStatus, now: string): Conditions {
  return conditions(turnTypes, status, now);
}

function conditions(types: readonly string[], status: RunStatus | TurnStatus, now: string): Conditions {
  return types.map((type) =>
    condition(status, {
      type,
      value: status.phase === type,
      reason: status.phase,
      message: status.message ?? '',
      now,
    }),
  );
}

function condition(
  status: RunStatus | TurnStatus,
  is: { type: string; value: boolean; reason: string; message: string; now: string },
): Conditions[number] {
  const value = is.value ? 'True' : 'False';
  const before = status.conditions?.find(({ type }) => type === is.type);
  return {
    type: is.type,
    status: value,
    reason: is.reason,
    message: is.message,
    lastTransitionTime: before?.status === value ? before.lastTransitionTime : is.now,
  };
}
