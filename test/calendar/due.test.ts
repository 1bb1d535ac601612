import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stateAt } from '../../src/calendar/decide.js';
import { due, type Due, type PastRun } from '../../src/calendar/due.js';
import { nextPeriod, periodOf, startOfPeriod } from '../../src/calendar/period.js';
import { windowsFrom } from '../../src/calendar/windows.js';
import { cron, freeze, hourMs, instants, inZurich, iso, once, schedules } from './schedules.js';

const ended = (period: string): PastRun => ({ period, isEnded: true });
const unfinished = (period: string): PastRun => ({ period, isEnded: false });

/** What is due, on one line. */
function said(answer: Due): string {
  const missed = answer.missed.length === 0 ? '' : `; missed ${answer.missed.join(' ')}`;
  switch (answer.kind) {
    case 'begin':
      return `begin ${[answer.period, ...answer.supersedes.map((period) => `for ${period}`)].join(' ')}${missed}`;
    case 'continue':
      return `continue ${answer.period}${missed}`;
    case 'nothing':
      return `nothing until ${answer.until === undefined ? 'ever' : iso(answer.until)}${missed}`;
  }
}

/** The second Tuesday, 22:00 to 04:00: 10 November, 8 December 2026, 12 January, 9 February 2027. */
const monthly = inZurich([cron('0 22 * * 2#2', 6 * hourMs)]);
const weekly = inZurich([cron('0 22 * * 2', 6 * hourMs)]);

describe('what is due of a monthly window', () => {
  it.each([
    ['before the window', '2026-11-10T20:59:59Z', [ended('2026-10')], 'nothing until 2026-11-10T21:00:00Z'],
    ['as it opens', '2026-11-10T21:00:00Z', [ended('2026-10')], 'begin 2026-11'],
    ['in its last second', '2026-11-11T02:59:59Z', [ended('2026-10')], 'begin 2026-11'],
    [
      'when it has closed',
      '2026-11-11T03:00:00Z',
      [ended('2026-10')],
      'nothing until 2026-12-08T21:00:00Z; missed 2026-11',
    ],
    ['in it, when it is begun', '2026-11-10T22:00:00Z', [unfinished('2026-11')], 'continue 2026-11'],
    ['in it, when it is done', '2026-11-10T22:00:00Z', [ended('2026-11')], 'nothing until 2026-12-08T21:00:00Z'],
    [
      'after it, with nodes left',
      '2026-11-20T00:00:00Z',
      [unfinished('2026-11')],
      'nothing until 2026-12-08T21:00:00Z',
    ],
    ['in the next, with nodes left', '2026-12-08T21:30:00Z', [unfinished('2026-11')], 'begin 2026-12 for 2026-11'],
    ['in the first of all', '2026-11-10T21:00:00Z', [], 'begin 2026-11'],
    ['before the first of all', '2026-11-01T00:00:00Z', [], 'nothing until 2026-11-10T21:00:00Z'],
    [
      'after three months of sleep',
      '2027-02-20T00:00:00Z',
      [ended('2026-10')],
      'nothing until 2027-03-09T21:00:00Z; missed 2026-11 2026-12 2027-01 2027-02',
    ],
    [
      'in a window after sleep',
      '2027-01-12T22:00:00Z',
      [unfinished('2026-10')],
      'begin 2027-01 for 2026-10; missed 2026-11 2026-12',
    ],
    ['when somebody was early', '2026-11-10T21:00:00Z', [ended('2026-12')], 'nothing until 2027-01-12T21:00:00Z'],
    ['when somebody was early and is not done', '2026-11-10T21:00:00Z', [unfinished('2026-12')], 'continue 2026-12'],
    [
      'when a run took the place of another',
      '2026-11-10T22:00:00Z',
      [ended('2026-11'), unfinished('2026-11')],
      'continue 2026-11',
    ],
  ])('%s, at %s, of %j is: %s', (_when, now, runs, expected) => {
    expect(said(due({ schedule: monthly, now: Date.parse(now), runs }))).toBe(expected);
  });

  it('counts months from where runs are expected', () => {
    const request = { schedule: monthly, now: Date.parse('2027-01-01T00:00:00Z'), runs: [] };
    expect(due(request).missed).toEqual([]);
    expect(due({ ...request, since: Date.parse('2026-11-30T00:00:00Z') }).missed).toEqual(['2026-12']);
    expect(due({ ...request, since: Date.parse('2026-11-11T00:00:00Z') }).missed).toEqual(['2026-11', '2026-12']);
  });
});

describe('what is due of a weekly window', () => {
  it.each([
    ['goes on in the next window of the month', '2026-11-17T22:00:00Z', [unfinished('2026-11')], 'continue 2026-11'],
    ['waits for it', '2026-11-12T00:00:00Z', [unfinished('2026-11')], 'nothing until 2026-11-17T21:00:00Z'],
    [
      'is nothing in a month that is done',
      '2026-11-17T22:00:00Z',
      [ended('2026-11')],
      'nothing until 2026-12-01T21:00:00Z',
    ],
    [
      'is not lost while the month has another window',
      '2026-11-12T00:00:00Z',
      [ended('2026-10')],
      'nothing until 2026-11-17T21:00:00Z',
    ],
  ])('%s', (_what, now, runs, expected) => {
    expect(said(due({ schedule: weekly, now: Date.parse(now), runs }))).toBe(expected);
  });
});

describe('a freeze', () => {
  const frozen = { ...monthly, freezes: [freeze('2026-12-01', '2027-01-06')] };

  it('that covers the windows of a month has it missed by nobody', () => {
    const now = Date.parse('2026-12-20T00:00:00Z');
    expect(said(due({ schedule: frozen, now, runs: [ended('2026-11')] }))).toBe('nothing until 2027-01-12T21:00:00Z');
  });

  it('that ends within a window leaves its month to be begun', () => {
    const schedule = inZurich([cron('0 22 31 12 *', 12 * hourMs)], [freeze('2026-12-15', '2026-12-31')]);
    const request = { schedule, now: Date.parse('2027-01-01T00:00:00Z'), runs: [ended('2026-11')] };
    expect(said(due(request))).toBe('begin 2026-12');
  });
});

describe('a schedule without windows', () => {
  it.each([
    ['2026-11-30T22:59:59Z', [ended('2026-11')], 'nothing until 2026-11-30T23:00:00Z'],
    ['2026-11-30T23:00:00Z', [ended('2026-11')], 'begin 2026-12'],
    ['2026-11-30T23:00:00Z', [unfinished('2026-11')], 'begin 2026-12 for 2026-11'],
    ['2026-12-20T00:00:00Z', [ended('2026-11')], 'nothing until 2027-01-06T23:00:00Z; missed 2026-12'],
    ['2026-12-20T00:00:00Z', [unfinished('2026-12')], 'nothing until 2027-01-06T23:00:00Z'],
    ['2026-10-25T00:30:00Z', [ended('2026-09')], 'begin 2026-10'],
    ['2026-10-31T22:30:00Z', [ended('2026-09')], 'begin 2026-10'],
  ])('has its months begin at midnight of the zone: %s, %j, %s', (now, runs, expected) => {
    const schedule = inZurich([], [freeze('2026-12-15', '2027-01-06')]);
    expect(said(due({ schedule, now: Date.parse(now), runs }))).toBe(expected);
  });
});

describe('a schedule whose windows are past', () => {
  it('has nothing due, ever', () => {
    const schedule = inZurich([once('2026-11-10T22:00', hourMs)]);
    const request = { schedule, now: Date.parse('2027-01-01T00:00:00Z'), runs: [ended('2026-10')] };
    expect(said(due(request))).toBe('nothing until ever; missed 2026-11');
  });
});

describe('ticks at any instants, pauses and restarts', () => {
  /** Ticks inside windows: their part, and where in it. */
  const sleeps = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 });
  const shares = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 12, maxLength: 12 });

  it('begin each month that has a window in which somebody was awake once, and name the others', () => {
    let begunInAll = 0;
    let missedInAll = 0;
    fc.assert(
      fc.property(schedules, instants, sleeps, shares, fc.boolean(), (schedule, from, asleep, places, finishes) => {
        const windows = windowsFrom({ schedule, from, count: 12 });
        const runs: PastRun[] = [];
        const begun: string[] = [];
        const missed = new Set<string>();
        const awakeIn = new Set<string>();
        let last = from;
        windows.forEach(({ opensAt, closesAt, opening }, place) => {
          if (asleep[place] === true) return;
          const openFrom = Math.max(opensAt, from);
          const now = openFrom + Math.floor((places[place] ?? 0) * (closesAt - openFrom));
          last = now;
          awakeIn.add(periodOf(opening, schedule.timeZone));
          // A restart knows nothing but the runs: whatever was decided, the same is decided again.
          const answer = due({ schedule, now, runs, since: from });
          expect(due({ schedule, now, runs: [...runs].reverse(), since: from })).toEqual(answer);
          for (const period of answer.missed) missed.add(period);
          if (begun.includes(periodOf(opening, schedule.timeZone))) {
            expect(answer.kind).toBe(finishes ? 'nothing' : 'continue');
          }
          if (answer.kind !== 'begin') return;
          begun.push(answer.period);
          for (let index = 0; index < runs.length; index += 1) runs[index] = ended(runs[index]?.period ?? '');
          runs.push({ period: answer.period, isEnded: finishes });
        });
        expect(begun).toEqual([...awakeIn].sort());
        // Whoever looks at the end, or looked when the next run began, was told of every other month.
        const now = Math.max(last, windows.at(-1)?.closesAt ?? from);
        for (const period of due({ schedule, now, runs, since: from }).missed) missed.add(period);
        const all = new Set(windows.map(({ opening }) => periodOf(opening, schedule.timeZone)));
        const next = windowsFrom({ schedule, from: now, count: 1 })[0];
        const open = next === undefined ? undefined : periodOf(next.opening, schedule.timeZone);
        const lost = [...all].filter((period) => !awakeIn.has(period) && (open === undefined || period < open));
        expect([...missed].sort()).toEqual(lost.sort());
        begunInAll += begun.length;
        missedInAll += missed.size;
      }),
      { numRuns: 30 },
    );
    expect(begunInAll).toBeGreaterThan(30);
    expect(missedInAll).toBeGreaterThan(2);
  });

  it('are told until when nothing is due, and not an instant too late', () => {
    fc.assert(
      fc.property(schedules, instants, fc.boolean(), fc.boolean(), (schedule, now, isEnded, hasRun) => {
        const runs = hasRun ? [{ period: periodOf(now, schedule.timeZone), isEnded }] : [];
        const answer = due({ schedule, now, runs });
        if (answer.kind !== 'nothing' || answer.until === undefined) return;
        expect(answer.until).toBeGreaterThan(now);
        expect(due({ schedule, now: answer.until, runs }).kind).not.toBe('nothing');
        expect(due({ schedule, now: answer.until - 1000, runs })).toMatchObject({
          kind: 'nothing',
          until: answer.until,
        });
      }),
      { numRuns: 60 },
    );
  });

  it('find something to do only where it is open', () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, now) => {
        if (due({ schedule, now, runs: [] }).kind !== 'nothing') expect(stateAt({ schedule, now }).kind).toBe('open');
        const { windows: _none, ...rest } = schedule;
        const always = { ...rest, windows: [] };
        expect(due({ schedule: always, now, runs: [] }).kind === 'begin').toBe(
          stateAt({ schedule: always, now }).kind === 'always',
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('periods', () => {
  it('follow each other, and begin at the first instant of their month', () => {
    expect(nextPeriod('2026-12')).toBe('2027-01');
    expect(nextPeriod('2026-09')).toBe('2026-10');
    expect(iso(startOfPeriod('2026-11', 'Europe/Zurich'))).toBe('2026-10-31T23:00:00Z');
    expect(periodOf(Date.parse('2026-10-31T23:00:00Z'), 'Europe/Zurich')).toBe('2026-11');
    expect(periodOf(Date.parse('2026-10-31T22:59:59Z'), 'Europe/Zurich')).toBe('2026-10');
  });
});
