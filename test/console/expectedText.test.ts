import { describe, expect, it } from 'vitest';
import { expectedRunText, expectedText } from '../../src/console/expectedText.js';
import type { PlannedNode } from '../../src/run/plan.js';

const minute = 60_000;

function going(basis: 'history' | 'estimate'): PlannedNode {
  const node = {
    node: 'n',
    zone: undefined,
    estimateMs: 0,
    lastTurn: undefined,
    verdict: 'goes',
    evictions: 1,
    findings: [],
    overlaps: [],
  } as const;
  return { ...node, expectedMs: minute, basis };
}

describe('an expected time', () => {
  it.each([
    { expected: { expectedMs: 0 }, text: '-' },
    { expected: { expectedMs: 4321, basis: 'history' as const }, text: 'about 4 s' },
    { expected: { expectedMs: 3, basis: 'history' as const }, text: 'about 1 s' },
    { expected: { expectedMs: 12 * minute + 20_000, basis: 'history' as const }, text: 'about 12 min' },
    { expected: { expectedMs: 12 * minute, basis: 'estimate' as const }, text: 'about 12 min (guess)' },
    { expected: { expectedMs: 161 * minute, basis: 'history' as const }, text: 'about 2 h 40 min' },
  ])('$expected is $text', ({ expected, text }) => {
    expect(expectedText(expected)).toBe(text);
  });

  it.each([
    { nodes: [], says: [] },
    { nodes: [going('estimate')], says: ['Expected: about 2 h 40 min for 1 node (guess: no former turn)'] },
    {
      nodes: [going('history'), going('history')],
      says: ['Expected: about 2 h 40 min for 2 nodes (as former turns took)'],
    },
    {
      nodes: [going('history'), going('estimate')],
      says: ['Expected: about 2 h 40 min for 2 nodes (1 as former turns took, the others a guess)'],
    },
  ])('of a run says what it rests on: $says', ({ nodes, says }) => {
    expect(expectedRunText({ nodes, expectedMs: 160 * minute })).toEqual(says);
  });
});
