import { describe, expect, it } from 'vitest';
import { uncutWindows } from '../../src/calendar/uncutWindows.js';
import { wallTimeText } from '../../src/calendar/wallClock.js';
import { allZones, intlClock } from './intlClock.js';
import { cron, hourMs } from './schedules.js';

/** At a time at which many clocks are set, on the Sunday on which some of them are. */
const monthly = cron('30 2 * * 0#2', 4 * hourMs);

describe('a monthly window', () => {
  it('opens once a month, in order, at its local time or at the end of the gap that has it, in every zone', () => {
    expect(allZones.length).toBeGreaterThan(400);
    let gaps = 0;
    for (const timeZone of allZones)
      for (const year of [2026, 2051, 2075]) gaps += gapsOf({ timeZone, year, years: 1 });
    // The second Sunday of March in North America, at the least.
    expect(gaps).toBeGreaterThan(100);
  });

  it('does so for 50 years, on every clock that there is', () => {
    const clocks = new Map(allZones.map((timeZone) => [comingYears(timeZone), timeZone]));
    expect(clocks.size).toBeGreaterThan(50);
    let gaps = 0;
    for (const timeZone of clocks.values()) gaps += gapsOf({ timeZone, year: 2026, years: 50 });
    expect(gaps).toBeGreaterThan(100);
  });
});

/** Checks every window of some years, and counts those whose time a clock has skipped. */
function gapsOf({
  timeZone,
  year,
  years,
}: {
  readonly timeZone: string;
  readonly year: number;
  readonly years: number;
}) {
  const clock = intlClock(timeZone);
  let month = year * 12;
  let lastClose = 0;
  let gaps = 0;
  for (const { opensAt, closesAt, plannedWallMs } of windowsOf(timeZone, year, years)) {
    const planned = wallTimeText(plannedWallMs).replace('T', ' ');
    const shown = clock(opensAt);
    const before = clock(opensAt - 1000);
    // The first time that the clock is there: a second earlier it is not.
    const isFirst = shown.startsWith(planned) && before < planned;
    const isEndOfGap = !isFirst && before < planned && planned < shown;
    if (!isFirst && !isEndOfGap) expect.fail(`${timeZone}: ${planned} opens at ${shown}, after ${before}`);
    if (isEndOfGap) gaps += 1;
    if (shown.slice(0, 7) !== monthText(month) || opensAt < lastClose || closesAt - opensAt !== 4 * hourMs) {
      expect.fail(`${timeZone}: ${shown} is not the window of ${monthText(month)}`);
    }
    month += 1;
    lastClose = closesAt;
  }
  expect(month, timeZone).toBe((year + years) * 12);
  return gaps;
}

function* windowsOf(timeZone: string, year: number, years: number) {
  const end = Date.UTC(year + years, 0, 1);
  let from = Date.UTC(year, 0, 3);
  // Each look goes ten years ahead.
  while (from < end) {
    for (const next of uncutWindows({ schedule: { timeZone, windows: [monthly] }, from })) {
      if (next.opensAt > end) return;
      yield next;
      from = next.closesAt;
    }
  }
}

/** What the clock shows at noon of UTC on days of some years: the same for zones whose clocks are alike. */
function comingYears(timeZone: string): string {
  const clock = intlClock(timeZone);
  const days = [2026, 2027, 2028, 2040, 2075].flatMap((year) =>
    Array.from({ length: 52 }, (_, week) => Date.UTC(year, 0, 1 + 7 * week, 12)),
  );
  return days.map(clock).join();
}

function monthText(month: number): string {
  return `${String(Math.floor(month / 12))}-${String((month % 12) + 1).padStart(2, '0')}`;
}
