import { daysOf, type CronDays, type DayOfMonthTerm, type DayOfWeekTerm } from './cronDays.js';

/** When something opens, by the clock on the wall: on days that match, at each of the times. */
export interface CronExpression {
  /** Seconds since midnight, ascending. */
  readonly secondsOfDay: readonly number[];
  readonly days: CronDays;
}

export type CronAnswer =
  | { readonly kind: 'ok'; readonly cron: CronExpression }
  /** `message` says which field is wrong and what it may be, without a full stop. */
  | { readonly kind: 'invalid'; readonly message: string };

/**
 * Reads a cron expression of five fields, or of six with the seconds first, in the dialect of node-cron 4.6: lists,
 * ranges (`22-2` goes over the end), steps, English names, `L`, `L-3`, `15W`, `LW`, `5L`, `2#2`, `?`, 7 for Sunday, and
 * day of month AND day of week. Stricter in two things: names stand alone (node-cron reads `JANFEB` as 12), and an
 * expression that no day ever matches is refused (node-cron takes some of them and fails when asked).
 */
export function parseCron(expression: string): CronAnswer {
  const written = expression.split(' ').filter((field) => field !== '');
  if (written.length !== 5 && written.length !== 6) {
    return invalid(`it has ${written.length} fields; minute, hour, day of month, month and day of week make five`);
  }
  const [second = '', minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] =
    written.length === 5 ? ['0', ...written] : written;
  const wrong: string[] = [];
  const seconds = numbers(second, fields.second, wrong);
  const minutes = numbers(minute, fields.minute, wrong);
  const hours = numbers(hour, fields.hour, wrong);
  const days: CronDays = {
    daysOfMonth: terms({ text: dayOfMonth, of: fields.dayOfMonth, read: dayOfMonthTerm, wrong }),
    months: new Set(numbers(month, fields.month, wrong)),
    daysOfWeek: terms({ text: dayOfWeek, of: fields.dayOfWeek, read: dayOfWeekTerm, wrong }),
  };
  if (wrong.length > 0) return invalid(wrong.join(', and '));
  if (daysOf(days, everyKindOfYear.firstDay, everyKindOfYear.days).next().done === true) {
    return invalid(`no day ever has day of month ${dayOfMonth}, month ${month} and day of week ${dayOfWeek}`);
  }
  const secondsOfDay = hours.flatMap((ofHour) =>
    minutes.flatMap((ofMinute) => seconds.map((ofSecond) => (ofHour * 60 + ofMinute) * 60 + ofSecond)),
  );
  return { kind: 'ok', cron: { secondsOfDay, days } };
}

/** 2000 to 2027: each weekday begins a leap year and another year in any 28 years without a century that is none. */
const everyKindOfYear = { firstDay: 10_957, days: 28 * 365 + 7 };

interface Field {
  readonly name: string;
  readonly min: number;
  /** The last of the cycle, at which ranges begin anew. */
  readonly max: number;
  /** The largest that may be written. */
  readonly largest: number;
  /** Written for `min`, `min + 1`, …, whole or as its first three letters. */
  readonly names: readonly string[];
  /** Other forms, for messages. */
  readonly example: string;
}

const monthNames = 'january february march april may june july august september october november december';
const weekdayNames = 'sunday monday tuesday wednesday thursday friday saturday';

const time = { names: [], example: 'or such as 1-5, 0,30, */10 or *' };

const fields = {
  second: { name: 'second', min: 0, max: 59, largest: 59, ...time },
  minute: { name: 'minute', min: 0, max: 59, largest: 59, ...time },
  hour: { name: 'hour', min: 0, max: 23, largest: 23, ...time },
  dayOfMonth: {
    name: 'day of month',
    min: 1,
    max: 31,
    largest: 31,
    names: [],
    example: 'or such as 1-7, L, L-3, 15W, LW or *',
  },
  month: {
    name: 'month',
    min: 1,
    max: 12,
    largest: 12,
    names: monthNames.split(' '),
    example: 'or such as 1-3, NOV, */2 or *',
  },
  dayOfWeek: {
    name: 'day of week',
    min: 0,
    max: 6,
    largest: 7,
    names: weekdayNames.split(' '),
    example: 'or such as MON-FRI, 2#2, 5L or *',
  },
} as const satisfies Readonly<Record<string, Field>>;

/*
 * Reading a field never fails: what is wrong is added to `wrong` as a sentence, and the field then means too little.
 */

/** The terms of a field of days, each for itself. */
function terms<Term>(request: {
  readonly text: string;
  readonly of: Field;
  /** Undefined where the token is no term of its own, but a number, range or name. */
  readonly read: (token: string, wrong: string[]) => Term | undefined;
  readonly wrong: string[];
}): (Term | number)[] {
  const { text, of, read, wrong } = request;
  return (text === '?' ? '*' : text).split(',').flatMap((token): (Term | number)[] => {
    const term = read(token, wrong);
    return term === undefined ? numbersOf(token, of, wrong) : [term];
  });
}

/** All numbers that a field means, ascending. */
function numbers(text: string, of: Field, wrong: string[]): number[] {
  const found = text.split(',').flatMap((token) => numbersOf(token, of, wrong));
  return [...new Set(found)].sort((one, other) => one - other);
}

function numbersOf(token: string, of: Field, wrong: string[]): number[] {
  const [range = '', stepText, ...rest] = token.split('/');
  const [from = '', until, ...more] = range.split('-');
  const isPlain = range !== '*' && until === undefined;
  if (rest.length > 0 || more.length > 0 || (isPlain && stepText !== undefined)) return none(wrong, token, of);
  const step = stepText === undefined ? 1 : /^\d+$/.test(stepText) ? Number(stepText) : 0;
  if (step < 1) {
    wrong.push(`${of.name} ${shown(token)} needs a whole number from 1 after the /`);
    return [];
  }
  if (range === '*') return stepped({ first: of.min, span: of.max - of.min, step, of });
  const first = numberOf(from, of);
  const last = until === undefined ? first : numberOf(until, of);
  if (first === undefined || last === undefined) return none(wrong, token, of);
  const size = of.max - of.min + 1;
  return stepped({ first, span: first <= last ? last - first : (last - first + size) % size, step, of });
}

function stepped(range: { readonly first: number; readonly span: number; readonly step: number; readonly of: Field }) {
  const found: number[] = [];
  for (let offset = 0; offset <= range.span; offset += range.step) found.push(inCycle(range.first + offset, range.of));
  return found;
}

function inCycle(value: number, of: Field): number {
  return value > of.max ? value - (of.max - of.min + 1) : value;
}

/** The number that stands there by itself or by its name; undefined where it is none of the field. */
function numberOf(text: string, of: Field): number | undefined {
  const name = of.names.findIndex((each) => [each, each.slice(0, 3)].includes(text.toLowerCase()));
  if (name >= 0) return of.min + name;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= of.min && value <= of.largest ? value : undefined;
}

function dayOfMonthTerm(token: string): DayOfMonthTerm | undefined {
  const text = token.toUpperCase();
  if (text === 'L') return { kind: 'beforeLast', days: 0 };
  if (text === 'LW') return { kind: 'lastWorkday' };
  const days = Number(/^L-(\d{1,2})$/.exec(text)?.[1]);
  if (days >= 1 && days <= 30) return { kind: 'beforeLast', days };
  const day = numberOf(/^(\d{1,2})W$/.exec(text)?.[1] ?? '', fields.dayOfMonth);
  return day === undefined ? undefined : { kind: 'nearestWorkday', day };
}

function dayOfWeekTerm(token: string, wrong: string[]): DayOfWeekTerm | undefined {
  const last = weekdayOf(/^(.+)L$/i.exec(token)?.[1]);
  if (last !== undefined) return { kind: 'lastOfMonth', weekday: last };
  const [name, nth = '', ...more] = token.split('#');
  const weekday = weekdayOf(name);
  if (!token.includes('#') || weekday === undefined) return undefined;
  if (more.length > 0 || !/^[1-5]$/.test(nth)) {
    wrong.push(`day of week ${shown(token)} needs a number from 1 to 5 after the #`);
  }
  return { kind: 'nthOfMonth', weekday, nth: Number(nth) };
}

function weekdayOf(text = ''): number | undefined {
  const value = text.length === 1 || /^[a-z]+$/i.test(text) ? numberOf(text, fields.dayOfWeek) : undefined;
  return value === undefined ? undefined : inCycle(value, fields.dayOfWeek);
}

/** Notes that the token means nothing in its field. */
function none(wrong: string[], token: string, of: Field): [] {
  wrong.push(`${of.name} ${shown(token)} is none: expected ${of.min} to ${of.largest}, ${of.example}`);
  return [];
}

function shown(token: string): string {
  return JSON.stringify(token.length > 30 ? `${token.slice(0, 27)}...` : token);
}

function invalid(message: string): CronAnswer {
  return { kind: 'invalid', message };
}
