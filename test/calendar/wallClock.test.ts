import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clockOfDay,
  dayText,
  instantOf,
  parseDay,
  parseWallTime,
  passesOf,
  startOfDay,
  wallTimeOf,
  wallTimeText,
} from '../../src/calendar/wallClock.js';
import { allZones, intlClock, intlWallMs, tellingZones } from './intlClock.js';

const instants = fc
  .integer({ min: Date.UTC(1972, 0, 1) / 1000, max: Date.UTC(2090, 0, 1) / 1000 })
  .map((at) => at * 1000);

describe('the instant of a wall time', () => {
  it.each([
    ['2026-03-29T01:59:59', 'Europe/Zurich', '2026-03-29T00:59:59.000Z', 'once', 'before the gap'],
    ['2026-03-29T02:00', 'Europe/Zurich', '2026-03-29T01:00:00.000Z', 'never', 'the first of the gap'],
    ['2026-03-29T02:59:59', 'Europe/Zurich', '2026-03-29T01:00:00.000Z', 'never', 'the last of the gap'],
    ['2026-03-29T03:00', 'Europe/Zurich', '2026-03-29T01:00:00.000Z', 'once', 'after the gap'],
    ['2026-10-25T02:30', 'Europe/Zurich', '2026-10-25T00:30:00.000Z', 'twice', 'first pass'],
    ['2026-10-25T03:00', 'Europe/Zurich', '2026-10-25T02:00:00.000Z', 'once', 'after the second pass'],
    ['2026-03-08T02:30', 'America/New_York', '2026-03-08T07:00:00.000Z', 'never', 'gap'],
    ['2026-11-01T01:30', 'America/New_York', '2026-11-01T05:30:00.000Z', 'twice', 'first pass'],
    ['2026-10-04T02:15', 'Australia/Lord_Howe', '2026-10-03T15:30:00.000Z', 'never', 'a gap of half an hour'],
    ['2026-04-05T01:45', 'Australia/Lord_Howe', '2026-04-04T14:45:00.000Z', 'twice', 'half an hour that comes twice'],
    ['2026-04-05T01:15', 'Australia/Lord_Howe', '2026-04-04T14:15:00.000Z', 'once', 'before it'],
    ['2026-09-06T00:00', 'America/Santiago', '2026-09-06T04:00:00.000Z', 'never', 'a day without midnight'],
    ['2026-04-04T23:30', 'America/Santiago', '2026-04-05T02:30:00.000Z', 'twice', 'the last hour of a day comes twice'],
    ['2011-12-30T12:00', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', 'never', 'a day that there was not'],
  ])('%s in %s is %s, as it comes %s: %s', (text, timeZone, instant, passes) => {
    const wallMs = parseWallTime(text) ?? Number.NaN;
    expect(new Date(instantOf(wallMs, timeZone)).toISOString()).toBe(instant);
    expect(passesOf(wallMs, timeZone)).toBe(passes);
  });

  it('is shown by the clock again, or is the first after a gap; and is the first pass', () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...allZones), (near, timeZone) => {
        const clock = intlClock(timeZone);
        const wallMs = intlWallMs(clock(near)) - 1_800_000;
        const at = instantOf(wallMs, timeZone);
        const shown = intlWallMs(clock(at));
        if (shown !== wallMs) {
          expect(shown).toBeGreaterThan(wallMs);
          expect(intlWallMs(clock(at - 1000))).toBeLessThan(wallMs);
        } else {
          expect(intlWallMs(clock(at - 1000))).toBeLessThan(wallMs);
          expect(passesOf(wallMs, timeZone)).not.toBe('never');
        }
        expect(wallTimeOf(near, timeZone)).toBe(intlWallMs(clock(near)));
      }),
      { numRuns: 200 },
    );
  });

  it('never decreases, so that windows keep the order of their rules', () => {
    const changes = [
      ['Europe/Zurich', '2026-03-29'],
      ['Europe/Zurich', '2026-10-25'],
      ['Australia/Lord_Howe', '2026-04-05'],
      ['Australia/Lord_Howe', '2026-10-04'],
      ['America/Santiago', '2026-04-04'],
      ['America/Santiago', '2026-09-06'],
      ['Pacific/Apia', '2011-12-30'],
    ] as const;
    for (const [timeZone, text] of changes) {
      const start = (parseDay(text) ?? 0) * 86_400_000 - 2 * 3_600_000;
      const found = Array.from({ length: 4 * 28 }, (_, quarter) => instantOf(start + quarter * 900_000, timeZone));
      expect(found, `${timeZone} ${text}`).toEqual([...found].sort((one, other) => one - other));
      expect(new Set(found).size === found.length, timeZone).toBe(/-10-25|-04-0[45]/.test(text));
    }
  });

  it('is the same when many of a day are asked for', () => {
    const days = ['2026-03-29', '2026-10-25', '2026-04-05', '2026-10-04', '2026-04-04', '2026-09-06', '2026-11-01'];
    for (const timeZone of [...tellingZones, 'Pacific/Apia']) {
      for (const text of [...days, '2026-06-01', '2011-12-30']) {
        const day = parseDay(text) ?? 0;
        const clock = clockOfDay(day, timeZone);
        for (let minute = 0; minute < 24 * 60; minute += 45) {
          const wallMs = day * 86_400_000 + minute * 60_000;
          expect(clock(wallMs), `${timeZone} ${wallTimeText(wallMs)}`).toBe(instantOf(wallMs, timeZone));
        }
      }
    }
  });

  it('of midnight is the first of the day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10_000, max: 40_000 }), fc.constantFrom(...tellingZones), (day, timeZone) => {
        const clock = intlClock(timeZone);
        const start = startOfDay(day, timeZone);
        expect(clock(start).slice(0, 10)).toBe(dayText(day));
        expect(clock(start - 1000).slice(0, 10)).toBe(dayText(day - 1));
      }),
      { numRuns: 100 },
    );
  });
});

describe('a date or time as it is written', () => {
  it.each(['2026-02-30', '2026-02-29', '2026-13-01', '2026-00-10', '2026-1-1', '26-01-01', '2026-01-32', ''])(
    '%s is no date',
    (text) => {
      expect(parseDay(text)).toBeUndefined();
      expect(parseWallTime(`${text}T22:00`)).toBeUndefined();
    },
  );

  it.each(['2026-12-05T24:00', '2026-12-05T22:60', '2026-12-05T22', '2026-12-05 22:00', '2026-12-05T22:00Z'])(
    '%s is no local date and time',
    (text) => {
      expect(parseWallTime(text)).toBeUndefined();
    },
  );

  it('comes back as it was written', () => {
    expect(dayText(parseDay('2028-02-29') ?? 0)).toBe('2028-02-29');
    for (const text of ['2026-12-05T22:00', '2026-12-05T22:00:30']) {
      expect(wallTimeText(parseWallTime(text) ?? 0)).toBe(text);
    }
  });
});
