import type { Schedule } from './schedule.js';
import { freezeSpans, joinFreezes } from './freezes.js';
import { dayMs } from './wallClock.js';
import { plannedWindows } from './windows.js';

/** Why nothing can start in a whole year. */
export type ClosedForYear =
  | { readonly kind: 'no-window' }
  | {
      readonly kind: 'frozen';
      /** Windows that freezes cover; 0 where the schedule has none and would always be open. */
      readonly windows: number;
      /** Of the freezes, each once, by their time. */
      readonly freezes: readonly string[];
    };

/** Whether a run could start in the 366 days from `now`; undefined where it can. */
export function closedForYear({
  schedule,
  now,
}: {
  readonly schedule: Schedule;
  readonly now: number;
}): ClosedForYear | undefined {
  const until = now + 366 * dayMs;
  if (schedule.windows.length === 0) return frozenThroughout(schedule, now, until);
  const freezes = new Set<string>();
  let windows = 0;
  for (const planned of plannedWindows({ schedule, from: now })) {
    if (planned.uncut.opensAt >= until) break;
    if (planned.parts.some(({ closesAt }) => closesAt > now)) return undefined;
    windows += 1;
    for (const { name } of planned.freezes) freezes.add(name);
  }
  return windows === 0 ? { kind: 'no-window' } : { kind: 'frozen', windows, freezes: [...freezes] };
}

function frozenThroughout(schedule: Schedule, now: number, until: number): ClosedForYear | undefined {
  const [first] = joinFreezes(freezeSpans({ schedule, from: now, until }));
  if (first === undefined || first.from > now || first.until < until) return undefined;
  return { kind: 'frozen', windows: 0, freezes: first.names };
}
