import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stateAt } from '../../src/calendar/decide.js';
import { periodOf } from '../../src/calendar/period.js';
import type { Schedule } from '../../src/calendar/schedule.js';
import { windowsFrom } from '../../src/calendar/windows.js';
import { intlClock } from './intlClock.js';
import {
  cron,
  freeze,
  frozenBy,
  hourMs,
  instants,
  inZurich,
  isInRules,
  iso,
  minuteMs,
  once,
  schedules,
} from './schedules.js';

/** Opening and close of the windows that follow, in UTC. */
function spans(schedule: Schedule, from: string, count: number): string[] {
  return windowsFrom({ schedule, from: Date.parse(from), count }).map(
    ({ opensAt, closesAt }) => `${iso(opensAt)} ${iso(closesAt)}`,
  );
}

describe('daylight saving', () => {
  it.each([
    ['Europe/Zurich', '30 2 * 3 0L', '2026-03-29T01:00:00Z 2026-03-29T03:00:00Z', 'opens-after-gap'],
    [
      'Europe/Zurich',
      '30 2 * 10 0L',
      '2026-10-25T00:30:00Z 2026-10-25T02:30:00Z',
      'opens-at-first-pass clock-set-while-open -60',
    ],
    ['Europe/Zurich', '0 1 * 3 0L', '2026-03-29T00:00:00Z 2026-03-29T02:00:00Z', 'clock-set-while-open 60'],
    ['Europe/Zurich', '0 22 * 10 6L', '2026-10-31T21:00:00Z 2026-10-31T23:00:00Z', ''],
    ['America/New_York', '30 2 * 3 0#2', '2026-03-08T07:00:00Z 2026-03-08T09:00:00Z', 'opens-after-gap'],
    [
      'America/New_York',
      '30 1 * 11 0#1',
      '2026-11-01T05:30:00Z 2026-11-01T07:30:00Z',
      'opens-at-first-pass clock-set-while-open -60',
    ],
    ['Australia/Lord_Howe', '15 2 * 10 0#1', '2026-10-03T15:30:00Z 2026-10-03T17:30:00Z', 'opens-after-gap'],
    [
      'Australia/Lord_Howe',
      '45 1 * 4 0#1',
      '2026-04-04T14:45:00Z 2026-04-04T16:45:00Z',
      'opens-at-first-pass clock-set-while-open -30',
    ],
    ['Australia/Lord_Howe', '15 1 * 4 0#1', '2026-04-04T14:15:00Z 2026-04-04T16:15:00Z', 'clock-set-while-open -30'],
  ])('in %s, %s lasts 2 h of real time: %s %s', (timeZone, expression, span, remarks) => {
    const schedule = { timeZone, windows: [cron(expression, 2 * hourMs)], freezes: [] };
    const from = Date.parse('2026-01-01T00:00:00Z');
    expect(spans(schedule, iso(from), 1)).toEqual([span]);
    const said = windowsFrom({ schedule, from, count: 1 }).flatMap((window) =>
      window.remarks.map((remark) =>
        remark.kind === 'clock-set-while-open' ? `${remark.kind} ${String(remark.byMs / minuteMs)}` : remark.kind,
      ),
    );
    expect(said.join(' ')).toBe(remarks);
  });

  it('opens what comes every 20 minutes once for all that the gap skips', () => {
    const schedule = inZurich([cron('*/20 1-3 29 3 *', minuteMs)]);
    const opened = windowsFrom({ schedule, from: Date.parse('2026-03-28T12:00:00Z'), count: 7 });
    expect(opened.map(({ opensAt }) => iso(opensAt).slice(11, 16))).toEqual([
      ...['00:00', '00:20', '00:40'],
      ...['01:00', '01:20', '01:40'],
      '23:00',
    ]);
  });
});

describe('the windows of a schedule', () => {
  it('go over midnight and belong to the month of their opening', () => {
    const schedule = inZurich([cron('0 22 L * *', 6 * hourMs)]);
    const [window] = windowsFrom({ schedule, from: Date.parse('2026-11-30T23:30:00Z'), count: 1 });
    expect(iso(window?.opensAt ?? 0)).toBe('2026-11-30T21:00:00Z');
    expect(iso(window?.closesAt ?? 0)).toBe('2026-12-01T03:00:00Z');
    expect(periodOf(window?.opening ?? 0, 'Europe/Zurich')).toBe('2026-11');
  });

  it('are one where they overlap or touch', () => {
    const overlap = inZurich([cron('0 22 10 11 *', 3 * hourMs), cron('0 0 11 11 *', 4 * hourMs)]);
    expect(spans(overlap, '2026-11-01T00:00:00Z', 1)).toEqual(['2026-11-10T21:00:00Z 2026-11-11T03:00:00Z']);
    const touching = inZurich([cron('0 22-23 10 11 *', hourMs), once('2026-11-11T00:00', hourMs)]);
    expect(spans(touching, '2026-11-01T00:00:00Z', 1)).toEqual(['2026-11-10T21:00:00Z 2026-11-11T00:00:00Z']);
  });

  it('come to an end where a window of the next month opens', () => {
    const schedule = inZurich([cron('0 22 L 11 *', 6 * hourMs), cron('0 2 1 12 *', hourMs)]);
    const found = windowsFrom({ schedule, from: Date.parse('2026-11-15T00:00:00Z'), count: 2 });
    expect(found.map(({ opensAt, closesAt }) => `${iso(opensAt)} ${iso(closesAt)}`)).toEqual([
      '2026-11-30T21:00:00Z 2026-12-01T01:00:00Z',
      // It has what was left of the first.
      '2026-12-01T01:00:00Z 2026-12-01T03:00:00Z',
    ]);
    expect(found.map(({ opening }) => periodOf(opening, 'Europe/Zurich'))).toEqual(['2026-11', '2026-12']);
  });

  it('of every day of 24 hours are the months', () => {
    const schedule = inZurich([cron('0 0 * * *', 25 * hourMs)]);
    const found = windowsFrom({ schedule, from: Date.parse('2026-11-20T00:00:00Z'), count: 3 });
    expect(found.map(({ opensAt }) => iso(opensAt))).toEqual([
      '2026-10-31T23:00:00Z',
      '2026-11-30T23:00:00Z',
      '2026-12-31T23:00:00Z',
    ]);
  });

  it('may be of seconds, many a minute', () => {
    const schedule = inZurich([cron('*/20 * * * * *', 5000)]);
    expect(spans(schedule, '2026-11-10T21:00:04.999Z', 3)).toEqual([
      '2026-11-10T21:00:00Z 2026-11-10T21:00:05Z',
      '2026-11-10T21:00:20Z 2026-11-10T21:00:25Z',
      '2026-11-10T21:00:40Z 2026-11-10T21:00:45Z',
    ]);
    expect(spans(schedule, '2026-11-10T21:00:05Z', 1)).toEqual(['2026-11-10T21:00:20Z 2026-11-10T21:00:25Z']);
  });

  it('are asked for up to an instant, and none is no error', () => {
    const schedule = inZurich([cron('0 22 * * 2#2', 6 * hourMs), once('2020-01-01T00:00', hourMs)]);
    const request = { schedule, from: Date.parse('2026-11-01T00:00:00Z'), until: Date.parse('2027-02-01T00:00:00Z') };
    expect(windowsFrom(request).map(({ opensAt }) => iso(opensAt).slice(0, 10))).toEqual([
      '2026-11-10',
      '2026-12-08',
      '2027-01-12',
    ]);
    expect(windowsFrom({ ...request, schedule: inZurich([once('2020-01-01T00:00', hourMs)]) })).toEqual([]);
    expect(windowsFrom({ ...request, schedule: inZurich([]) })).toEqual([]);
  });
});

describe('a freeze', () => {
  it('ends a window where it begins, and what is left after it is open again', () => {
    const schedule = inZurich([cron('0 22 10 11 *', 50 * hourMs)], [freeze('2026-11-11', '2026-11-11', 'Launch')]);
    const found = windowsFrom({ schedule, from: Date.parse('2026-11-01T00:00:00Z'), count: 2 });
    expect(found.map(({ opensAt, closesAt }) => `${iso(opensAt)} ${iso(closesAt)}`)).toEqual([
      '2026-11-10T21:00:00Z 2026-11-10T23:00:00Z',
      '2026-11-11T23:00:00Z 2026-11-12T23:00:00Z',
    ]);
    expect(found.map(({ endedBy }) => endedBy)).toEqual(['Launch', undefined]);
    expect(found.map(({ opening }) => iso(opening))).toEqual(['2026-11-10T21:00:00Z', '2026-11-10T21:00:00Z']);
  });

  it('covers a window that opens on its last day, up to midnight of the zone', () => {
    const schedule = inZurich([cron('0 22 * * *', 6 * hourMs)], [freeze('2026-12-15', '2027-01-06', 'Year end')]);
    expect(spans(schedule, '2026-12-14T12:00:00Z', 3)).toEqual([
      '2026-12-14T21:00:00Z 2026-12-14T23:00:00Z',
      '2027-01-06T23:00:00Z 2027-01-07T03:00:00Z',
      '2027-01-07T21:00:00Z 2027-01-08T03:00:00Z',
    ]);
  });

  it.each([
    ['month-end', 3, 1, ['11-26', '12-02', '12-27', '01-02', '01-27', '02-02', '02-24', '03-02']],
    ['quarter-end', 0, 0, ['12-30', '01-01']],
    ['year-end', 16, 6, ['12-14', '01-07']],
  ] as const)(
    'as %s with %i days before and %i after leaves these days beside it',
    (rule, daysBefore, daysAfter, beside) => {
      const freezes = [{ kind: 'rule' as const, name: 'Close', rule, daysBefore, daysAfter }];
      const schedule = inZurich([cron('0 12 * * *', hourMs)], freezes);
      const request = { schedule, from: Date.parse('2026-11-15T00:00:00Z'), until: Date.parse('2027-03-15T00:00:00Z') };
      const days = windowsFrom(request).map(({ opensAt }) => opensAt);
      const edges = days.flatMap((at, place) => {
        const next = days[place + 1];
        return next !== undefined && next - at > 30 * hourMs ? [at, next] : [];
      });
      expect(edges.map((at) => iso(at).slice(5, 10))).toEqual(beside);
    },
  );
});

describe('for every schedule and instant', () => {
  it('windows are in order, do not overlap and hold no frozen instant', () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, from) => {
        const found = windowsFrom({ schedule, from, count: 4 });
        found.forEach(({ opensAt, closesAt, opening }, place) => {
          expect(closesAt).toBeGreaterThan(Math.max(opensAt, from));
          expect(opensAt).toBeGreaterThanOrEqual(found[place - 1]?.closesAt ?? Number.NEGATIVE_INFINITY);
          expect(opening).toBeLessThanOrEqual(opensAt);
          for (const at of [opensAt, (opensAt + closesAt) / 2, closesAt - 1000]) {
            expect(frozenBy(schedule, Math.floor(at))).toBeUndefined();
            expect(isInRules(schedule, Math.floor(at))).toBe(true);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it('it is open exactly when a rule says so and no freeze', () => {
    let open = 0;
    fc.assert(
      fc.property(schedules, instants, fc.double({ min: -0.2, max: 1.2, noNaN: true }), (schedule, from, share) => {
        // Around a window, so that both happen often.
        const [window] = windowsFrom({ schedule: { ...schedule, freezes: [] }, from, count: 1 });
        const lengthMs = window === undefined ? 0 : window.closesAt - window.opensAt;
        const now = (window?.opensAt ?? from) + Math.round(share * lengthMs);
        const state = stateAt({ schedule, now });
        const inRules = isInRules(schedule, now);
        const name = frozenBy(schedule, now);
        if (inRules && name === undefined) {
          open += 1;
          expect(state).toMatchObject({ kind: 'open' });
        } else {
          expect(state.kind).toBe('closed');
          expect(state.kind === 'closed' && state.frozenBy !== undefined).toBe(inRules);
        }
      }),
      { numRuns: 150 },
    );
    expect(open).toBeGreaterThan(40);
  });

  it('a window is the same whenever it is asked for', () => {
    fc.assert(
      fc.property(schedules, instants, fc.nat(60 * 24), (schedule, from, laterHours) => {
        const later = from + laterHours * hourMs;
        const request = { schedule, from, until: later + 40 * 24 * hourMs };
        const known = windowsFrom(request).filter(({ closesAt }) => closesAt > later);
        expect(windowsFrom({ ...request, from: later })).toEqual(known);
      }),
      { numRuns: 60 },
    );
  });

  it('a window is of one month', () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, from) => {
        const clock = intlClock(schedule.timeZone);
        const openings = windowsFrom({ schedule: { ...schedule, freezes: [] }, from, count: 6 });
        openings.slice(1).forEach(({ opening, opensAt }, place) => {
          const touches = openings[place]?.closesAt === opensAt;
          const before = openings[place]?.opening ?? 0;
          if (touches) expect(clock(opening).slice(0, 7)).not.toBe(clock(before).slice(0, 7));
        });
      }),
      { numRuns: 60 },
    );
  });
});
