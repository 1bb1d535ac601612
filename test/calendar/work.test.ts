import { Temporal } from 'temporal-polyfill';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { stateAt } from '../../src/calendar/decide.js';
import { due } from '../../src/calendar/due.js';
import { periodOf } from '../../src/calendar/period.js';
import { dayMs } from '../../src/calendar/wallClock.js';
import { cron, freeze, hourMs, inZurich } from './schedules.js';

/*
 * What a decision costs is nearly all conversions between clock and instant, so these are counted, and not the time,
 * which the machine decides (`npm run figures:calendar` shows it).
 */

const spies = () => [
  vi.spyOn(Temporal.PlainDateTime.prototype, 'toZonedDateTime'),
  vi.spyOn(Temporal.Instant.prototype, 'toZonedDateTimeISO'),
];

afterEach(() => {
  vi.restoreAllMocks();
});

const freezes = [
  freeze('2026-12-15', '2027-01-06'),
  { kind: 'rule' as const, name: 'Close', rule: 'month-end' as const, daysBefore: 2, daysAfter: 1 },
];

/** Conversions for a decision, on the average of one every 35 days and a bit, for up to 48 years. */
function perDecision(decide: (now: number) => unknown, count = 500): number {
  const instants = Array.from({ length: count }, (_, place) => Date.UTC(2026, 0, 1) + place * (35.3 * dayMs));
  const watched = spies();
  for (const now of instants) decide(now);
  const conversions = watched.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  vi.restoreAllMocks();
  expect(conversions).toBeGreaterThan(instants.length);
  return conversions / instants.length;
}

describe('the work of a decision', () => {
  const monthly = inZurich([cron('0 22 * * 2#2', 6 * hourMs)], freezes);

  it('is a handful of conversions, however far the next window is', () => {
    expect(perDecision((now) => stateAt({ schedule: monthly, now }))).toBeLessThan(15);
    const yearly = inZurich([cron('0 22 9 11 *', 6 * hourMs)], freezes);
    expect(perDecision((now) => stateAt({ schedule: yearly, now }))).toBeLessThan(15);
  });

  it('does not grow with the years since the last run', () => {
    const runs = (now: number, months: number) => [
      { period: periodOf(now - months * 30.5 * dayMs, 'Europe/Zurich'), isEnded: true },
    ];
    const fresh = perDecision((now) => due({ schedule: monthly, now, runs: runs(now, 1) }));
    expect(fresh).toBeLessThan(30);
    // Every month that was missed is named, at the price of its window.
    const old = perDecision((now) => due({ schedule: monthly, now, runs: runs(now, 12) }));
    expect(old - fresh).toBeLessThan(12 * 12);
  });

  it('is no more for windows that open every minute', () => {
    const minutely = inZurich([cron('* * * * *', hourMs)]);
    // Two a day for the month that is one window.
    expect(perDecision((now) => stateAt({ schedule: minutely, now }), 40)).toBeLessThan(300);
  });
});
