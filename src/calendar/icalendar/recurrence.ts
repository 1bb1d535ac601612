import { dayMs, parseDay } from '../wallClock.js';

/** Where a rule without an end ends: 31 December 2075. */
export const lastDayOfRules = (parseDay('2076-01-01') ?? 0) - 1;

/** How many more days may be asked whether something recurs on them; counted down. */
export interface DaysToAsk {
  left: number;
}

/** On which days something recurs (RFC 5545, section 3.3.10), daily at most. Empty lists say nothing. */
export interface Recurrence {
  readonly frequency: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';
  /** Every so many days, weeks, months or years. */
  readonly interval: number;
  /** Sunday 0. */
  readonly weekStart: number;
  readonly months: readonly number[];
  readonly weeksOfYear: readonly number[];
  readonly daysOfYear: readonly number[];
  readonly daysOfMonth: readonly number[];
  /** `nth` of the month, or of a year without months; from the end where it is negative; undefined: each. */
  readonly weekdays: readonly { readonly weekday: number; readonly nth: number | undefined }[];
  /** Which of the days of each day, week, month or year count, from 1; from the end where negative. */
  readonly positions: readonly number[];
}

/**
 * The days on which it recurs, from its first day up to and with `lastDay`; days since 1970-01-01. Every day is asked
 * whether it is one, so that it always ends: at the latest when no more days may be asked.
 */
export function* recurringDays({
  recurrence,
  firstDay,
  lastDay,
  toAsk = { left: Number.POSITIVE_INFINITY },
}: {
  readonly recurrence: Recurrence;
  /** Always one of them, as an event is what it says itself, even where the rule does not say so. */
  readonly firstDay: number;
  readonly lastDay: number;
  /** Without it as many as there are. */
  readonly toAsk?: DaysToAsk;
}): Generator<number, void> {
  const rule = withDefaults(recurrence, firstDay);
  yield firstDay;
  const days = matchingDays(rule, { firstDay, lastDay, toAsk });
  const later = rule.positions.length === 0 ? days : atPositions(rule, days);
  for (const day of later) if (day > firstDay) yield day;
}

/** From the beginning of the period of the first day on, as positions count in whole periods. */
function* matchingDays(
  rule: Recurrence,
  { firstDay, lastDay, toAsk }: { readonly firstDay: number; readonly lastDay: number; readonly toAsk: DaysToAsk },
): Generator<number, void> {
  const origin = periodOfDay(rule, firstDay);
  for (let day = startOfPeriod(rule, firstDay); day <= lastDay; day = nextCandidate(rule, day)) {
    toAsk.left -= 1;
    if (toAsk.left < 0) return;
    if ((periodOfDay(rule, day) - origin) % rule.interval === 0 && matches(rule, day)) yield day;
  }
}

/** Of the days of each day, week, month or year those that the rule counts. */
function* atPositions(rule: Recurrence, days: Iterable<number>): Generator<number, void> {
  let period: number | undefined;
  let inPeriod: number[] = [];
  const chosen = () =>
    inPeriod.filter(
      (_, place) => rule.positions.includes(place + 1) || rule.positions.includes(place - inPeriod.length),
    );
  for (const day of days) {
    const ofDay = periodOfDay(rule, day);
    if (ofDay !== period) {
      yield* chosen();
      [period, inPeriod] = [ofDay, []];
    }
    inPeriod.push(day);
  }
  yield* chosen();
}

/** What a rule leaves open comes from the first day (RFC 5545: "information … gathered from DTSTART"). */
function withDefaults(rule: Recurrence, firstDay: number): Recurrence {
  const { month, dayOfMonth, weekday } = calendarOf(firstDay);
  const saysDays = [rule.weekdays, rule.daysOfMonth, rule.daysOfYear].some((list) => list.length > 0);
  if (saysDays) return rule;
  const sameWeekday = { ...rule, weekdays: [{ weekday, nth: undefined }] };
  switch (rule.frequency) {
    case 'DAILY':
      return rule;
    case 'WEEKLY':
      return sameWeekday;
    case 'MONTHLY':
      return { ...rule, daysOfMonth: [dayOfMonth] };
    case 'YEARLY':
      if (rule.weeksOfYear.length > 0) return sameWeekday;
      return { ...rule, months: rule.months.length > 0 ? rule.months : [month], daysOfMonth: [dayOfMonth] };
  }
}

/** The next day that may match: the beginning of the next month where the rule does not have this one. */
function nextCandidate(rule: Recurrence, day: number): number {
  const { year, month } = calendarOf(day + 1);
  if (rule.frequency === 'WEEKLY' || rule.months.length === 0 || rule.months.includes(month)) return day + 1;
  return dayNumber(year, month + 1, 1);
}

function matches(rule: Recurrence, day: number): boolean {
  const date = calendarOf(day);
  return (
    (rule.months.length === 0 || rule.months.includes(date.month)) &&
    isAmong(rule.daysOfMonth, date.dayOfMonth, daysOfMonthIn(date.year, date.month)) &&
    isAmong(rule.daysOfYear, day - dayNumber(date.year, 1, 1) + 1, daysOfYear(date.year)) &&
    (rule.weeksOfYear.length === 0 || isInWeeks(rule, day, date.year)) &&
    (rule.weekdays.length === 0 || rule.weekdays.some((weekday) => isWeekday(rule, weekday, date, day)))
  );
}

/** Whether a number counted from 1, or from the end, is in the list; an empty list says nothing. */
function isAmong(list: readonly number[], value: number, last: number): boolean {
  return list.length === 0 || list.includes(value) || list.includes(value - last - 1);
}

function isWeekday(
  rule: Recurrence,
  { weekday, nth }: Recurrence['weekdays'][number],
  date: CalendarDay,
  day: number,
): boolean {
  if (weekday !== date.weekday) return false;
  if (nth === undefined) return true;
  const ofYear = rule.frequency === 'YEARLY' && rule.months.length === 0;
  const place = ofYear ? day - dayNumber(date.year, 1, 1) : date.dayOfMonth - 1;
  const last = ofYear ? daysOfYear(date.year) : daysOfMonthIn(date.year, date.month);
  return nth > 0 ? Math.floor(place / 7) + 1 === nth : Math.floor((last - 1 - place) / 7) + 1 === -nth;
}

/**
 * Week 1 is the first with four days of the year or more. The first days of January may be of the last week of the year
 * before, the last of December of week 1 of the next.
 */
function isInWeeks(rule: Recurrence, day: number, year: number): boolean {
  const firstWeekOf = (ofYear: number) => startOfWeek(rule, dayNumber(ofYear, 1, 4));
  const ofYear = day < firstWeekOf(year) ? year - 1 : day < firstWeekOf(year + 1) ? year : year + 1;
  const start = firstWeekOf(ofYear);
  return isAmong(rule.weeksOfYear, Math.floor((day - start) / 7) + 1, (firstWeekOf(ofYear + 1) - start) / 7);
}

function periodOfDay(rule: Recurrence, day: number): number {
  const { year, month } = calendarOf(day);
  switch (rule.frequency) {
    case 'DAILY':
      return day;
    case 'WEEKLY':
      return Math.round(startOfWeek(rule, day) / 7);
    case 'MONTHLY':
      return year * 12 + month;
    case 'YEARLY':
      return year;
  }
}

function startOfPeriod(rule: Recurrence, day: number): number {
  const { year, month } = calendarOf(day);
  switch (rule.frequency) {
    case 'DAILY':
      return day;
    case 'WEEKLY':
      return startOfWeek(rule, day);
    case 'MONTHLY':
      return dayNumber(year, month, 1);
    case 'YEARLY':
      return dayNumber(year, 1, 1);
  }
}

function startOfWeek({ weekStart }: Recurrence, day: number): number {
  return day - ((calendarOf(day).weekday - weekStart + 7) % 7);
}

interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly dayOfMonth: number;
  readonly weekday: number;
}

function calendarOf(day: number): CalendarDay {
  const date = new Date(day * dayMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    dayOfMonth: date.getUTCDate(),
    weekday: date.getUTCDay(),
  };
}

function dayNumber(year: number, month: number, dayOfMonth: number): number {
  return Date.UTC(year, month - 1, dayOfMonth) / dayMs;
}

function daysOfMonthIn(year: number, month: number): number {
  return dayNumber(year, month + 1, 1) - dayNumber(year, month, 1);
}

function daysOfYear(year: number): number {
  return dayNumber(year + 1, 1, 1) - dayNumber(year, 1, 1);
}
