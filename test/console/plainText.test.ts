import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainLines, plainText, printable } from '../../src/console/plainText.js';

const escape = '\u001b';
const bell = '\u0007';

describe('text from elsewhere, on one line', () => {
  it.each([
    ['colours', `${escape}[31;1mred${escape}[0m`, 'red'],
    ['a cleared screen', `a${escape}[2J${escape}[Hb`, 'ab'],
    ['a title for the window', `${escape}]0;owned${bell}x`, 'x'],
    ['a link', `${escape}]8;;http://x${bell}here${escape}]8;;${bell}`, 'here'],
    ['C1 controls', 'a\u009b31mb\u0085c', 'ab c'.replace(' ', '')],
    ['a lone escape', escape, ''],
    ['backspaces that hide', 'rm -rf /\b\b\b\bok', 'rm -rf /ok'],
    ['a bell', `ring${bell}`, 'ring'],
    ['a text that runs backwards', 'abc\u202egnp.exe\u202c', 'abcgnp.exe'],
    ['line breaks and tabs', '\n one\r\n\ttwo  three\u2028four ', 'one two three four'],
    ['umlauts, wide characters and pictures', 'Zürich 東京 👩‍🚀', 'Zürich 東京 👩‍🚀'],
  ])('is without %s', (_name, text, expected) => {
    expect(plainText(text)).toBe(expected);
  });

  it('never holds a control character, whatever comes', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(plainText(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
        expect(printable(text)).not.toMatch(/(?![\n\t])\p{Cc}/u);
      }),
    );
  });

  it('has one space where controls stood between spaces', () => {
    expect(plainText('!\r\u0007\r¡')).toBe('! ¡');
  });

  it('stays as it is where it is plain already', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(plainText(plainText(text))).toBe(plainText(text));
      }),
    );
  });
});

describe('printable text', () => {
  it('keeps its lines and its spaces', () => {
    expect(printable(`  a  b\n\tc ${escape}[1md\r`)).toBe('  a  b\n\tc d');
  });
});

describe('the lines of an output', () => {
  it('are without the empty ones, and a progress bar is a line for each of its states', () => {
    expect(plainLines(`one\r\n\n  two\n10%\r50%\r100%\n${escape}[32mok${escape}[0m\n`)).toEqual([
      'one',
      'two',
      '10%',
      '50%',
      '100%',
      'ok',
    ]);
  });
});

/** Text with everything that a terminal could take amiss. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        `${escape}[2J`,
        `${escape}]0;`,
        bell,
        `${escape}[31m`,
        '\r',
        '\n',
        '\u009b',
        '\u202e',
        '東京',
        escape,
      ),
    ),
  )
  .map((parts) => parts.join(''));
