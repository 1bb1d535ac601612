import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { waitedTime, type DrainWaitReason } from '../../src/drain/waitedTime.js';

function watch() {
  let now = 0;
  const time = waitedTime(() => now);
  return {
    time,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const budget = (name: string) => ({
  for: 'budget-not-now' as const,
  who: [`PodDisruptionBudget ${name}`, 'Pod shop/a'],
});

describe('the time that a drain waited', () => {
  it('is told by kind, and by budget where one is in the way', () => {
    const { time, pass } = watch();
    time.observe([budget('shop/web')]);
    pass(2000);
    time.observe([budget('shop/web'), budget('shop/db')]);
    pass(500);
    time.observe([{ for: 'terminating', who: ['Pod shop/a'] }]);
    pass(100);
    expect(time.waited()).toEqual([
      { for: 'budget-not-now', ms: 2500 },
      { for: 'budget-not-now', budget: 'shop/web', ms: 2500 },
      { for: 'budget-not-now', budget: 'shop/db', ms: 500 },
      { for: 'terminating', ms: 100 },
    ]);
  });

  it('leaves out what did not take time, and what came again counts on', () => {
    const { time, pass } = watch();
    time.observe([{ for: 'spread', who: [] }]);
    time.observe([]);
    expect(time.waited()).toEqual([]);
    time.observe([{ for: 'spread', who: [] }]);
    pass(40);
    time.observe([]);
    pass(1000);
    time.observe([{ for: 'spread', who: [] }]);
    pass(2);
    expect(time.waited()).toEqual([{ for: 'spread', ms: 42 }]);
  });

  it('names a bounded number of budgets, and still counts the others by kind', () => {
    const { time, pass } = watch();
    time.observe(Array.from({ length: 80 }, (_, place) => budget(`shop/b${String(place)}`)));
    pass(10);
    const waited = time.waited();
    expect(waited.filter((each) => each.budget !== undefined)).toHaveLength(50);
    expect(waited[0]).toEqual({ for: 'budget-not-now', ms: 10 });
  });

  it('is never longer for a kind than the drain, nor shorter than for one of its budgets', () => {
    const kinds: DrainWaitReason[] = ['budget-not-now', 'retry', 'terminating', 'volumes'];
    const wait = fc.record({
      for: fc.constantFrom(...kinds),
      who: fc.subarray(['PodDisruptionBudget a/b', 'Pod a/c']),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(wait, { maxLength: 4 }), fc.nat(1000))), (moments) => {
        const { time, pass } = watch();
        let whole = 0;
        for (const [waits, ms] of moments) {
          time.observe(waits);
          pass(ms);
          whole += ms;
        }
        const waited = time.waited();
        for (const each of waited) {
          const kind = waited.find((other) => other.for === each.for && other.budget === undefined);
          expect(kind?.ms).toBeGreaterThanOrEqual(each.ms);
          expect(each.ms).toBeLessThanOrEqual(whole);
        }
      }),
    );
  });
});
