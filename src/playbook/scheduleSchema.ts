import { z } from 'zod';
import { parseCron } from '../calendar/cronExpression.js';
import { parseDay, parseWallTime } from '../calendar/wallClock.js';
import { duration, file, listOf, mapping, oneOf, text, timeZone, wholeNumber } from './fieldKinds.js';

const window = mapping(
  'A window: either `opens`, for one that comes again and again, or `from`, for one that comes once.',
  {
    opens: cronExpression(
      'When it opens: a cron expression of five fields, or of six with the seconds first, as node-cron reads it, with `#`, `L` and `W`; day of month AND day of week.',
    ).optional(),
    from: localDateTime('When it opens, once: a local date and time.').optional(),
    duration: duration('How long it stays open, in real time.', { longestDays: 31 }),
  },
);

const freeze = mapping('A freeze: `from` and `until`, a `rule`, or a `calendar`.', {
  name: text('What it is called in messages, and overridden by. No two have the same.', /^\S(.*\S)?$/, 'a name'),
  from: localDate('First day.').optional(),
  until: localDate('Last day, included.').optional(),
  rule: oneOf('The last day of every month, quarter or year.', ['month-end', 'quarter-end', 'year-end']).optional(),
  daysBefore: days('Days before that day that are frozen too. Without it 0.').optional(),
  daysAfter: days('Days after that day that are frozen too. Without it 0.').optional(),
  calendar: file('An iCalendar file whose events are freezes.').optional(),
});

/** `spec.schedule`. */
export const scheduleSchema = mapping('When maintenance may happen.', {
  timeZone: timeZone('IANA time zone of windows, freezes and of the month in the name of a run.').default('UTC'),
  windows: listOf(
    'Intervals in which turns may start. None: they may at any time.',
    window,
    'windows ({opens, duration} or {from, duration})',
  ).default([]),
  freezes: listOf(
    'Dates on which no turn starts.',
    freeze,
    'freezes ({name, from, until}, {name, rule} or {name, calendar})',
  ).default([]),
  coverage: duration('Every node has its turn within this time; `validate` warns where the windows cannot give that.', {
    longestDays: 400,
  }).optional(),
  expectedTurn: duration(
    'How long a turn may well take where no former turn tells. It starts only where so much is left of the window. Without it the plan estimates.',
  ).optional(),
});

function cronExpression(description: string) {
  const expected = 'expected a cron expression such as "0 22 * * 2#2"';
  return z
    .string({ error: expected })
    .max(200, { error: 'expected a cron expression of at most 200 characters', abort: true })
    .superRefine((value, context) => {
      const parsed = parseCron(value);
      if (parsed.kind === 'invalid') context.addIssue({ code: 'custom', message: `${expected}; ${parsed.message}` });
    })
    .meta({ title: 'cron expression', description });
}

function localDate(description: string) {
  const error = 'expected a date such as 2026-12-15';
  return z
    .string({ error })
    .regex(/^\d{4}-\d{2}-\d{2}$/, { error, abort: true })
    .superRefine((value, context) => {
      if (parseDay(value) === undefined)
        context.addIssue({ code: 'custom', message: `${error}; ${noSuchDate(value)}` });
    })
    .meta({ title: 'date', description });
}

function localDateTime(description: string) {
  const error = 'expected a local date and time such as 2026-12-05T22:00';
  return z
    .string({ error })
    .superRefine((value, context) => {
      if (parseWallTime(value) !== undefined) return;
      const date = /^(\d{4}-\d{2}-\d{2})T/.exec(value)?.[1];
      const hint = date === undefined || parseDay(date) !== undefined ? '' : `; ${noSuchDate(date)}`;
      context.addIssue({ code: 'custom', message: `${error}${hint}` });
    })
    .meta({ title: 'local date and time', description });
}

/** Of a text that has the form of a date. */
function noSuchDate(text: string): string {
  const [year = 0, month = 0] = text.split('-').map(Number);
  if (month < 1 || month > 12) return `there is no month ${String(month)}`;
  const name = new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' }).format(Date.UTC(year, month - 1));
  return `${name} ${String(year)} has ${String(new Date(Date.UTC(year, month, 0)).getUTCDate())} days`;
}

function days(description: string) {
  return wholeNumber(description, { min: 0, max: 92 });
}
