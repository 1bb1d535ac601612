import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, suggestion } from '../../src/playbook/suggestion.js';

describe('the distance between two words', () => {
  it.each([
    ['timeout', 'timeout', 0],
    ['timout', 'timeout', 1],
    ['drian', 'drain', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('of %s and %s is counted', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });

  it('is the same in both directions, zero only for equal words and at most the longer length', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (from, to) => {
        const distance = editDistance(from, to);
        expect(editDistance(to, from)).toBe(distance);
        expect(distance === 0).toBe(from === to);
        expect(distance).toBeLessThanOrEqual(Math.max(from.length, to.length));
      }),
    );
  });
});

describe('a suggestion', () => {
  it('is the nearest word, whatever its case', () => {
    expect(suggestion('TimeOut', ['time', 'timeout'])).toBe('timeout');
  });

  it('is not given where no word is near, nor for a very long text', () => {
    expect(suggestion('colour', ['time', 'timeout'])).toBeUndefined();
    expect(suggestion('timeout'.repeat(1000), ['time', 'timeout'])).toBeUndefined();
  });
});
