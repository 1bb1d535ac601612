import type { Stage } from '../host/hostPort.js';

export type { Stage };

/** The moments of a turn at which a script may run, in their order. */
export const stages = ['prepare', 'leave', 'update', 'join'] as const satisfies readonly Stage[];

/** The step in which each script runs. */
export const phaseOfStage = {
  prepare: 'Preparing',
  leave: 'Draining',
  update: 'Updating',
  join: 'Verifying',
} as const satisfies Readonly<Record<Stage, string>>;
