import { nextPeriod, periodOf, startOfPeriod } from './period.js';
import type { Schedule } from './schedule.js';
import { dayMs } from './wallClock.js';
import { plannedWindows } from './windows.js';

/** A run that was begun, whatever became of it. */
export interface PastRun {
  /** `yyyy-mm` of the opening of its window. */
  readonly period: string;
  /** Nothing of it is left to be done without a person. */
  readonly isEnded: boolean;
}

/** What is to be done at an instant. */
export type Due = (
  | {
      readonly kind: 'begin';
      readonly period: string;
      /** Periods of unfinished runs, which end with it. */
      readonly supersedes: readonly string[];
    }
  | { readonly kind: 'continue'; readonly period: string }
  | {
      readonly kind: 'nothing';
      /** When something is due, as the runs are; undefined where that is never in the next ten years. */
      readonly until: number | undefined;
    }
) & {
  /** Periods since the newest run all of whose windows have passed without one. A new run ends the list. */
  readonly missed: readonly string[];
};

export interface DueRequest {
  readonly schedule: Schedule;
  readonly now: number;
  /** Of this playbook, rehearsals excepted, in any order. */
  readonly runs: readonly PastRun[];
  /** Since when runs are expected; undefined: since the newest run. Periods before count for nothing. */
  readonly since?: number | undefined;
}

/**
 * What is due depends on nothing but the request: whoever asks once in each window, however late and after whatever
 * pause or restart, gets one run for each period that has one. A period is never gone back to.
 */
export function due({ schedule, now, runs, since }: DueRequest): Due {
  const asked = schedule.windows.length === 0 ? { ...schedule, windows: [wholeMonths] } : schedule;
  const past = pastOf(runs);
  const coming = firstPart(asked, now, now);
  const missed = missedBefore({ schedule: asked, now, past, since, current: coming?.period });
  if (coming === undefined) return { kind: 'nothing', until: undefined, missed };
  const action = actionIn(coming.period, past);
  if (action !== undefined && coming.opensAt <= now) return { ...action, missed };
  if (action !== undefined) return { kind: 'nothing', until: coming.opensAt, missed };
  // The newest run has ended: its period, and those before, have nothing more.
  const next = firstPart(asked, now, startAfter(past.newest ?? coming.period, schedule.timeZone), past.newest);
  return { kind: 'nothing', until: next?.opensAt, missed };
}

/** The first stretch that is open after two instants, of a period after `after`. */
function firstPart(
  schedule: Schedule,
  now: number,
  from: number,
  after = '',
): { readonly opensAt: number; readonly period: string } | undefined {
  for (const { uncut, parts } of plannedWindows({ schedule, from: Math.max(now, from) })) {
    const part = parts.find(({ closesAt }) => closesAt > now);
    if (part === undefined) continue;
    const period = periodOf(uncut.opensAt, schedule.timeZone);
    if (period > after) return { opensAt: part.opensAt, period };
  }
  return undefined;
}

function startAfter(period: string, timeZone: string): number {
  return startOfPeriod(nextPeriod(period), timeZone);
}

/** The windows of a schedule without any: each ends where the next begins. */
const wholeMonths = { kind: 'cron', expression: '0 0 1 * *', durationMs: 32 * dayMs } as const;

interface Past {
  /** Undefined: there is no run. */
  readonly newest: string | undefined;
  /** Periods of runs that have not ended. */
  readonly unfinished: readonly string[];
}

function pastOf(runs: readonly PastRun[]): Past {
  const periods = (some: readonly PastRun[]) => [...new Set(some.map(({ period }) => period))].sort();
  return { newest: periods(runs).at(-1), unfinished: periods(runs.filter(({ isEnded }) => !isEnded)) };
}

/** What a window of this period is there for. */
function actionIn(
  period: string,
  { newest, unfinished }: Past,
):
  | { readonly kind: 'begin'; readonly period: string; readonly supersedes: readonly string[] }
  | { readonly kind: 'continue'; readonly period: string }
  | undefined {
  if (newest === undefined || period > newest) return { kind: 'begin', period, supersedes: unfinished };
  return unfinished.includes(newest) ? { kind: 'continue', period: newest } : undefined;
}

/** Periods after the newest run and before that of the window that is open or comes next. */
function missedBefore(request: {
  readonly schedule: Schedule;
  readonly now: number;
  readonly past: Past;
  readonly since: number | undefined;
  readonly current: string | undefined;
}): string[] {
  const { schedule, now, past, since, current } = request;
  const { timeZone } = schedule;
  if (past.newest === undefined && since === undefined) return [];
  if (past.newest !== undefined && current !== undefined && nextPeriod(past.newest) >= current) return [];
  const afterNewest = past.newest === undefined ? Number.NEGATIVE_INFINITY : startAfter(past.newest, timeZone);
  const from = Math.max(afterNewest, since ?? Number.NEGATIVE_INFINITY);
  const missed = new Set<string>();
  let told = Number.NEGATIVE_INFINITY;
  for (const { uncut, parts } of plannedWindows({ schedule, from })) {
    if (uncut.opensAt >= now) break;
    if (uncut.opensAt < told || !parts.some(({ closesAt }) => closesAt > from)) continue;
    const period = periodOf(uncut.opensAt, timeZone);
    if (current !== undefined && period >= current) break;
    if (period > (past.newest ?? '')) missed.add(period);
    told = startAfter(period, timeZone);
  }
  return [...missed];
}
