import type { CalendarEvent, FreezeRule, RuleFreeze, Schedule } from './schedule.js';
import { dayMs, dayText, instantOf, parseDay, parseWallTime, startOfDay } from './wallClock.js';

/** One stretch of time in which nothing starts. */
export interface FreezeSpan {
  readonly from: number;
  /** Not part of it. */
  readonly until: number;
  /** Of the freeze in the schedule. */
  readonly name: string;
  /** Of the event in a calendar; '' elsewhere. */
  readonly summary: string;
}

/** The freezes that hold at some instant from `from` on and before `until`, whole, by their beginning. */
export function freezeSpans({
  schedule,
  from,
  until,
}: {
  readonly schedule: Pick<Schedule, 'timeZone' | 'freezes'>;
  readonly from: number;
  readonly until: number;
}): FreezeSpan[] {
  const { timeZone, freezes } = schedule;
  if (freezes.length === 0) return [];
  // No zone is a day away from UTC.
  const range = { firstDay: Math.floor(from / dayMs) - 1, lastDay: Math.floor(until / dayMs) + 1, timeZone };
  return freezes
    .flatMap((freeze) => stretches(freeze, range).map((stretch) => ({ ...stretch, name: freeze.name })))
    .filter((span) => span.from < until && span.until > from && span.from < span.until)
    .sort((one, other) => one.from - other.from || other.until - one.until);
}

/** Freezes that overlap or follow on one another without a break. */
export interface FrozenStretch {
  readonly from: number;
  /** Not part of it. */
  readonly until: number;
  /** Each once, by their beginning. */
  readonly names: readonly string[];
}

/** Joins spans, which are in the order of {@link freezeSpans}. */
export function joinFreezes(spans: readonly FreezeSpan[]): FrozenStretch[] {
  const joined: FrozenStretch[] = [];
  for (const { from, until, name } of spans) {
    const last = joined.at(-1);
    if (last === undefined || from > last.until) joined.push({ from, until, names: [name] });
    else {
      const names = [...new Set([...last.names, name])];
      joined[joined.length - 1] = { from: last.from, until: Math.max(last.until, until), names };
    }
  }
  return joined;
}

interface Range {
  /** The days of the zone that the range touches are among these. */
  readonly firstDay: number;
  readonly lastDay: number;
  readonly timeZone: string;
}

type Stretch = Omit<FreezeSpan, 'name'>;

/** At least those that touch the range. */
function stretches(freeze: FreezeRule, range: Range): Stretch[] {
  switch (freeze.kind) {
    case 'dates':
      return wholeDays({ first: dayOf(freeze.from), last: dayOf(freeze.until), summary: '' }, range);
    case 'rule':
      return ruleDays(freeze, range).flatMap((days) => wholeDays({ ...days, summary: '' }, range));
    case 'calendar':
      return eventsIn(freeze.events, range).flatMap((event) => eventStretch(event, range));
  }
}

function wholeDays(
  { first, last, summary }: { readonly first: number; readonly last: number; readonly summary: string },
  { firstDay, lastDay, timeZone }: Range,
): Stretch[] {
  if (last < firstDay || first > lastDay) return [];
  return [{ from: startOfDay(first, timeZone), until: startOfDay(last + 1, timeZone), summary }];
}

function ruleDays(freeze: RuleFreeze, range: Range): { first: number; last: number }[] {
  const everyMonths = { 'month-end': 1, 'quarter-end': 3, 'year-end': 12 }[freeze.rule];
  const date = new Date((range.firstDay - freeze.daysAfter) * dayMs);
  const found: { first: number; last: number }[] = [];
  for (let month = date.getUTCMonth() + 1; ; month += 1) {
    if (month % everyMonths !== 0) continue;
    // Day 0 of the month that follows, counted from 0.
    const lastOfMonth = Date.UTC(date.getUTCFullYear(), month, 0) / dayMs;
    if (lastOfMonth - freeze.daysBefore > range.lastDay) return found;
    found.push({ first: lastOfMonth - freeze.daysBefore, last: lastOfMonth + freeze.daysAfter });
  }
}

/** By their texts, which sort as the dates do: a file may have very many events. */
function eventsIn(events: readonly CalendarEvent[], { firstDay, lastDay }: Range): CalendarEvent[] {
  const [first, next] = [dayText(firstDay), dayText(lastDay + 1)];
  const [fromMs, untilMs] = [firstDay * dayMs - dayMs, lastDay * dayMs + 2 * dayMs];
  return events.filter((event) =>
    event.kind === 'instants'
      ? event.from < untilMs && event.until > fromMs
      : event.from < next && event.until >= first,
  );
}

function eventStretch(event: CalendarEvent, range: Range): Stretch[] {
  const { timeZone } = range;
  switch (event.kind) {
    case 'dates':
      return wholeDays({ first: dayOf(event.from), last: dayOf(event.until), summary: event.summary }, range);
    case 'local': {
      const [from, until] = [wallOf(event.from), wallOf(event.until)];
      return [{ from: instantOf(from, timeZone), until: instantOf(until, timeZone), summary: event.summary }];
    }
    case 'instants':
      return [{ from: event.from, until: event.until, summary: event.summary }];
  }
}

function dayOf(text: string): number {
  const day = parseDay(text);
  if (day === undefined) throw new RangeError(`${text} is no date`);
  return day;
}

function wallOf(text: string): number {
  const wallMs = parseWallTime(text);
  if (wallMs === undefined) throw new RangeError(`${text} is no local date and time`);
  return wallMs;
}
