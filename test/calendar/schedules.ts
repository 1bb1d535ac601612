import fc from 'fast-check';
import { parseCron } from '../../src/calendar/cronExpression.js';
import { matchesDay } from '../../src/calendar/cronDays.js';
import type { CronWindow, FreezeRule, OnceWindow, Schedule, WindowRule } from '../../src/calendar/schedule.js';
import { dayMs, dayText, instantOf, parseWallTime } from '../../src/calendar/wallClock.js';
import { intlClock, intlWallMs, tellingZones } from './intlClock.js';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

export function cron(expression: string, durationMs: number): CronWindow {
  return { kind: 'cron', expression, durationMs };
}

export function once(opens: string, durationMs: number): OnceWindow {
  return { kind: 'once', opens, durationMs };
}

export function freeze(from: string, until: string, name = 'Freeze'): FreezeRule {
  return { kind: 'dates', name, from, until };
}

export function inZurich(windows: readonly WindowRule[], freezes: readonly FreezeRule[] = []): Schedule {
  return { timeZone: 'Europe/Zurich', windows, freezes };
}

export function iso(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

const durations = fc.oneof(
  fc.constantFrom(1000, 30 * minuteMs, hourMs, 6 * hourMs, dayMs, 25 * hourMs, 31 * dayMs),
  fc.integer({ min: 1, max: 40 * 60 }).map((minutes) => minutes * minuteMs),
);

const expressions = fc
  .tuple(
    fc.constantFrom('0', '30', '*/20', '15,45'),
    fc.constantFrom('0', '1', '2', '3', '22', '23', '*/6', '22-2'),
    fc.constantFrom('*', '1', 'L', '1-7', '25-31', '15W'),
    fc.constantFrom('*', '*', '3', '10', '2-4'),
    fc.constantFrom('*', '*', '0', '2', '0L', '2#2', '1-5'),
  )
  .map((fields) => fields.join(' '))
  .filter((expression) => parseCron(expression).kind === 'ok');

const days2026to2029 = fc.integer({ min: 20_454, max: 21_900 });

export const windowRules: fc.Arbitrary<WindowRule> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(expressions, durations).map(([expression, durationMs]) => cron(expression, durationMs)),
  },
  fc
    .tuple(days2026to2029, fc.constantFrom('00:00', '02:30', '23:30'), durations)
    .map(([day, time, durationMs]) => once(`${dayText(day)}T${time}`, durationMs)),
);

const freezeRules: fc.Arbitrary<FreezeRule> = fc.oneof(
  fc
    .tuple(days2026to2029, fc.integer({ min: 0, max: 40 }))
    .map(([day, days]) => freeze(dayText(day), dayText(day + days))),
  fc
    .tuple(fc.constantFrom('month-end', 'quarter-end', 'year-end'), fc.nat(5), fc.nat(15))
    .map(([rule, daysBefore, daysAfter]) => ({ kind: 'rule' as const, name: 'Rule', rule, daysBefore, daysAfter })),
);

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  timeZone: fc.constantFrom(...tellingZones),
  windows: fc.array(windowRules, { minLength: 1, maxLength: 3 }),
  freezes: fc.array(freezeRules, { maxLength: 2 }),
});

/** Instants of 2026 to 2029, many of them near the changes of clocks and the ends of months. */
export const instants: fc.Arbitrary<number> = fc
  .tuple(
    fc.oneof(
      days2026to2029,
      fc
        .constantFrom('2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01', '2027-01-01')
        .map((text) => Date.parse(text) / dayMs),
    ),
    fc.integer({ min: -24 * 60, max: 48 * 60 }),
  )
  .map(([day, minutes]) => day * dayMs + minutes * minuteMs);

/** Whether something of the rules is open, found out by trying every opening of the time before. */
export function isInRules(schedule: Schedule, at: number): boolean {
  const shownMs = intlWallMs(intlClock(schedule.timeZone)(at));
  const day = Math.floor(shownMs / dayMs);
  return schedule.windows.some((window) => {
    const holds = (wallMs: number) => {
      // No clock of these years is set by more than three hours.
      if (wallMs > shownMs + 3 * hourMs || wallMs + window.durationMs < shownMs - 3 * hourMs) return false;
      const opensAt = instantOf(wallMs, schedule.timeZone);
      return opensAt <= at && at < opensAt + window.durationMs;
    };
    if (window.kind === 'once') return holds(parseWallTime(window.opens) ?? Number.NaN);
    const answer = parseCron(window.expression);
    if (answer.kind === 'invalid') throw new Error(answer.message);
    const { days, secondsOfDay } = answer.cron;
    const reach = Math.ceil(window.durationMs / dayMs) + 1;
    return Array.from({ length: reach + 1 }, (_, back) => day - back)
      .filter((candidate) => matchesDay(days, candidate))
      .some((candidate) => secondsOfDay.some((second) => holds(candidate * dayMs + second * 1000)));
  });
}

/** The name of a freeze that holds, by the local date that Intl gives. */
export function frozenBy(schedule: Schedule, at: number): string | undefined {
  const today = intlClock(schedule.timeZone)(at).slice(0, 10);
  return schedule.freezes.find((rule) => {
    switch (rule.kind) {
      case 'dates':
        return rule.from <= today && today <= rule.until;
      case 'rule': {
        const months = { 'month-end': 1, 'quarter-end': 3, 'year-end': 12 }[rule.rule];
        const day = Date.parse(today) / dayMs;
        // A last day of the period, so near that its freeze reaches here.
        return Array.from(
          { length: rule.daysBefore + rule.daysAfter + 1 },
          (_, place) => day - rule.daysAfter + place,
        ).some((candidate) => {
          const [, month = 0, first = 0] = dayText(candidate + 1)
            .split('-')
            .map(Number);
          return first === 1 && (month - 1) % months === 0;
        });
      }
      case 'calendar':
        throw new Error('calendars are tested by themselves');
    }
  })?.name;
}
