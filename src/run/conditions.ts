import type { RunStatus, TurnStatus } from './state.js';

type Conditions = NonNullable<RunStatus['conditions']>;

/** For `kubectl wait --for=condition=Completed` and the like: each type is True in the phase of its name. */
const runTypes = ['Completed', 'Failed'] as const;
const turnTypes = ['Done', 'Failed', 'Blocked'] as const;

export function runConditions(status: RunStatus, now: string): Conditions {
  return conditions(runTypes, status, now);
}

export function turnConditions(status: TurnStatus, now: string): Conditions {
  return conditions(turnTypes, status, now);
}

function conditions(types: readonly string[], status: RunStatus | TurnStatus, now: string): Conditions {
  return types.map((type) => {
    const value = status.phase === type ? 'True' : 'False';
    const before = status.conditions?.find((condition) => condition.type === type);
    return {
      type,
      status: value,
      reason: status.phase,
      message: status.message ?? '',
      lastTransitionTime: before?.status === value ? before.lastTransitionTime : now,
    };
  });
}
