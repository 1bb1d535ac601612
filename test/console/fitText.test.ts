import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { cutText, padText, rowsTaken, wrapText } from '../../src/console/fitText.js';

const words = fc.string({ unit: 'grapheme', maxLength: 60 });

describe('a text that is cut', () => {
  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdefg', 6, 'abcde…'],
    ['ab cdefg', 4, 'ab…'],
    // A wide character is not cut in half.
    ['東京都千代田区', 6, '東京…'],
    ['東京', 2, '…'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('%j in %i columns is %j', (text, columns, expected) => {
    expect(cutText(text, columns)).toBe(expected);
  });

  it('never takes more columns than it may', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 0, max: 50 }), (text, columns) => {
        expect(stringWidth(cutText(text, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('takes exactly its columns where it is padded', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 0, max: 50 }), (text, columns) => {
        expect(stringWidth(padText(text, columns))).toBe(columns);
      }),
    );
  });
});

describe('a text that is wrapped', () => {
  it('breaks between words, and a longer word inside', () => {
    expect(wrapText('the budget default/web allows none', 12)).toEqual(['the budget', 'default/web', 'allows none']);
    expect(wrapText('a abcdefghij', 4)).toEqual(['a', 'abcd', 'efgh', 'ij']);
    expect(wrapText('', 10)).toEqual([]);
  });

  it('loses nothing but spaces', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 40 }), (text, columns) => {
        expect(wrapText(text, columns).join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
    );
  });
});

describe('the rows that a line takes on a terminal', () => {
  it.each([
    ['', 10, 1],
    ['0123456789', 10, 1],
    ['0123456789a', 10, 2],
    // Two wide characters fit into five columns, the third begins a row.
    ['東京都千代', 5, 3],
  ])('%j in %i columns: %i', (line, columns, rows) => {
    expect(rowsTaken(line, columns)).toBe(rows);
  });
});
