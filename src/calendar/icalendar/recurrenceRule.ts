import { parseDay, parseWallTime } from '../wallClock.js';
import { CalendarFault, type Property } from './components.js';
import type { Recurrence } from './recurrence.js';

/** A recurrence and where it ends. */
export interface RecurrenceRule {
  readonly recurrence: Recurrence;
  /** Occurrences, the first included; undefined: no end by number. */
  readonly count: number | undefined;
  /** The last moment at which one may begin; undefined: no end by time. */
  readonly until: { readonly wallMs: number; readonly isUtc: boolean } | undefined;
}

/** What an RRULE says. Rules finer than a day are refused: nobody freezes by the hour, and a second's would fill memory. */
export function readRecurrenceRule(property: Property): RecurrenceRule | CalendarFault {
  const parts = (property.values[0] ?? {}) as Readonly<Record<string, unknown>>;
  const fault = (message: string) => new CalendarFault(property.line, `RRULE ${message}`);
  const frequency = frequencies.find((each) => each === parts['freq']);
  if (frequency === undefined) {
    const found = typeof parts['freq'] === 'string' ? `not ${parts['freq']}` : 'and it has no FREQ';
    return fault(`expected FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, ${found}`);
  }
  const tooFine = ['byhour', 'byminute', 'bysecond'].find((part) => part in parts);
  if (tooFine !== undefined) return fault(`has ${tooFine.toUpperCase()}; write an event for each time of day instead`);
  const foreign = Object.keys(parts).find((part) => !known.has(part));
  if (foreign !== undefined) return fault(`has ${foreign.toUpperCase()}, which is not understood`);
  const weekdays = listed(parts['byday']).map(readWeekday);
  if (weekdays.includes(undefined)) return fault('has a BYDAY that is none; expected such as MO, 2TU or -1FR');
  if (/^(DAILY|WEEKLY)$/.test(frequency) && weekdays.some((weekday) => weekday?.nth !== undefined)) {
    return fault('has a BYDAY with a number, which means something by the month or year only');
  }
  const until = parts['until'] === undefined ? undefined : readUntil(parts['until']);
  if (until === null) return fault('has an UNTIL that is no date or time that there is');
  return {
    recurrence: {
      frequency,
      interval: numbers(parts['interval'])[0] ?? 1,
      // Sunday is 1 in ical.js, and the week begins on Monday where nothing is said.
      weekStart: (numbers(parts['wkst'])[0] ?? 2) - 1,
      months: numbers(parts['bymonth']),
      weeksOfYear: numbers(parts['byweekno']),
      daysOfYear: numbers(parts['byyearday']),
      daysOfMonth: numbers(parts['bymonthday']),
      weekdays: weekdays.filter((weekday) => weekday !== undefined),
      positions: numbers(parts['bysetpos']),
    },
    count: numbers(parts['count'])[0],
    until,
  };
}

const frequencies = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const;

const known = new Set([
  'freq',
  'interval',
  'count',
  'until',
  'wkst',
  'bymonth',
  'byweekno',
  'byyearday',
  'bymonthday',
  'byday',
  'bysetpos',
]);

function readWeekday(value: unknown): Recurrence['weekdays'][number] | undefined {
  const [, nth = '', name = ''] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(typeof value === 'string' ? value : '') ?? [];
  const weekday = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'].indexOf(name);
  if (weekday < 0 || Number(nth || 1) === 0) return undefined;
  return { weekday, nth: nth === '' ? undefined : Number(nth) };
}

/** A date alone includes its whole day. */
function readUntil(value: unknown): RecurrenceRule['until'] | null {
  const text = typeof value === 'string' ? value : '';
  const isDate = parseDay(text) !== undefined;
  const wallMs = parseWallTime(isDate ? `${text}T23:59:59` : text.replace(/Z$/, ''));
  return wallMs === undefined ? null : { wallMs, isUtc: text.endsWith('Z') };
}

function numbers(value: unknown): number[] {
  return listed(value).map(Number).filter(Number.isInteger);
}

function listed(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
