import ICAL from 'ical.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CalendarFault, propertiesOf, readComponents } from '../../src/calendar/icalendar/components.js';
import { recurringDays } from '../../src/calendar/icalendar/recurrence.js';
import { readRecurrenceRule, type RecurrenceRule } from '../../src/calendar/icalendar/recurrenceRule.js';
import { dayText, parseDay } from '../../src/calendar/wallClock.js';

function read(text: string): RecurrenceRule | CalendarFault {
  const components = readComponents(`BEGIN:X\nRRULE:${text}\nEND:X\n`);
  if (components instanceof CalendarFault) return components;
  const [property] = components.flatMap((component) => propertiesOf(component, 'RRULE'));
  if (property === undefined) throw new Error('there is no RRULE');
  return property instanceof CalendarFault ? property : readRecurrenceRule(property);
}

/** The first days of a rule. */
function daysOf(text: string, firstDay: string, count: number): string[] {
  const rule = read(text);
  if (rule instanceof CalendarFault) throw new Error(rule.message);
  const days: string[] = [];
  const request = {
    recurrence: rule.recurrence,
    firstDay: parseDay(firstDay) ?? 0,
    lastDay: parseDay('2075-12-31') ?? 0,
  };
  for (const day of recurringDays(request)) {
    if (days.length >= count) break;
    days.push(dayText(day));
  }
  return days;
}

describe('the days of a recurrence', () => {
  it.each([
    ['FREQ=DAILY;INTERVAL=10', '2026-12-25', ['2026-12-25', '2027-01-04', '2027-01-14'], 'every ten days'],
    ['FREQ=WEEKLY', '2026-12-25', ['2026-12-25', '2027-01-01', '2027-01-08'], 'the weekday of the first'],
    [
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR',
      '2026-12-04',
      ['2026-12-04', '2026-12-14', '2026-12-18', '2026-12-28'],
      'every other week',
    ],
    [
      'FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU',
      '1997-08-05',
      ['1997-08-05', '1997-08-10', '1997-08-19', '1997-08-24'],
      'weeks from Monday (example of RFC 5545)',
    ],
    [
      'FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU',
      '1997-08-05',
      ['1997-08-05', '1997-08-17', '1997-08-19', '1997-08-31'],
      'weeks from Sunday (example of RFC 5545)',
    ],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', '2026-12-31', ['2026-12-31', '2027-01-31', '2027-02-28'], 'the last of the month'],
    ['FREQ=MONTHLY', '2026-12-31', ['2026-12-31', '2027-01-31', '2027-03-31'], 'not in months that have no such day'],
    [
      'FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2',
      '2026-12-08',
      ['2026-12-08', '2027-01-12', '2027-02-09'],
      'the second of the Tuesdays',
    ],
    [
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2',
      '1997-09-29',
      ['1997-09-29', '1997-10-30', '1997-11-27', '1997-12-30'],
      'the last workday but one (example of RFC 5545)',
    ],
    ['FREQ=MONTHLY;BYDAY=-1FR', '2026-12-25', ['2026-12-25', '2027-01-29', '2027-02-26'], 'the last Friday'],
    [
      'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13',
      '1998-02-13',
      ['1998-02-13', '1998-03-13', '1998-11-13', '1999-08-13'],
      'every Friday the 13th (example of RFC 5545)',
    ],
    [
      'FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=31',
      '2026-03-31',
      ['2026-03-31', '2026-12-31', '2027-03-31'],
      'quarters whose last month has 31 days',
    ],
    ['FREQ=YEARLY', '2028-02-29', ['2028-02-29', '2032-02-29', '2036-02-29'], 'in leap years'],
    [
      'FREQ=YEARLY;BYMONTH=11;BYDAY=4TH',
      '2026-11-26',
      ['2026-11-26', '2027-11-25', '2028-11-23'],
      'a holiday by its weekday',
    ],
    [
      'FREQ=YEARLY;BYDAY=20MO',
      '1997-05-19',
      ['1997-05-19', '1998-05-18', '1999-05-17'],
      'the 20th Monday of the year (example of RFC 5545)',
    ],
    [
      'FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO',
      '1997-05-12',
      ['1997-05-12', '1998-05-11', '1999-05-17'],
      'Monday of week 20 (example of RFC 5545)',
    ],
    [
      'FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO',
      '1997-12-29',
      ['1997-12-29', '1999-01-04', '2000-01-03', '2001-01-01', '2001-12-31'],
      'Monday of week 1, which may be in the year before',
    ],
    [
      'FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TH,FR',
      '2026-12-31',
      ['2026-12-31', '2027-01-01', '2027-12-30', '2027-12-31'],
      'the end of the last week, which may be in the year after',
    ],
    [
      'FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200',
      '1997-01-01',
      ['1997-01-01', '1997-04-10', '1997-07-19', '2000-01-01', '2000-04-09'],
      'days of the year (example of RFC 5545)',
    ],
    ['FREQ=YEARLY;BYYEARDAY=-1', '2026-12-31', ['2026-12-31', '2027-12-31', '2028-12-31'], 'the last day of the year'],
    [
      'FREQ=YEARLY;BYMONTH=6,7',
      '2026-06-10',
      ['2026-06-10', '2026-07-10', '2027-06-10'],
      'the same day of some months',
    ],
    ['FREQ=DAILY;BYMONTH=1', '2026-12-25', ['2026-12-25', '2027-01-01', '2027-01-02'], 'all of a month'],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', '2026-12-25', ['2026-12-25'], 'a day that never comes leaves the first'],
    ['FREQ=DAILY;INTERVAL=7;BYDAY=MO', '2026-12-25', ['2026-12-25'], 'a weekday that is never met leaves the first'],
  ])('%s from %s are %j: %s', (rule, firstDay, days) => {
    expect(daysOf(rule, firstDay, days.length)).toEqual(days);
  });

  it.each([
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;INTERVAL=7;BYDAY=MO',
  ])('end where they never come: %s', (rule) => {
    expect(daysOf(rule, '2026-12-25', 100)).toEqual(['2026-12-25']);
  });

  it('are those of ical.js, where it keeps to the rule', () => {
    const rules = fc.oneof(
      fc
        .tuple(fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'), fc.integer({ min: 1, max: 5 }))
        .map(([frequency, interval]) => `FREQ=${frequency};INTERVAL=${String(interval)}`),
      fc
        .tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('MO', 'MO,WE,FR', 'SA,SU'), fc.constantFrom('MO', 'SU'))
        .map(
          ([interval, days, weekStart]) => `FREQ=WEEKLY;INTERVAL=${String(interval)};BYDAY=${days};WKST=${weekStart}`,
        ),
      fc.constantFrom('1MO', '2TU', '-1FR', '3SA', '-2SU').map((day) => `FREQ=MONTHLY;BYDAY=${day}`),
      fc.constantFrom('15', '-1', '1,15', '28').map((days) => `FREQ=MONTHLY;BYMONTHDAY=${days}`),
      fc
        .tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom('1MO', '2TU', '-1FR'))
        .map(([month, day]) => `FREQ=YEARLY;BYMONTH=${String(month)};BYDAY=${day}`),
    );
    fc.assert(
      fc.property(rules, fc.integer({ min: 20_000, max: 25_000 }), (rule, start) => {
        // Its first day is sometimes one that the rule does not name; what follows is right.
        const iterator = ICAL.Recur.fromString(rule).iterator(
          ICAL.Time.fromString(`${dayText(start)}T10:00:00`, undefined),
        );
        const theirs = Array.from({ length: 8 }, () => iterator.next().toString().slice(0, 10)).filter(
          (day) => day > dayText(start),
        );
        const ours = daysOf(rule, dayText(start), 9).slice(1);
        expect(ours.slice(0, theirs.length)).toEqual(theirs);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a rule that is refused', () => {
  it.each([
    ['FREQ=SECONDLY', 'RRULE expected FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, not SECONDLY'],
    ['FREQ=HOURLY;COUNT=3', 'RRULE expected FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, not HOURLY'],
    ['COUNT=3', 'RRULE expected FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, and it has no FREQ'],
    ['FREQ=DAILY;BYHOUR=1,2,3', 'RRULE has BYHOUR; write an event for each time of day instead'],
    ['FREQ=DAILY;BYEASTER=0', 'RRULE has BYEASTER, which is not understood'],
    ['FREQ=WEEKLY;BYDAY=2TU', 'RRULE has a BYDAY with a number, which means something by the month or year only'],
    ['FREQ=DAILY;UNTIL=20260230', 'RRULE has an UNTIL that is no date or time that there is'],
    ['FREQ=WEEKLY;BYDAY=XX', 'RRULE cannot be read: invalid BYDAY value "XX"'],
    ['FREQ=MONTHLY;INTERVAL=x', 'RRULE cannot be read: Could not extract integer from "x"'],
  ])('%s says why', (rule, message) => {
    const answer = read(rule);
    expect(answer).toBeInstanceOf(CalendarFault);
    expect(answer).toMatchObject({ line: 2, message });
  });
});
