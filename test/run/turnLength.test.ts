import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PastTurn } from '../../src/run/forecastRun.js';
import { turnLengthMs } from '../../src/run/turnLength.js';

function turns(node: string, ...tookMs: readonly number[]): PastTurn[] {
  return tookMs.map((ms, place) => ({ node, tookMs: ms, endedAt: place }));
}

describe('how long a turn may well take', () => {
  it.each<{ title: string; past: readonly PastTurn[]; expected: number }>([
    { title: 'is the estimate where no turn tells', past: [], expected: 500 },
    { title: 'is what the slowest of few turns took', past: turns('n1', 10, 30, 20), expected: 30 },
    {
      title: 'is the 95th percentile of many: one slow turn in twenty does not count',
      past: turns('n1', ...Array.from({ length: 19 }, () => 10), 900),
      expected: 10,
    },
    {
      title: 'is that of all nodes where the node had fewer than three',
      past: [...turns('n1', 10, 10), ...turns('n2', 70)],
      expected: 70,
    },
    { title: 'is its own where it had three', past: [...turns('n1', 10, 12, 11), ...turns('n2', 70)], expected: 12 },
    {
      title: 'forgets what is long ago',
      past: turns('n1', 900, ...Array.from({ length: 40 }, () => 10)),
      expected: 10,
    },
  ])('$title', ({ past, expected }) => {
    expect(turnLengthMs({ node: 'n1', past, estimateMs: 500 })).toBe(expected);
  });

  it('is one that some turn took, and at most one in twenty of those asked took longer', () => {
    const past = fc.array(
      fc.record({ node: fc.constantFrom('n1', 'n2'), tookMs: fc.nat(1000), endedAt: fc.nat(1000) }),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(past, (all) => {
        const own = all.filter(({ node }) => node === 'n1');
        const asked = own.length >= 3 ? own : all;
        const length = turnLengthMs({ node: 'n1', past: all, estimateMs: -1 });
        expect(asked.map(({ tookMs }) => tookMs)).toContain(length);
        expect(asked.filter(({ tookMs }) => tookMs > length).length).toBeLessThanOrEqual(asked.length / 20);
      }),
    );
  });
});
