import { Cron } from 'croner';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daysOf, matchesDay } from '../../src/calendar/cronDays.js';
import { parseCron, type CronExpression } from '../../src/calendar/cronExpression.js';
import { dayMs, dayText, parseDay } from '../../src/calendar/wallClock.js';
import { cronExpressions, nodeCronMatches, nodeCronTakes } from './cronDialect.js';

function read(expression: string): CronExpression {
  const answer = parseCron(expression);
  if (answer.kind === 'invalid') throw new Error(`${expression}: ${answer.message}`);
  return answer.cron;
}

/** The days of a year on which it opens. */
function daysIn(year: number, expression: string): string[] {
  const first = Date.UTC(year, 0, 1) / dayMs;
  const count = (Date.UTC(year + 1, 0, 1) - Date.UTC(year, 0, 1)) / dayMs;
  return [...daysOf(read(expression).days, first, count)].map(dayText);
}

describe('the days of a cron expression', () => {
  it.each([
    ['0 22 * 11-12 2#2', ['2026-11-10', '2026-12-08'], 'the second Tuesday'],
    ['0 22 8-14 11,12 2', ['2026-11-10', '2026-12-08'], 'day of month AND day of week'],
    ['0 2 13-19 11,12 0', ['2026-11-15', '2026-12-13'], 'the Sunday after the second Tuesday'],
    ['0 22 * 2 5L', ['2026-02-27'], 'the last Friday'],
    ['0 22 * 2 FRIL', ['2026-02-27'], 'the last Friday by its name'],
    ['0 22 L 2,4 *', ['2026-02-28', '2026-04-30'], 'the last day'],
    ['0 22 L-3 2,4 *', ['2026-02-25', '2026-04-27'], 'three days before the last'],
    ['0 22 15W 8,11 *', ['2026-08-14', '2026-11-16'], 'the workday nearest to a Saturday and to a Sunday'],
    ['0 22 1W 8 *', ['2026-08-03'], 'the workday nearest to the first, in the same month'],
    ['0 22 31W 1,5 *', ['2026-01-30', '2026-05-29'], 'the workday nearest to the last, in the same month'],
    ['0 22 LW 2,5 *', ['2026-02-27', '2026-05-29'], 'the last workday'],
    ['0 22 * 11 7#1', ['2026-11-01'], '7 is Sunday'],
    ['0 22 1-7 11 sunday', ['2026-11-01'], 'a whole name in small letters'],
    [
      '0 22 28-2 3 *',
      ['2026-03-01', '2026-03-02', '2026-03-28', '2026-03-29', '2026-03-30', '2026-03-31'],
      'over the end',
    ],
    ['0 22 1-8 11 FRI-MON', ['2026-11-01', '2026-11-02', '2026-11-06', '2026-11-07', '2026-11-08'], 'over the weekend'],
    ['0 22 ? 11 1#5,2#1', ['2026-11-03', '2026-11-30'], 'a fifth Monday, where there is one'],
    ['0 22 30 2-3 *', ['2026-03-30'], 'a day that one of the months does not have'],
  ])('of %s in 2026 are %j: %s', (expression, days) => {
    expect(daysIn(2026, expression)).toEqual(days);
  });

  it('may be decades apart', () => {
    const from = parseDay('2026-01-01') ?? 0;
    const next = daysOf(read('0 0 29 2 1').days, from, 50 * 366).next();
    expect(dayText(next.value ?? 0)).toBe('2044-02-29');
  });
});

describe('the times of a cron expression', () => {
  it.each([
    ['30 2 * * *', [9000]],
    ['15 30 2 * * *', [9015]],
    ['0,30 23-1 * * *', [0, 1800, 3600, 5400, 82_800, 84_600]],
    ['*/20 5 * * *', [18_000, 19_200, 20_400]],
    ['*/25 30 2 * * *', [9000, 9025, 9050]],
  ])('of %s are %j', (expression, secondsOfDay) => {
    expect(read(expression).secondsOfDay).toEqual(secondsOfDay);
  });
});

describe('an expression that is refused', () => {
  it.each([
    ['0 22 * *', 'it has 4 fields; minute, hour, day of month, month and day of week make five'],
    ['0 0 22 * * * *', 'it has 7 fields; minute, hour, day of month, month and day of week make five'],
    ['@monthly', 'it has 1 fields; minute, hour, day of month, month and day of week make five'],
    ['0 24 * * *', 'hour "24" is none: expected 0 to 23, or such as 1-5, 0,30, */10 or *'],
    [
      '60 22 32 * *',
      /^minute "60" is none: .*, and day of month "32" is none: expected 1 to 31, or such as 1-7, L, L-3/,
    ],
    ['0 22 0 * *', /^day of month "0" is none/],
    ['0 22 * 13 *', /^month "13" is none: expected 1 to 12, or such as 1-3, NOV/],
    ['0 22 * JANFEB *', /^month "JANFEB" is none/],
    ['0 22 * * 8', /^day of week "8" is none: expected 0 to 7/],
    ['0 22 * * 2#6', 'day of week "2#6" needs a number from 1 to 5 after the #'],
    ['0 22 * * 2#', 'day of week "2#" needs a number from 1 to 5 after the #'],
    ['0 22 * * L', /^day of week "L" is none/],
    ['0 22 W * *', /^day of month "W" is none/],
    ['0 22 1-5W * *', /^day of month "1-5W" is none/],
    ['0 22 L-31 * *', /^day of month "L-31" is none/],
    ['0 22 */0 * *', 'day of month "*/0" needs a whole number from 1 after the /'],
    ['0 22 5/5 * *', /^day of month "5\/5" is none/],
    ['? 22 * * *', /^minute "\?" is none/],
    ['0 22 H * *', /^day of month "H" is none/],
    ['0 22 1,, * *', /^day of month "" is none/],
    ['0 0 30 2 *', 'no day ever has day of month 30, month 2 and day of week *'],
    ['0 0 31 4,6 *', 'no day ever has day of month 31, month 4,6 and day of week *'],
    ['0 0 30 * 2#1', 'no day ever has day of month 30, month * and day of week 2#1'],
    ['0 0 L-29 2 *', 'no day ever has day of month L-29, month 2 and day of week *'],
  ])('%s says why', (expression, message) => {
    const answer = parseCron(expression);
    const said = answer.kind === 'invalid' ? answer.message : 'taken';
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
  });
});

describe('node-cron', () => {
  const someDays = fc.array(fc.integer({ min: Date.UTC(2024, 0, 1) / dayMs, max: Date.UTC(2080, 0, 1) / dayMs }), {
    minLength: 2,
    maxLength: 2,
  });

  it('takes what is taken here, and refuses what is refused, but for days that never come', () => {
    let taken = 0;
    fc.assert(
      fc.property(cronExpressions, (expression) => {
        const answer = parseCron(expression);
        if (answer.kind === 'ok') taken += 1;
        const neverComes = answer.kind === 'invalid' && answer.message.startsWith('no day ever has');
        if (!neverComes) expect(nodeCronTakes(expression)).toBe(answer.kind === 'ok');
      }),
      { numRuns: 1000 },
    );
    expect(taken).toBeGreaterThan(500);
  });

  it('opens on the same days and at the same times', () => {
    let opened = 0;
    fc.assert(
      fc.property(cronExpressions, someDays, fc.nat(), (expression, starts, place) => {
        const answer = parseCron(expression);
        if (answer.kind === 'invalid') return;
        const { secondsOfDay, days } = answer.cron;
        const second = secondsOfDay[place % secondsOfDay.length] ?? 0;
        // The next day that matches, those around it, and a second later, which matches only where every second does.
        const instants = starts.flatMap((start) => {
          const day = daysOf(days, start, 400 * 366).next().value ?? start;
          const at = day * dayMs + second * 1000;
          return [at, at - dayMs, at + dayMs, start * dayMs + second * 1000, at + 1000];
        });
        const ours = instants.map(
          (at) => matchesDay(days, Math.floor(at / dayMs)) && secondsOfDay.includes((at % dayMs) / 1000),
        );
        opened += ours.filter((opens) => opens).length;
        expect(ours).toEqual(nodeCronMatches(expression, instants));
      }),
      { numRuns: 500 },
    );
    expect(opened).toBeGreaterThan(700);
  });

  it('agrees on every day of two years, a leap year first', () => {
    const instants = Array.from({ length: 366 * 2 }, (_, day) => Date.UTC(2024, 0, 1 + day));
    for (const dayOfMonth of ['L', 'L-1', 'L-27', 'LW', '1W', '15W', '30W', '31W', '*']) {
      for (const dayOfWeek of ['*', '1#1', '7#5', '5L', '0L', '6-1']) {
        const expression = `0 0 ${dayOfMonth} * ${dayOfWeek}`;
        const answer = parseCron(expression);
        if (answer.kind === 'invalid') continue;
        const ours = instants.map((at) => matchesDay(answer.cron.days, at / dayMs));
        expect(ours, expression).toEqual(nodeCronMatches(expression, instants));
      }
    }
  });
});

describe('croner, asked for AND', () => {
  it('opens on the same days, where it takes the expression', () => {
    let compared = 0;
    fc.assert(
      fc.property(cronExpressions, (expression) => {
        const answer = parseCron(expression);
        if (answer.kind === 'invalid') return;
        const fields = expression.split(' ').slice(-3).join(' ');
        const other = cronerOrNone(`0 0 0 ${fields}`);
        if (other === undefined) return;
        compared += 1;
        const from = Date.UTC(2026, 0, 1);
        const [day] = daysOf(answer.cron.days, from / dayMs, 400 * 366);
        // It looks for what comes after the instant that it is given.
        expect(other.nextRun(new Date(from - 1000))?.getTime()).toBe((day ?? 0) * dayMs);
      }),
      { numRuns: 200 },
    );
    expect(compared).toBeGreaterThan(50);
  });

  function cronerOrNone(expression: string): Cron | undefined {
    try {
      return new Cron(expression, { timezone: 'UTC', domAndDow: true, mode: '6-part' });
    } catch {
      return undefined;
    }
  }
});
