import { stateAt, type ScheduleState } from './decide.js';
import { freezeSpans, type FreezeSpan } from './freezes.js';
import { periodOf } from './period.js';
import type { Schedule } from './schedule.js';
import type { UncutWindow } from './uncutWindows.js';
import { dayMs } from './wallClock.js';
import { plannedWindows, withRemarks, type Window } from './windows.js';

/** What a schedule comes to from an instant on. */
export interface ComingWindows {
  readonly now: number;
  readonly state: ScheduleState;
  /** In their order, those that freezes cover too. */
  readonly windows: readonly ComingWindow[];
  /** That hold between `now` and the close of the last of the windows; without windows, in the year to come. */
  readonly freezes: readonly FreezeSpan[];
}

export interface ComingWindow {
  /** `yyyy-mm` of its opening: the month of the run. */
  readonly period: string;
  readonly uncut: UncutWindow;
  /** What is open of it; empty where freezes cover it. */
  readonly parts: readonly Window[];
  readonly freezes: readonly FreezeSpan[];
}

/** The next windows, at most `count`, of which the first may be open. */
export function comingWindows({
  schedule,
  now,
  count,
}: {
  readonly schedule: Schedule;
  readonly now: number;
  readonly count: number;
}): ComingWindows {
  const windows: ComingWindow[] = [];
  for (const { uncut, parts, freezes } of plannedWindows({ schedule, from: now })) {
    if (windows.length >= count) break;
    const left = parts.filter(({ closesAt }) => closesAt > now);
    // What is past of a window that is frozen from here on is no coming window.
    if (parts.length > 0 && left.length === 0) continue;
    const open = left.map((part) => withRemarks(part, uncut, schedule.timeZone));
    windows.push({ period: periodOf(uncut.opensAt, schedule.timeZone), uncut, parts: open, freezes });
  }
  const until = windows.at(-1)?.uncut.closesAt ?? now + 366 * dayMs;
  return { now, state: stateAt({ schedule, now }), windows, freezes: freezeSpans({ schedule, from: now, until }) };
}
