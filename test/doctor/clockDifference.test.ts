import { describe, expect, it } from 'vitest';
import { clockDifferenceMs, judgeClock } from '../../src/doctor/clockDifference.js';

/** Noon by our clock; the question was on its way for 200 ms. */
const noon = Date.UTC(2026, 10, 10, 12, 0, 0);
const reading = (theirsMs: number | undefined) => ({ theirsMs, askedAtMs: noon, answeredAtMs: noon + 200 });

describe('the difference of two clocks', () => {
  it.each<[string, number | undefined, number | undefined]>([
    ['agrees to the second', noon, 0],
    ['was cut to the second just before', noon - 1000, 0],
    ['is cut a second lower than that', noon - 2000, -1000],
    ['is read while the question was on its way', noon + 200, 0],
    ['is ahead by more than the question took', noon + 60_200, 60_000],
    ['is behind', noon - 61_000, -60_000],
    ['did not say its time', undefined, undefined],
  ])('of one that %s', (_, theirs, expected) => {
    expect(clockDifferenceMs(reading(theirs))).toBe(expected);
  });

  it('proves less the longer the answer took', () => {
    const slow = { theirsMs: noon + 8000, askedAtMs: noon, answeredAtMs: noon + 10_000 };
    expect(clockDifferenceMs(slow)).toBe(0);
  });
});

describe('a clock', () => {
  const judged = (aheadMs: number, mayFail: boolean) =>
    judgeClock({
      check: 'server-clock',
      whose: 'The clock of the API server',
      reading: reading(noon + aheadMs),
      mayFail,
    });

  it.each<[number, boolean, string]>([
    [5200, true, 'ok'],
    [5201, true, 'warning'],
    [-6000, true, 'ok'],
    [-6001, true, 'warning'],
    [60_200, true, 'warning'],
    [60_201, true, 'failed'],
    [-61_001, true, 'failed'],
    [3_600_000, false, 'warning'],
  ])('%i ms ahead, of one that may fail: %o, is %s', (aheadMs, mayFail, state) => {
    expect(judged(aheadMs, mayFail).state).toBe(state);
  });

  it('says which way it is wrong, by how much, and what to do', () => {
    expect(judged(90_200, true)).toMatchObject({
      message: 'The clock of the API server is at least 1 min 30 s ahead of this one.',
      hint: expect.stringContaining('chronyc tracking') as string,
    });
    expect(judged(-91_000, true).message).toContain('1 min 30 s behind');
  });

  it('that says nothing is not known', () => {
    const silent = judgeClock({ check: 'host-clock', whose: 'It', reading: reading(undefined), mayFail: true });
    expect(silent.state).toBe('skipped');
  });
});
