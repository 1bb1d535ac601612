import { describe, expect, it } from 'vitest';
import { uncutWindows } from '../../src/calendar/uncutWindows.js';
import { wallTimeText } from '../../src/calendar/wallClock.js';
import { allZones, intlClock } from './intlClock.js';
import { cron, hourMs } from './schedules.js';

/** At a time at which many clocks are set, on the Sunday on which some of them are. */
const monthly = cron('30 2 * * 0#2', 4 * hourMs);
const years = 50;

describe('a monthly window in every zone that there is, for 50 years', () => {
  it('opens once a month, in order, at its local time or at the end of the gap that has it', () => {
    expect(allZones.length).toBeGreaterThan(400);
    let gaps = 0;
    for (const timeZone of allZones) {
      const clock = intlClock(timeZone);
      let month = 2026 * 12;
      let lastClose = 0;
      for (const { opensAt, closesAt, plannedWallMs } of windowsOf(timeZone)) {
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
      expect(month, timeZone).toBe((2026 + years) * 12);
    }
    // The second Sunday of March in North America, at the least.
    expect(gaps).toBeGreaterThan(1000);
  }, 120_000);
});

function* windowsOf(timeZone: string) {
  const end = Date.UTC(2026 + years, 0, 1);
  let from = Date.UTC(2026, 0, 3);
  // Each look goes ten years ahead.
  while (from < end) {
    for (const next of uncutWindows({ schedule: { timeZone, windows: [monthly] }, from })) {
      if (next.opensAt > end) return;
      yield next;
      from = next.closesAt;
    }
  }
}

function monthText(month: number): string {
  return `${String(Math.floor(month / 12))}-${String((month % 12) + 1).padStart(2, '0')}`;
}
