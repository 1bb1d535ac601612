import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/time/duration.js';

describe('parsing a duration', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['40d', 3_456_000_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['0s', 0],
    ['007m', 420_000],
  ])('reads %s as %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each(['', ' ', '15', '15 m', '-1m', '1.5h', '15M', '15min', 'm', '30m1h', '1m1m', '15m ', '15m\n', '1e3s'])(
    'does not take %j for a duration',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('does not take a duration that is too long to be counted in milliseconds', () => {
    expect(parseDuration('104249991d')).toBe(104_249_991 * 86_400_000);
    expect(parseDuration('104249992d')).toBeUndefined();
    expect(parseDuration(`${'9'.repeat(400)}s`)).toBeUndefined();
  });

  it('adds the units up, whichever of them are there', () => {
    const count = fc.option(fc.nat(10_000), { nil: undefined });
    fc.assert(
      fc.property(fc.tuple(count, count, count, count, count), (counts) => {
        fc.pre(counts.some((each) => each !== undefined));
        const units = ['d', 'h', 'm', 's', 'ms'];
        const unitMs = [86_400_000, 3_600_000, 60_000, 1000, 1];
        const text = counts.map((each, place) => (each === undefined ? '' : `${each}${units[place] ?? ''}`)).join('');
        const sumMs = counts.reduce<number>((sum, each, place) => sum + (each ?? 0) * (unitMs[place] ?? 0), 0);
        expect(parseDuration(text)).toBe(sumMs);
      }),
    );
  });
});

describe('a duration for people', () => {
  it.each([
    [0, '0 s'],
    [4000, '4 s'],
    [4200, '4.2 s'],
    [300, '0.3 s'],
    [12_345, '12 s'],
    [59_499, '59 s'],
    [59_500, '1 min'],
    [80_000, '1 min 20 s'],
    [120_000, '2 min'],
    [7_500_000, '2 h 5 min'],
    [3_600_000, '1 h'],
    [3_659_000, '1 h'],
    [273_600_000, '3 d 4 h'],
    [3_456_000_000, '40 d'],
  ])('of %d ms reads %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it.each([
    [9999, '10 s'],
    [9950, '10 s'],
  ])('of %d ms is rounded once, to %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it('has at most the two largest units, and is never off by more than the smaller one', () => {
    const unitMs: Record<string, number> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
    fc.assert(
      fc.property(fc.nat(10 ** 10), (durationMs) => {
        const parts = [...formatDuration(durationMs).matchAll(/([\d.]+) (\w+)/g)];
        expect(parts.length).toBeGreaterThan(0);
        expect(parts.length).toBeLessThanOrEqual(2);
        const readMs = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0);
        const largestMs = unitMs[parts[0]?.[2] ?? ''] ?? 0;
        expect(Math.abs(readMs - durationMs)).toBeLessThanOrEqual(Math.max(1000, largestMs / 24));
      }),
    );
  });
});
