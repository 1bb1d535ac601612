import { describe, expect, it } from 'vitest';
import { comingWindows } from '../../src/calendar/comingWindows.js';
import type { FreezeRule, Schedule } from '../../src/calendar/schedule.js';
import { scheduleJson } from '../../src/console/scheduleJson.js';
import { scheduleText } from '../../src/console/scheduleText.js';
import { cron, freeze, hourMs, inZurich, once } from '../calendar/schedules.js';

function named(schedule: Schedule, now: string, count: number) {
  const coming = comingWindows({ schedule, now: Date.parse(now), count });
  return { playbook: 'monthly', timeZone: schedule.timeZone, coming };
}

const yearEnd = freeze('2026-12-15', '2027-01-06', 'Year end');
const holidays: FreezeRule = {
  kind: 'calendar',
  name: 'Holidays',
  events: [{ kind: 'dates', summary: 'Berchtold\u001b[31m', from: '2027-01-13', until: '2027-01-13' }],
};

describe('the coming windows as text', () => {
  it('are a line each, with what freezes leave of them', () => {
    const windows = [cron('0 22 * * 2#2', 6 * hourMs), once('2026-12-20T22:00', 2 * hourMs)];
    const schedule = inZurich(windows, [yearEnd, holidays]);
    expect(scheduleText(named(schedule, '2026-12-01T12:00:00Z', 3))).toEqual([
      'Schedule of playbook monthly in Europe/Zurich',
      'Now, 2026-12-01 13:00 +01:00: closed until 2026-12-08 22:00 +01:00',
      '',
      'RUN      OPENS                        CLOSES                       UTC                                     OPEN  REMARKS',
      '2026-12  Tue 2026-12-08 22:00 +01:00  Wed 2026-12-09 04:00 +01:00  2026-12-08 21:00Z to 2026-12-09 03:00Z  6 h',
      '2026-12  Sun 2026-12-20 22:00 +01:00  Mon 2026-12-21 00:00 +01:00  2026-12-20 21:00Z to 23:00Z             -     frozen: Year end',
      '2027-01  Tue 2027-01-12 22:00 +01:00  Wed 2027-01-13 00:00 +01:00  2027-01-12 21:00Z to 23:00Z             2 h   ends early: Holidays (Berchtold) begins; without it 2027-01-13 04:00',
      '',
      'FROM              UNTIL             FREEZE',
      '2026-12-15 00:00  2027-01-07 00:00  Year end',
      '2027-01-13 00:00  2027-01-14 00:00  Holidays (Berchtold)',
    ]);
  });

  it.each([
    ['30 2 * 3 0L', 'opens at 03:00 instead of 02:30: the clock goes forward'],
    [
      '30 2 * 10 0L',
      '02:30 comes twice as the clock goes back: opens at the first; the clock goes back while it is open: 6 h of real time are 5 h by the clock',
    ],
    ['0 23 28 3 *', 'the clock goes forward while it is open: 6 h of real time are 7 h by the clock'],
  ])('say what daylight saving does to %s', (expression, remark) => {
    const schedule = inZurich([cron(expression, 6 * hourMs)]);
    expect(scheduleText(named(schedule, '2026-01-01T00:00:00Z', 1)).at(-1)).toContain(remark);
  });

  it('say what is left of a window behind a freeze', () => {
    const schedule = inZurich([cron('0 22 6 1 *', 12 * hourMs)], [yearEnd]);
    expect(scheduleText(named(schedule, '2027-01-01T00:00:00Z', 1))[4]).toContain(
      'what Year end leaves of the window of 2027-01-06 22:00',
    );
  });

  it.each([
    ['2026-12-08T22:00:00Z', [], 'open until 2026-12-09 04:00 +01:00'],
    [
      '2026-12-08T22:00:00Z',
      [freeze('2026-12-09', '2026-12-09', 'Audit')],
      'open until 2026-12-09 00:00 +01:00, when Audit begins',
    ],
    [
      '2026-12-08T22:00:00Z',
      [freeze('2026-12-08', '2026-12-09', 'Audit')],
      'frozen by Audit until 2027-01-12 22:00 +01:00',
    ],
  ])('say how it is now, at %s with %j', (now, freezes, state) => {
    const schedule = inZurich([cron('0 22 * * 2#2', 6 * hourMs)], freezes);
    expect(scheduleText(named(schedule, now, 1))[1]).toMatch(new RegExp(`: ${state.replaceAll('+', '\\+')}$`));
  });

  it('are none where it is always open', () => {
    expect(scheduleText(named(inZurich([]), '2026-12-01T12:00:00Z', 3))).toEqual([
      'Schedule of playbook monthly in Europe/Zurich',
      'Now, 2026-12-01 13:00 +01:00: open; there are no windows and no freezes to come',
    ]);
    expect(scheduleText(named(inZurich([], [yearEnd]), '2026-12-01T12:00:00Z', 3))[1]).toBe(
      'Now, 2026-12-01 13:00 +01:00: open until 2026-12-15 00:00 +01:00, when Year end begins; there are no windows',
    );
  });

  it('are none where all are past', () => {
    expect(scheduleText(named(inZurich([once('2020-01-01T00:00', hourMs)]), '2026-12-01T12:00:00Z', 3))).toEqual([
      'Schedule of playbook monthly in Europe/Zurich',
      'Now, 2026-12-01 13:00 +01:00: closed, and not open again in the next ten years',
    ]);
  });

  it('leave out freezes beyond fifty, and say how many', () => {
    const events = Array.from({ length: 60 }, (_, place) => {
      const day = new Date(Date.UTC(2027, 0, 1 + 2 * place)).toISOString().slice(0, 10);
      return { kind: 'dates' as const, summary: '', from: day, until: day };
    });
    const lines = scheduleText(named(inZurich([], [{ ...holidays, events }]), '2026-12-01T12:00:00Z', 3));
    expect(lines.at(-1)).toBe('and 10 more');
  });
});

describe('the coming windows for programs', () => {
  it('hold every instant in UTC and local', () => {
    const schedule = inZurich([cron('30 2 * 3,12 0L', 3 * hourMs)], [yearEnd]);
    expect(scheduleJson(named(schedule, '2026-12-20T12:00:00Z', 2))).toEqual({
      playbook: 'monthly',
      timeZone: 'Europe/Zurich',
      now: { utc: '2026-12-20T12:00:00Z', local: '2026-12-20T13:00:00+01:00' },
      state: { open: false, until: { utc: '2027-03-28T01:00:00Z', local: '2027-03-28T03:00:00+02:00' } },
      windows: [
        {
          run: '2026-12',
          planned: {
            opens: { utc: '2026-12-27T01:30:00Z', local: '2026-12-27T02:30:00+01:00' },
            closes: { utc: '2026-12-27T04:30:00Z', local: '2026-12-27T05:30:00+01:00' },
            seconds: 10_800,
          },
          isFrozen: true,
          open: [],
          freezes: [
            {
              name: 'Year end',
              from: { utc: '2026-12-14T23:00:00Z', local: '2026-12-15T00:00:00+01:00' },
              until: { utc: '2027-01-06T23:00:00Z', local: '2027-01-07T00:00:00+01:00' },
            },
          ],
        },
        {
          run: '2027-03',
          planned: {
            opens: { utc: '2027-03-28T01:00:00Z', local: '2027-03-28T03:00:00+02:00' },
            closes: { utc: '2027-03-28T04:00:00Z', local: '2027-03-28T06:00:00+02:00' },
            seconds: 10_800,
          },
          isFrozen: false,
          open: [
            {
              opens: { utc: '2027-03-28T01:00:00Z', local: '2027-03-28T03:00:00+02:00' },
              closes: { utc: '2027-03-28T04:00:00Z', local: '2027-03-28T06:00:00+02:00' },
              seconds: 10_800,
              clock: [{ code: 'opens-after-gap', planned: '2027-03-28T02:30' }],
            },
          ],
          freezes: [],
        },
      ],
      freezes: [
        {
          name: 'Year end',
          from: { utc: '2026-12-14T23:00:00Z', local: '2026-12-15T00:00:00+01:00' },
          until: { utc: '2027-01-06T23:00:00Z', local: '2027-01-07T00:00:00+01:00' },
        },
      ],
    });
  });
});
