import { describe, expect, it } from 'vitest';
import { closedForYear } from '../../src/calendar/closedForYear.js';
import { coverageFindings, type CoverageRequest } from '../../src/calendar/coverage.js';
import { dayMs } from '../../src/calendar/wallClock.js';
import { cron, freeze, hourMs, inZurich, minuteMs, once } from './schedules.js';

const now = Date.parse('2026-11-01T12:00:00Z');
/** 10 November, 8 December, 12 January, 9 February … */
const monthly = inZurich([cron('0 22 * * 2#2', 6 * hourMs)]);

function said(request: Partial<CoverageRequest>): string[] {
  return coverageFindings({ schedule: monthly, coverageMs: 40 * dayMs, now, ...request }).map(
    ({ reason, message, hint }) => `${reason}: ${message} ${hint}`,
  );
}

describe('the coverage that windows can give', () => {
  it('is five weeks and a window for the second Tuesdays', () => {
    expect(said({})).toEqual([]);
    expect(said({ coverageMs: 35 * dayMs + 6 * hourMs })).toEqual([]);
    expect(said({ coverageMs: 35 * dayMs })).toEqual([
      'gap: A node that is first on 2026-12-08 22:00 and last on 2027-01-13 04:00 waits 35 d 6 h, longer than the coverage of 35 d, and so it is with 3 other months. Open windows more often, or raise the coverage to 36d.',
    ]);
  });

  it('is less where a freeze takes a month', () => {
    const schedule = { ...monthly, freezes: [freeze('2026-12-01', '2027-01-06')] };
    expect(said({ schedule })).toEqual([
      'gap: A node that is first on 2026-11-10 22:00 and last on 2027-01-13 04:00 waits 63 d 6 h, longer than the coverage of 40 d. Open windows more often, or raise the coverage to 64d.',
    ]);
  });

  it('counts the windows that the turns need, where their number is known', () => {
    const weekly = inZurich([cron('0 22 * * 2', 6 * hourMs)]);
    const turns = { count: 60, expectedMs: 15 * minuteMs, concurrency: 1 };
    expect(said({ schedule: weekly })).toEqual([]);
    // 15 hours are three windows: the third Tuesday, three hours later.
    expect(said({ schedule: weekly, turns: { ...turns, count: 24 } })).toEqual([]);
    expect(said({ schedule: weekly, turns })).toEqual([
      'gap: A node that is first on 2026-12-01 22:00 and last on 2027-01-20 01:00 waits 49 d 3 h, longer than the coverage of 40 d, and so it is with 11 other months. Open windows more often, or raise the coverage to 50d.',
    ]);
    expect(said({ schedule: weekly, turns: { ...turns, concurrency: 3 } })).toEqual([]);
  });

  it('is none where the windows are shorter than the turns', () => {
    const turns = { count: 50, expectedMs: 15 * minuteMs, concurrency: 1 };
    expect(said({ turns }).filter((line) => line.startsWith('time'))).toEqual([
      'time: In the 40 d from 2026-11-10 22:00 the windows are open for 12 h, and 50 turns of about 15 min, 1 at a time, take 12 h 30 min. Open more or longer windows, let more turns overlap, or raise the coverage.',
    ]);
    expect(said({ turns: { ...turns, count: 24 } })).toEqual([]);
  });

  it('ends with the last window', () => {
    expect(said({ schedule: inZurich([once('2026-11-10T22:00', hourMs)]) })).toEqual([
      'gap: After the window of 2026-11-10 22:00 none opens for 390 d 15 h and more, longer than the coverage of 40 d. Add a window that comes again, or leave the coverage out.',
    ]);
    expect(said({ schedule: inZurich([once('2020-11-10T22:00', hourMs)]) })).toEqual([
      'gap: After 2026-11-01 13:00 none opens for 400 d and more, longer than the coverage of 40 d. Add a window that comes again, or leave the coverage out.',
    ]);
  });

  it('is broken by freezes alone where it is always open', () => {
    const freezes = [freeze('2026-12-01', '2026-12-20', 'Sale'), freeze('2026-12-21', '2027-01-15', 'Year end')];
    expect(said({ schedule: inZurich([], freezes) })).toEqual([
      'gap: From 2026-12-01 00:00 to 2027-01-16 00:00 nothing starts (Sale, Year end): 46 d, longer than the coverage of 40 d. Shorten the freeze, or raise the coverage.',
    ]);
    expect(said({ schedule: inZurich([], freezes.slice(0, 1)) })).toEqual([]);
  });
});

describe('a schedule with which nothing starts for a year', () => {
  it('is one whose windows freezes cover, by name', () => {
    const freezes = [freeze('2026-01-01', '2027-06-30', 'Audit'), freeze('2027-07-01', '2028-01-01', 'Merger')];
    expect(closedForYear({ schedule: { ...monthly, freezes }, now })).toEqual({
      kind: 'frozen',
      windows: 12,
      freezes: ['Audit', 'Merger'],
    });
    expect(closedForYear({ schedule: { ...monthly, freezes: freezes.slice(1) }, now })).toBeUndefined();
    expect(closedForYear({ schedule: inZurich([], freezes), now })).toMatchObject({ kind: 'frozen', windows: 0 });
  });

  it('is one whose windows are past', () => {
    expect(closedForYear({ schedule: inZurich([once('2026-10-31T22:00', hourMs)]), now })).toEqual({
      kind: 'no-window',
    });
    expect(closedForYear({ schedule: inZurich([once('2026-11-01T12:30', hourMs)]), now })).toBeUndefined();
  });

  it('is not one without windows and freezes', () => {
    expect(closedForYear({ schedule: inZurich([]), now })).toBeUndefined();
    expect(closedForYear({ schedule: inZurich([], [freeze('2026-10-01', '2027-06-30')]), now })).toBeUndefined();
  });
});
