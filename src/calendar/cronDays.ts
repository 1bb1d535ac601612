import { dayMs } from './wallClock.js';

/** The days of a cron expression: month, day of month AND day of week, as in node-cron. */
export interface CronDays {
  readonly months: ReadonlySet<number>;
  /** One of them must match. A number is that day. */
  readonly daysOfMonth: readonly (number | DayOfMonthTerm)[];
  /** One of them must match. A number is that weekday, Sunday 0. */
  readonly daysOfWeek: readonly (number | DayOfWeekTerm)[];
}

export type DayOfMonthTerm =
  /** `L` and `L-3`: so many days before the last of the month. */
  | { readonly kind: 'beforeLast'; readonly days: number }
  /** `15W`: the day from Monday to Friday that is nearest, in the same month. */
  | { readonly kind: 'nearestWorkday'; readonly day: number }
  /** `LW`: the nearest to the last day. */
  | { readonly kind: 'lastWorkday' };

export type DayOfWeekTerm =
  /** `2#2` */
  | { readonly kind: 'nthOfMonth'; readonly weekday: number; readonly nth: number }
  /** `5L` */
  | { readonly kind: 'lastOfMonth'; readonly weekday: number };

/** The days from `from` on, at most `count` of them looked at, that match; days since 1970-01-01. */
export function* daysOf(days: CronDays, from: number, count: number): Generator<number, void> {
  for (let day = from; day < from + count; day += 1) if (matchesDay(days, day)) yield day;
}

/** Whether a day, in days since 1970-01-01, is one of them. */
export function matchesDay(days: CronDays, day: number): boolean {
  const date = new Date(day * dayMs);
  const month = date.getUTCMonth() + 1;
  if (!days.months.has(month)) return false;
  const place = { day: date.getUTCDate(), weekday: date.getUTCDay(), lastDay: lastDayOf(date.getUTCFullYear(), month) };
  return (
    days.daysOfWeek.some((term) => matchesDayOfWeek(term, place)) &&
    days.daysOfMonth.some((term) => matchesDayOfMonth(term, place))
  );
}

function lastDayOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

interface DayOfCalendar {
  readonly day: number;
  readonly weekday: number;
  /** Of the month. */
  readonly lastDay: number;
}

function matchesDayOfMonth(term: number | DayOfMonthTerm, place: DayOfCalendar): boolean {
  if (typeof term === 'number') return term === place.day;
  switch (term.kind) {
    case 'beforeLast':
      return place.day === place.lastDay - term.days;
    case 'nearestWorkday':
      return place.day === nearestWorkday(term.day, place);
    case 'lastWorkday':
      return place.day === nearestWorkday(place.lastDay, place);
  }
}

/** Undefined where the month has no such day. */
function nearestWorkday(target: number, place: DayOfCalendar): number | undefined {
  if (target > place.lastDay) return undefined;
  const weekday = (((place.weekday + target - place.day) % 7) + 7) % 7;
  if (weekday === 6) return target === 1 ? 3 : target - 1;
  if (weekday === 0) return target === place.lastDay ? target - 2 : target + 1;
  return target;
}

function matchesDayOfWeek(term: number | DayOfWeekTerm, place: DayOfCalendar): boolean {
  if (typeof term === 'number') return term === place.weekday;
  if (term.weekday !== place.weekday) return false;
  switch (term.kind) {
    case 'nthOfMonth':
      return Math.ceil(place.day / 7) === term.nth;
    case 'lastOfMonth':
      return place.day + 7 > place.lastDay;
  }
}
