import { stateAt } from '../../src/calendar/decide.js';
import { due } from '../../src/calendar/due.js';
import { readCalendar } from '../../src/calendar/icalendar/readCalendar.js';
import { periodOf } from '../../src/calendar/period.js';
import type { Schedule } from '../../src/calendar/schedule.js';
import { windowsFrom, type Window } from '../../src/calendar/windows.js';
import { dayMs } from '../../src/calendar/wallClock.js';
import { allZones } from './intlClock.js';
import { cron, freeze, hourMs, inZurich } from './schedules.js';

/*
 * How long the calendar takes, on this machine: `npm run figures:calendar`.
 */

const from = Date.UTC(2026, 0, 1);
const until = Date.UTC(2076, 0, 1);
const holidays = readCalendar(
  ['BEGIN:VCALENDAR', ...['0101', '0501', '0801', '1225', '1226'].flatMap(yearly), 'END:VCALENDAR'].join('\n'),
);
if (holidays.kind === 'invalid') throw new Error(holidays.message);

const monthly = inZurich(
  [cron('0 22 * * 2#2', 6 * hourMs)],
  [
    freeze('2026-12-15', '2027-01-06'),
    { kind: 'rule', name: 'Close', rule: 'month-end', daysBefore: 2, daysAfter: 1 },
    { kind: 'calendar', name: 'Holidays', events: holidays.events },
  ],
);
const nightly = { ...monthly, windows: [cron('0 22 * * *', 6 * hourMs)] };
const minutely = { ...monthly, windows: [cron('* * * * *', 30_000)] };

const windows = measure('the windows of 50 years, monthly', () => windowsOf(monthly));
measure('what is open and due as each of them opens', () =>
  decisions(
    monthly,
    windows.map(({ opensAt }) => opensAt),
  ),
);
const days = Array.from({ length: (until - from) / dayMs }, (_, day) => from + day * dayMs);
measure('what is open and due on each day of 50 years, monthly', () => decisions(monthly, days));
measure('what is open and due on each day of 50 years, every night', () => decisions(nightly, days));
measure('what is open and due on each of 365 days, every minute', () => decisions(minutely, days.slice(0, 365)));
measure(`the windows of 50 years in ${String(allZones.length)} zones, monthly`, () =>
  allZones.flatMap((timeZone) => windowsOf({ ...monthly, timeZone, freezes: [] })),
);

function yearly(date: string): string[] {
  return ['BEGIN:VEVENT', `DTSTART;VALUE=DATE:2026${date}`, 'RRULE:FREQ=YEARLY', 'END:VEVENT'];
}

function windowsOf(schedule: Schedule): Window[] {
  const found: Window[] = [];
  for (let at = from; at < until; at = found.at(-1)?.closesAt ?? until) {
    const next = windowsFrom({ schedule, from: at, until });
    if (next.length === 0) break;
    found.push(...next);
  }
  return found;
}

function decisions(schedule: Schedule, instants: readonly number[]): readonly string[] {
  return instants.map((now) => {
    const before = periodOf(now - 31 * dayMs, schedule.timeZone);
    return `${stateAt({ schedule, now }).kind} ${due({ schedule, now, runs: [{ period: before, isEnded: true }] }).kind}`;
  });
}

function measure<Result>(what: string, work: () => readonly Result[]): readonly Result[] {
  const [begun, usage] = [performance.now(), process.cpuUsage()];
  const result = work();
  const ms = performance.now() - begun;
  const { user } = process.cpuUsage(usage);
  const each = ((ms * 1000) / Math.max(1, result.length)).toFixed(0);
  console.log(
    `${what}: ${String(result.length)} in ${ms.toFixed(0)} ms (${each} us each, ${(user / 1000).toFixed(0)} ms of CPU)`,
  );
  return result;
}
