import { parseCron } from './cronExpression.js';
import { matchesDay } from './cronDays.js';
import { periodOf } from './period.js';
import type { Schedule, WindowRule } from './schedule.js';
import { clockOfDay, dayAt, dayMs, dayText, instantOf, parseWallTime } from './wallClock.js';

/** A window as the rules give it, whatever freezes say. */
export interface UncutWindow {
  readonly opensAt: number;
  /** Not part of it. */
  readonly closesAt: number;
  /** The wall time at which the rule says that it opens; the clock may skip it. */
  readonly plannedWallMs: number;
}

/** How far ahead windows are looked for: a rule for 29 February alone leaves eight years between two of them. */
const horizonDays = 10 * 366;

/**
 * The windows that close after `from`, in their order; none where the schedule has no rules, and none that opens more
 * than ten years later. Windows that overlap or touch are one, but never across periods: the first opening of the next
 * period ends the window and begins another, so that also what is always open has a run every month.
 */
export function* uncutWindows({
  schedule,
  from,
}: {
  readonly schedule: Pick<Schedule, 'timeZone' | 'windows'>;
  readonly from: number;
}): Generator<UncutWindow, void> {
  const { timeZone } = schedule;
  const rules = schedule.windows.map(readRule);
  if (rules.length === 0) return;
  const today = dayAt(from, timeZone);
  let current: UncutWindow | undefined;
  for (let day = firstDay({ rules, timeZone, today }); day <= today + horizonDays; day += 1) {
    // Two days more than enough for every offset from UTC.
    if (current !== undefined && day * dayMs > current.closesAt + 2 * dayMs) {
      if (current.closesAt > from) yield current;
      current = undefined;
    }
    for (const next of opensOn({ rules, timeZone, day })) {
      if (current === undefined) current = next;
      else if (next.opensAt <= current.closesAt && isSamePeriod(current, next, timeZone)) {
        current = { ...current, closesAt: Math.max(current.closesAt, next.closesAt) };
      } else {
        const closesAt = Math.min(current.closesAt, next.opensAt);
        if (closesAt > from) yield { ...current, closesAt };
        current = { ...next, closesAt: Math.max(current.closesAt, next.closesAt) };
      }
    }
  }
  if (current !== undefined && current.closesAt > from) yield current;
}

/** Where the rules name the same month, the clock is not asked: it moves openings on, but all of them alike. */
function isSamePeriod(one: UncutWindow, other: UncutWindow, timeZone: string): boolean {
  return (
    dayText(Math.floor(one.plannedWallMs / dayMs)).slice(0, 7) ===
      dayText(Math.floor(other.plannedWallMs / dayMs)).slice(0, 7) ||
    periodOf(one.opensAt, timeZone) === periodOf(other.opensAt, timeZone)
  );
}

interface Rule {
  readonly opensOn: (day: number) => boolean;
  readonly secondsOfDay: readonly number[];
  readonly durationMs: number;
}

function readRule(window: WindowRule): Rule {
  const { durationMs } = window;
  if (window.kind === 'once') {
    const wallMs = parseWallTime(window.opens);
    if (wallMs === undefined) throw new RangeError(`${window.opens} is no local date and time`);
    const onDay = Math.floor(wallMs / dayMs);
    return { opensOn: (day) => day === onDay, secondsOfDay: [(wallMs % dayMs) / 1000], durationMs };
  }
  const answer = parseCron(window.expression);
  if (answer.kind === 'invalid') throw new RangeError(`${window.expression}: ${answer.message}`);
  const { days, secondsOfDay } = answer.cron;
  return { opensOn: (day) => matchesDay(days, day), secondsOfDay, durationMs };
}

interface RulesInZone {
  readonly rules: readonly Rule[];
  readonly timeZone: string;
}

/** What opens on a day of the zone, in its order; what overlaps within the day may be one already. */
function opensOn({ rules, timeZone, day }: RulesInZone & { readonly day: number }): UncutWindow[] {
  const today = rules.filter((rule) => rule.opensOn(day));
  if (today.length === 0) return [];
  const found = today.flatMap((rule) => opensOfRule(rule, day, timeZone));
  return found.sort((one, other) => one.opensAt - other.opensAt);
}

function opensOfRule({ secondsOfDay, durationMs }: Rule, day: number, timeZone: string): UncutWindow[] {
  const clock = secondsOfDay.length > 4 ? clockOfDay(day, timeZone) : (wallMs: number) => instantOf(wallMs, timeZone);
  const found: UncutWindow[] = [];
  let current: { opensAt: number; closesAt: number; plannedWallMs: number } | undefined;
  for (const second of secondsOfDay) {
    const plannedWallMs = day * dayMs + second * 1000;
    const opensAt = clock(plannedWallMs);
    const closesAt = opensAt + durationMs;
    if (current !== undefined && opensAt <= current.closesAt) current.closesAt = closesAt;
    else {
      current = { opensAt, closesAt, plannedWallMs };
      found.push(current);
    }
  }
  return found;
}

/** The day on which to begin, so that the window that is open today is seen from its beginning. */
function firstDay({ rules, timeZone, today }: RulesInZone & { readonly today: number }): number {
  const longestMs = Math.max(...rules.map(({ durationMs }) => durationMs));
  let first = today - Math.ceil(longestMs / dayMs) - 1;
  // No window is longer than the rest of the month in which its last part opened, and that part.
  const limit = first - 32;
  let earliest = firstOpeningFrom({ rules, timeZone, first, today });
  for (let day = first - 1; earliest !== undefined && day >= limit; day -= 1) {
    // The day has ended half a day after midnight of UTC at the latest.
    if ((day + 1.5) * dayMs + longestMs < earliest) break;
    for (const { opensAt, closesAt } of opensOn({ rules, timeZone, day }).reverse()) {
      if (closesAt < earliest) continue;
      earliest = opensAt;
      first = day;
    }
  }
  return first;
}

function firstOpeningFrom({
  rules,
  timeZone,
  first,
  today,
}: RulesInZone & { readonly first: number; readonly today: number }): number | undefined {
  for (let day = first; day <= today; day += 1) {
    const opening = opensOn({ rules, timeZone, day })[0];
    if (opening !== undefined) return opening.opensAt;
  }
  return undefined;
}
