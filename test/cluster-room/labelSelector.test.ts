import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesLabels, parseLabelSelector, parseLabelSelectorObject } from '../../src/cluster/labelSelector.js';

function matches(selector: string, labels: Record<string, string>): boolean {
  const parsed = parseLabelSelector(selector);
  if (parsed.kind === 'invalid') throw new Error(parsed.message);
  return matchesLabels(parsed.selector, labels);
}

describe("a selector in kubectl's syntax", () => {
  it.each([
    ['', {}, true],
    ['  ', { a: '1' }, true],
    ['a=1', { a: '1' }, true],
    ['a==1', { a: '1' }, true],
    ['a = 1', { a: '1' }, true],
    ['a=1', { a: '2' }, false],
    ['a=1', {}, false],
    ['a=', { a: '' }, true],
    ['a=', {}, false],
    ['a!=1', { a: '1' }, false],
    ['a!=1', { a: '2' }, true],
    ['a!=1', {}, true],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['! a', { a: '' }, false],
    ['a in (1,2)', { a: '2' }, true],
    ['a in (1, 2)', { a: '3' }, false],
    ['a in (1,2)', {}, false],
    ['a in (,1)', { a: '' }, true],
    ['a notin (1,2)', { a: '2' }, false],
    ['a notin (1,2)', { a: '3' }, true],
    ['a notin (1,2)', {}, true],
    ['a in (1,2),!b,c=3', { a: '1', c: '3' }, true],
    ['a in (1,2),!b,c=3', { a: '1', b: '', c: '3' }, false],
    ['node-role.kubernetes.io/worker=', { 'node-role.kubernetes.io/worker': '' }, true],
    ['in', { in: '1' }, true],
    ['constructor', {}, false],
    ['!constructor', {}, true],
  ])('%j on %j is %s', (selector, labels, expected) => {
    expect(matches(selector, labels)).toBe(expected);
  });

  it.each([
    'a=1,',
    ',',
    'a in ()',
    'a in 1',
    'a in (1',
    'a=b=c',
    'a=!b',
    '=1',
    '!',
    'a b',
    'a>1',
    '-a',
    'a/b/c=1',
    'A_/b=1',
    'a=-1',
    'a in (b c)',
  ])('does not take %j', (selector) => {
    expect(parseLabelSelector(selector)).toMatchObject({ kind: 'invalid' });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ab=!,() in]*$/)), (text) => {
        expect(['ok', 'invalid']).toContain(parseLabelSelector(text).kind);
      }),
    );
  });
});

describe('a LabelSelector object', () => {
  it('selects nothing where it is absent, and everything where it is empty', () => {
    expect(matchesLabels(parseLabelSelectorObject(undefined), { a: '1' })).toBe(false);
    expect(matchesLabels(parseLabelSelectorObject(null), {})).toBe(false);
    expect(matchesLabels(parseLabelSelectorObject({}), {})).toBe(true);
    expect(matchesLabels(parseLabelSelectorObject({}), { a: '1' })).toBe(true);
  });

  it.each([
    [{ matchLabels: { a: '1' } }, { a: '1', b: '2' }, true],
    [{ matchLabels: { a: '1', b: '1' } }, { a: '1', b: '2' }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }, {}, true],
    [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, {}, true],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, { a: '' }, true],
    [{ matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'In', values: ['2'] }] }, { a: '1' }, false],
  ])('%j on %j is %s', (selector, labels, expected) => {
    expect(matchesLabels(parseLabelSelectorObject(selector), labels)).toBe(expected);
  });

  it.each([
    [{ matchExpressions: [{ key: 'a', operator: 'Like', values: ['1'] }] }],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: [] }] }],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists', values: ['1'] }] }],
    [{ matchExpressions: [{ operator: 'Exists' }] }],
    ['text'],
  ])('that is not valid (%j) selects nothing', (selector) => {
    expect(matchesLabels(parseLabelSelectorObject(selector), { a: '1' })).toBe(false);
  });

  it('and its negation never select the same labels', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('', '1', '2'));
    const values = fc.uniqueArray(fc.constantFrom('', '1', '2'), { minLength: 1 });
    fc.assert(
      fc.property(labels, fc.constantFrom('a', 'b'), values, (on, key, among) => {
        const select = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', wanted: string[]) =>
          matchesLabels({ matchLabels: {}, matchExpressions: [{ key, operator, values: wanted }] }, on);
        expect(select('NotIn', among)).toBe(!select('In', among));
        expect(select('DoesNotExist', [])).toBe(!select('Exists', []));
      }),
    );
  });
});
