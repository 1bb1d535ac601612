import { freezeSpans, joinFreezes } from './freezes.js';
import type { Schedule } from './schedule.js';
import { plannedWindows, withRemarks, type Window } from './windows.js';
import { dayMs } from './wallClock.js';

/** Whether turns may start. */
export type ScheduleState =
  /** In a window, until it closes. */
  | { readonly kind: 'open'; readonly window: Window }
  /** The schedule has no windows: open until the next freeze, or without an end where none begins within two years. */
  | { readonly kind: 'always'; readonly closesAt: number | undefined; readonly endedBy: string | undefined }
  | {
      readonly kind: 'closed';
      /** When it is open again; undefined where that is never in the next ten years. */
      readonly opensAt: number | undefined;
      /** The window that opens then; undefined where the schedule has none. */
      readonly next: Window | undefined;
      /** The freeze but for which it would be open. */
      readonly frozenBy: string | undefined;
    };

/** What the schedule says at this instant. */
export function stateAt({ schedule, now }: { readonly schedule: Schedule; readonly now: number }): ScheduleState {
  if (schedule.windows.length === 0) return stateWithoutWindows(schedule, now);
  let frozenBy: string | undefined;
  for (const { uncut, parts, freezes } of plannedWindows({ schedule, from: now })) {
    if (uncut.opensAt <= now) frozenBy = freezes.find(({ from, until }) => from <= now && now < until)?.name;
    const part = parts.find(({ closesAt }) => closesAt > now);
    if (part === undefined) continue;
    const window = withRemarks(part, uncut, schedule.timeZone);
    if (window.opensAt <= now) return { kind: 'open', window };
    return { kind: 'closed', opensAt: window.opensAt, next: window, frozenBy };
  }
  return { kind: 'closed', opensAt: undefined, next: undefined, frozenBy };
}

const twoYearsMs = 2 * 366 * dayMs;

function stateWithoutWindows(schedule: Schedule, now: number): ScheduleState {
  const freezes = freezeSpans({ schedule, from: now, until: now + twoYearsMs });
  const holds = freezes.find(({ from, until }) => from <= now && now < until);
  if (holds === undefined) return { kind: 'always', closesAt: freezes[0]?.from, endedBy: freezes[0]?.name };
  return { kind: 'closed', opensAt: joinFreezes(freezes)[0]?.until, next: undefined, frozenBy: holds.name };
}
