import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { table } from '../../src/console/table.js';

describe('a table', () => {
  it('has columns as wide as their widest cell, two spaces apart', () => {
    expect(
      table([
        ['NODE', 'ZONE', 'VERDICT'],
        ['worker-17', 'a', 'goes'],
        ['w', 'zone-b', 'blocked: budget-never'],
      ]),
    ).toEqual(['NODE       ZONE    VERDICT', 'worker-17  a       goes', 'w          zone-b  blocked: budget-never']);
  });

  it('has no spaces at the end of a line', () => {
    expect(
      table([
        ['NODE', 'REMARK'],
        ['n1', ''],
      ]),
    ).toEqual(['NODE  REMARK', 'n1']);
  });

  it('takes rows of different length', () => {
    expect(table([['a'], ['bb', 'c']])).toEqual(['a', 'bb  c']);
  });

  it('counts columns of the terminal, not characters', () => {
    const lines = table([
      ['節点', 'x'],
      ['node', 'x'],
      ['e\u0301', 'x'],
    ]);
    expect(lines.map((line) => stringWidth(line.slice(0, line.indexOf('x'))))).toEqual([6, 6, 6]);
  });

  it('is empty without rows', () => {
    expect(table([])).toEqual([]);
  });

  it('begins every column at the same place in all lines, for any cells', () => {
    const cell = fc.stringMatching(/^[a-z]{1,12}$/);
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 5 })
          .chain((columns) =>
            fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 6 }),
          ),
        (rows) => {
          const starts = table(rows).map((line) => [...line.matchAll(/[a-z]+/g)].map((match) => match.index));
          for (const places of starts) expect(places).toEqual(starts[0]);
        },
      ),
    );
  });
});
