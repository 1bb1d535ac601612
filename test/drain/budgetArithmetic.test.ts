import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  budgetVerdict,
  desiredHealthy,
  disruptionsAllowed,
  scaledCount,
  type BudgetVerdict,
} from '../../src/cluster/budgetArithmetic.js';
import type { BudgetView, PodView } from '../../src/cluster/view.js';
import { budget, pod, takenAt } from './clusterFixtures.js';

const columns = [
  { minAvailable: 1 },
  { minAvailable: 2 },
  { minAvailable: '1%' },
  { minAvailable: '34%' },
  { minAvailable: '50%' },
  { minAvailable: '90%' },
  { minAvailable: '100%' },
  { maxUnavailable: 0 },
  { maxUnavailable: 1 },
  { maxUnavailable: 2 },
  { maxUnavailable: '1%' },
  { maxUnavailable: '10%' },
  { maxUnavailable: '30%' },
  { maxUnavailable: '50%' },
  { maxUnavailable: '100%' },
] as const;

/** Replicas, then for each column desiredHealthy/disruptionsAllowed with every pod Ready. */
const table: readonly (readonly [number, string])[] = [
  [1, '1/0 2/0 1/0 1/0 1/0 1/0 1/0 1/0 0/1 0/1 0/1 0/1 0/1 0/1 0/1'],
  [2, '1/1 2/0 1/1 1/1 1/1 2/0 2/0 2/0 1/1 0/2 1/1 1/1 1/1 1/1 0/2'],
  [3, '1/2 2/1 1/2 2/1 2/1 3/0 3/0 3/0 2/1 1/2 2/1 2/1 2/1 1/2 0/3'],
  [5, '1/4 2/3 1/4 2/3 3/2 5/0 5/0 5/0 4/1 3/2 4/1 4/1 3/2 2/3 0/5'],
  [7, '1/6 2/5 1/6 3/4 4/3 7/0 7/0 7/0 6/1 5/2 6/1 6/1 4/3 3/4 0/7'],
  [10, '1/9 2/8 1/9 4/6 5/5 9/1 10/0 10/0 9/1 8/2 9/1 9/1 7/3 5/5 0/10'],
  [11, '1/10 2/9 1/10 4/7 6/5 10/1 11/0 11/0 10/1 9/2 10/1 9/2 7/4 5/6 0/11'],
  [22, '1/21 2/20 1/21 8/14 11/11 20/2 22/0 22/0 21/1 20/2 21/1 19/3 15/7 11/11 0/22'],
  [100, '1/99 2/98 1/99 34/66 50/50 90/10 100/0 100/0 99/1 98/2 99/1 90/10 70/30 50/50 0/100'],
];

const rows = table.flatMap(([replicas, cells]) =>
  cells.split(' ').map((cell, index) => {
    const [desired = Number.NaN, allowed = Number.NaN] = cell.split('/').map(Number);
    return { replicas, ...(columns[index] ?? {}), desired, allowed };
  }),
);

function withFields(fields: { minAvailable?: number | string; maxUnavailable?: number | string }) {
  return { minAvailable: fields.minAvailable, maxUnavailable: fields.maxUnavailable };
}

describe('the arithmetic of the disruption controller', () => {
  it('has a row for each cell of the table', () => {
    expect(rows).toHaveLength(135);
  });

  it.each(rows)(
    'wants $desired healthy and allows $allowed of $replicas with %o',
    ({ replicas, desired, allowed, ...fields }) => {
      const wanted = desiredHealthy(withFields(fields), replicas);
      expect(wanted).toBe(desired);
      expect(disruptionsAllowed({ healthy: replicas, desired: wanted, expected: replicas })).toBe(allowed);
    },
  );

  it.each([
    ['28%', 25, 7],
    ['7%', 100, 7],
    ['14%', 50, 7],
    ['55%', 100, 55],
    ['68%', 75, 51],
    ['0%', 9, 0],
    ['90%', 9, 9],
  ])('rounds %s of %i up to %i without the error of floating point', (percent, total, count) => {
    expect(scaledCount(percent, total)).toBe(count);
  });

  it('rounds every percentage up to the next whole number and not further', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 5000 }), (percent, total) => {
        const count = scaledCount(`${String(percent)}%`, total);
        expect(count * 100).toBeGreaterThanOrEqual(percent * total);
        expect((count - 1) * 100).toBeLessThan(percent * total);
      }),
    );
  });

  it('refuses a count that is neither a number nor a percentage', () => {
    expect(() => scaledCount('half', 4)).toThrow(RangeError);
  });

  it('allows nothing where no pod is expected', () => {
    expect(disruptionsAllowed({ healthy: 3, desired: 0, expected: 0 })).toBe(0);
  });
});

const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'rs' };

function members(ready: number, unready = 0): PodView[] {
  return Array.from({ length: ready + unready }, (_, index) =>
    pod(`web-${String(index)}`, { controller, ready: index < ready }),
  );
}

/** The verdict on the first member, with the status that the controller would have written. */
function verdict(
  fields: Partial<Omit<BudgetView, 'status'>> & { status?: Partial<BudgetView['status']> },
  pods: PodView[],
  more: { attainable?: number; inFlight?: string[]; about?: PodView } = {},
): BudgetVerdict {
  const { status, ...spec } = fields;
  const expected = pods.length;
  const desired = desiredHealthy(withFields({ ...spec } as { minAvailable?: number }), expected);
  const healthy = pods.filter((one) => one.ready).length;
  const allowed = disruptionsAllowed({ healthy, desired, expected });
  const about = more.about ?? pods[0];
  if (about === undefined) throw new Error('a verdict is about a pod');
  return budgetVerdict({
    budget: budget('web', {
      ...spec,
      status: {
        currentHealthy: healthy,
        desiredHealthy: desired,
        expectedPods: expected,
        disruptionsAllowed: allowed,
        ...status,
      },
    }),
    pod: about,
    members: pods,
    attainable: more.attainable ?? pods.length,
    inFlight: new Set(more.inFlight ?? []),
    now: takenAt,
  });
}

describe('the verdict of a budget', () => {
  it.each(rows.filter(({ allowed }) => allowed === 0))(
    'is "never" for %o with all $replicas replicas Ready',
    ({ replicas, desired, allowed: _, ...fields }) => {
      expect(verdict(fields, members(replicas))).toEqual({ kind: 'never', desired, attainable: replicas });
    },
  );

  it.each(rows.filter(({ allowed }) => allowed > 0))(
    'is "allowed" with the number of evictions for %o of $replicas',
    ({ replicas, desired: _, allowed, ...fields }) => {
      expect(verdict(fields, members(replicas))).toEqual({ kind: 'allowed', count: allowed });
    },
  );

  it('is "not now" and names the pod that must become Ready where another replica would make room', () => {
    const pods = members(2, 1);
    const answer = verdict({ minAvailable: 2 }, pods);
    expect(answer).toMatchObject({ kind: 'not-now', healthy: 2, desired: 2, unready: [{ name: 'web-2' }] });
  });

  it('is "not now", never "never", where a replica is missing at the moment', () => {
    expect(verdict({ minAvailable: 2 }, members(2), { attainable: 3 }).kind).toBe('not-now');
  });

  it('is never "never" for a budget that an operator runs', () => {
    expect(verdict({ maxUnavailable: 0, managedBy: 'CephCluster' }, members(3)).kind).toBe('not-now');
  });

  it('is "never" for pods without a controller under a budget that counts replicas', () => {
    const pods = members(2).map((one) => ({ ...one, controller: undefined }));
    expect(verdict({ maxUnavailable: 1, status: { expectedPods: 0, disruptionsAllowed: 0 } }, pods).kind).toBe('never');
  });

  it('is "not synced" with the message of the controller where it cannot count', () => {
    const answer = verdict(
      { maxUnavailable: 1, status: { syncFailure: 'no scale', observedGeneration: 0 } },
      members(2),
    );
    expect(answer).toEqual({ kind: 'not-synced', message: 'no scale' });
  });

  it('is "stale" while the controller has not seen the latest change', () => {
    expect(verdict({ maxUnavailable: 1, generation: 2 }, members(2)).kind).toBe('stale');
  });

  it('counts an eviction under way that the status does not show yet', () => {
    expect(verdict({ maxUnavailable: 1 }, members(3), { inFlight: ['uid-of-web-2'] }).kind).toBe('not-now');
    expect(verdict({ maxUnavailable: 2 }, members(3), { inFlight: ['uid-of-web-2'] })).toEqual({
      kind: 'allowed',
      count: 1,
    });
  });

  it('counts it also where pods became Ready that the status does not count yet', () => {
    const status = { currentHealthy: 4, disruptionsAllowed: 1 };
    expect(verdict({ minAvailable: 3, status }, members(6), { inFlight: ['uid-of-web-5'] }).kind).toBe('not-now');
  });

  it('does not count an eviction twice that the status shows already', () => {
    const status = { disruptionsAllowed: 1, disruptedPods: { 'web-2': takenAt - 1000 } };
    const answer = verdict({ maxUnavailable: 2, status }, members(3), { inFlight: ['uid-of-web-2'] });
    expect(answer).toEqual({ kind: 'allowed', count: 1 });
  });

  it('names the pod whose eviction was allowed and not carried out, once it is no longer a matter of a moment', () => {
    const counted = (agoMs: number, inFlight: string[] = []) => {
      const status = { disruptionsAllowed: 0, disruptedPods: { 'web-2': takenAt - agoMs } };
      const answer = verdict({ maxUnavailable: 1, status }, members(3), { inFlight });
      return answer.kind === 'not-now' ? answer.notCarriedOut : answer.kind;
    };
    const until = takenAt - 30_000 + 120_000;
    expect(counted(30_000)).toMatchObject([{ pod: { name: 'web-2' }, allowedAt: takenAt - 30_000, until }]);
    expect(counted(1000)).toBeUndefined();
    expect(counted(30_000, ['uid-of-web-2'])).toBeUndefined();
  });

  it('forgets a disrupted pod after two minutes, as the controller does', () => {
    const status = { disruptionsAllowed: 1, disruptedPods: { 'web-2': takenAt - 121_000 } };
    expect(verdict({ maxUnavailable: 1, status }, members(3))).toEqual({ kind: 'allowed', count: 1 });
  });

  describe('on a pod that is not Ready', () => {
    const about = pod('web-9', { controller, ready: false });

    it('is "free" while the others are healthy enough', () => {
      expect(verdict({ minAvailable: 2 }, [...members(2), about], { about }).kind).toBe('free');
    });

    it('is "free" under AlwaysAllow whatever the others are', () => {
      const policy = { minAvailable: 2, unhealthyPodEvictionPolicy: 'AlwaysAllow' } as const;
      expect(verdict(policy, [...members(1), about], { about }).kind).toBe('free');
    });

    it('is "not now" where the others are too few', () => {
      expect(verdict({ minAvailable: 2 }, [...members(1), about], { about, attainable: 3 }).kind).toBe('not-now');
    });

    it('is "not now" for the only replica, although no healthy pod is wanted', () => {
      expect(verdict({ maxUnavailable: 1 }, [about], { about })).toMatchObject({
        kind: 'not-now',
        healthy: 0,
        desired: 0,
      });
    });
  });
});
