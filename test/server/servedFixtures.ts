import type { Trigger } from '../../src/run/trigger.js';
import type { ServedPlaybook, ServedRun } from '../../src/server/acts/nextDeed.js';

const hourMs = 3_600_000;

/** The second Tuesday, 22:00 to 04:00 UTC. */
export const secondTuesday = {
  timeZone: 'UTC',
  windows: [{ kind: 'cron' as const, expression: '0 22 * * 2#2', durationMs: 6 * hourMs }],
  freezes: [],
};

export function served(change: Partial<ServedPlaybook> = {}): ServedPlaybook {
  return {
    name: 'monthly',
    schedule: secondTuesday,
    nextSchedule: undefined,
    version: 'v1',
    runs: [],
    lastRun: undefined,
    trigger: undefined,
    over: undefined,
    attempts: [],
    ...change,
  };
}

/** A trigger that starts a run, or goes on with one, whenever somebody serves. */
export const trigger: Trigger = {
  id: 't1',
  by: 'anna',
  reason: 'urgent',
  overrideFreezes: [],
  replace: false,
  startBefore: undefined,
};

/** A run of November 2026 of which nobody has asked anything. */
export function servedRun(change: Partial<ServedRun> = {}): ServedRun {
  return {
    name: 'monthly-2026-11',
    period: '2026-11',
    phase: 'Running',
    isStopped: false,
    desired: 'Run',
    openRequests: 0,
    hasTurnInWork: false,
    asked: '',
    trigger: undefined,
    ...change,
  };
}
