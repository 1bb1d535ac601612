import { describe, expect, it } from 'vitest';
import { budgetVerdict, desiredHealthy, disruptionsAllowed } from '../../src/cluster/budgetArithmetic.js';
import type { BudgetView, ClusterView, LabelSelector, PodView } from '../../src/cluster/view.js';
import { budgetAllowance } from '../../src/drain/budgetAllowance.js';
import { podBudgets } from '../../src/drain/podBudgets.js';
import { budget, clusterView, pod, takenAt, workload } from './clusterFixtures.js';

/** The budget with the status that the disruption controller writes for these pods when their scales add up to `scale`. */
function counted(changes: Partial<Omit<BudgetView, 'status'>>, pods: readonly PodView[], scale: number): BudgetView {
  const bare = budget('web', changes);
  const countsPods = bare.maxUnavailable === undefined && typeof bare.minAvailable === 'number';
  const saysNothing = bare.maxUnavailable === undefined && bare.minAvailable === undefined;
  const expected = countsPods ? pods.length : saysNothing ? 0 : scale;
  const healthy = pods.filter(({ ready, terminating }) => ready && !terminating).length;
  const desired = desiredHealthy(bare, expected);
  return {
    ...bare,
    status: {
      ...bare.status,
      expectedPods: expected,
      currentHealthy: healthy,
      desiredHealthy: desired,
      disruptionsAllowed: disruptionsAllowed({ healthy, desired, expected }),
    },
  };
}

/** What the budgets say about the pod, on the path of the drain: a verdict in one word, or the sentence. */
function answer(view: ClusterView, about: PodView): { says: string; message: string; hint: string } {
  const budgets = podBudgets(view, [about]);
  const permission = budgetAllowance({ node: 'node-1', budgets, inFlight: new Set(), now: takenAt }).ask(about);
  switch (permission.kind) {
    case 'go':
      return { says: 'go', message: '', hint: '' };
    case 'wait':
      return { says: permission.wait.for, message: permission.wait.message, hint: permission.wait.hint };
    case 'never':
      return { says: permission.finding.code, ...permission.finding };
  }
}

/** About the first pod of a Deployment `web` of so many replicas. */
function aboutWeb(
  changes: Partial<Omit<BudgetView, 'status'>>,
  pods: readonly (Partial<PodView> & { readonly on?: string })[],
  options: { readonly desired?: number | null; readonly kind?: string; readonly more?: readonly PodView[] } = {},
): ReturnType<typeof answer> {
  const { desired = pods.length, kind = 'Deployment', more = [] } = options;
  const web = workload({ name: 'web', kind, desired, pods });
  const members = [...web.pods, ...more];
  const [about] = web.pods;
  if (about === undefined) throw new Error('it is about the first pod');
  const view = clusterView({
    workloads: [web],
    pods: more,
    budgets: [counted(changes, members, (desired ?? 0) * Number(web.pods.length > 0))],
  });
  return answer(view, about);
}

const ready = { ready: true } as const;
const unready = { ready: false } as const;
/** Ended by other hands than its kubelet's: the condition Ready stays. */
const endedReady = { phase: 'Failed', ready: true } as const;
const ended = { phase: 'Succeeded', ready: false } as const;
const ending = { ready: false, terminating: true } as const;
const waiting = { phase: 'Pending', ready: false, nodeName: undefined } as const;

describe('pods of a budget that do not run', () => {
  it('count as healthy as long as they are Ready, whatever their phase', () => {
    expect(aboutWeb({ minAvailable: 2 }, [ready, ready, endedReady], { desired: 2 }).says).toBe('go');
    expect(aboutWeb({ maxUnavailable: 0 }, [ready, ready, endedReady], { desired: 2 }).says).toBe('go');
  });

  it('make a number in minAvailable expect more pods, and never attainable what is not', () => {
    const { says, message } = aboutWeb({ minAvailable: 2 }, [ready, ready, ended], { desired: 2 });
    expect(says).toBe('budget-never');
    expect(message).toContain('wants 2 healthy of 2 pods');
    expect(aboutWeb({ minAvailable: 2 }, [ready, ready, ending], { desired: 2 }).says).toBe('budget-never');
  });

  it('are not waited for', () => {
    const { says, message } = aboutWeb({ minAvailable: 2 }, [ready, ready, ended, waiting], { desired: 3 });
    expect(says).toBe('budget-not-now');
    expect(message).toContain('has 2; Pod shop/web-3 must become Ready');
  });

  it.each([
    ['has not started', waiting],
    ['has finished', ended],
    ['has finished and is Ready still', endedReady],
    ['is ending', ending],
  ])('one that %s is deleted without asking, closed budget or two', (_, state) => {
    expect(aboutWeb({ maxUnavailable: 0 }, [state, ready]).says).toBe('go');
    const web = workload({ name: 'web', pods: [state, ready] });
    const [about] = web.pods;
    const budgets = [budget('web', { maxUnavailable: 0 }), { ...budget('web', {}), name: 'second', uid: 'second' }];
    expect(answer(clusterView({ workloads: [web], budgets }), about ?? pod('none')).says).toBe('go');
  });
});

describe('a budget with neither field', () => {
  it('never allows an eviction, and says why', () => {
    expect(aboutWeb({}, [ready, ready])).toMatchObject({
      says: 'budget-never',
      message:
        'PodDisruptionBudget shop/web has neither minAvailable nor maxUnavailable, so it never allows an eviction.',
      hint: 'Set maxUnavailable: 1 on it, or delete it.',
    });
  });

  it('lets a pod that is not Ready go under AlwaysAllow alone', () => {
    expect(aboutWeb({}, [unready, ready]).says).toBe('budget-never');
    expect(aboutWeb({ unhealthyPodEvictionPolicy: 'AlwaysAllow' }, [unready, ready]).says).toBe('go');
  });
});

describe('pods without a controller', () => {
  const bare = [pod('web-8'), pod('web-9')];

  it('count as healthy and not as expected where the budget counts replicas', () => {
    expect(aboutWeb({ minAvailable: '100%' }, [ready], { more: bare }).says).toBe('go');
    expect(aboutWeb({ maxUnavailable: 0 }, [ready, unready], { more: bare }).says).toBe('go');
  });

  it('alone never get room from a budget that counts replicas, and do from a number', () => {
    const of = (changes: Partial<Omit<BudgetView, 'status'>>): string =>
      answer(clusterView({ pods: bare, budgets: [counted(changes, bare, 0)] }), pod('web-8')).says;
    expect(of({ maxUnavailable: 1 })).toBe('budget-never');
    expect(of({ minAvailable: '50%' })).toBe('budget-never');
    expect(of({ minAvailable: 1 })).toBe('go');
    expect(of({ minAvailable: 2 })).toBe('budget-never');
  });
});

describe('owners without a scale', () => {
  it('count as many as they have pods, for a budget with a number', () => {
    const options = { kind: 'Flock', desired: null };
    expect(aboutWeb({ minAvailable: 1 }, [ready, ready], options).says).toBe('go');
    expect(aboutWeb({ minAvailable: 2 }, [ready, ready], options).says).toBe('budget-never');
    expect(aboutWeb({ minAvailable: 2 }, [ready, ready, unready], options).says).toBe('budget-not-now');
  });
});

describe('a rollout that has one pod more than the scale says', () => {
  it('makes room once it is Ready, so the budget is not "never"', () => {
    expect(aboutWeb({ minAvailable: 2 }, [ready, ready, unready], { desired: 2 }).says).toBe('budget-not-now');
    expect(aboutWeb({ maxUnavailable: 0 }, [ready, ready, unready], { desired: 2 }).says).toBe('budget-not-now');
  });
});

describe('healthy pods that the status does not count yet', () => {
  it('are told as what they are, not as missing ones', () => {
    const web = workload({ name: 'web', pods: [ready, ready, ready] });
    const stale = counted({ minAvailable: 2 }, web.pods.slice(0, 2), 3);
    const [about] = web.pods;
    expect(answer(clusterView({ workloads: [web], budgets: [stale] }), about ?? pod('none'))).toMatchObject({
      says: 'budget-not-now',
      message: 'PodDisruptionBudget shop/web needs 2 healthy pods and has 3, but its status allows no eviction.',
    });
  });

  it('of a status that counts more than there are, the pods decide: nothing is sent that the next count forbids', () => {
    const web = workload({ name: 'web', pods: [ready, ready, unready] });
    const hopeful = counted(
      { minAvailable: 2 },
      [ready, ready, ready].map((state, index) => pod(`web-${String(index)}`, state)),
      3,
    );
    const [about] = web.pods;
    expect(answer(clusterView({ workloads: [web], budgets: [hopeful] }), about ?? pod('none')).says).toBe(
      'budget-not-now',
    );
  });
});

describe('selectors', () => {
  const pods = [
    pod('front-0', { labels: { app: 'front', tier: 'a' } }),
    pod('back-0', { labels: { app: 'back' } }),
    pod('plain-0', { labels: {} }),
  ];

  it.each<[string, LabelSelector | undefined, string[]]>([
    ['none', undefined, []],
    ['an empty one', { matchLabels: {}, matchExpressions: [] }, ['front-0', 'back-0', 'plain-0']],
    ['In', expression('app', 'In', ['front', 'other']), ['front-0']],
    ['In with a value twice', expression('app', 'In', ['front', 'front']), ['front-0']],
    ['NotIn', expression('app', 'NotIn', ['front']), ['back-0', 'plain-0']],
    ['Exists', expression('tier', 'Exists', []), ['front-0']],
    ['DoesNotExist', expression('tier', 'DoesNotExist', []), ['back-0', 'plain-0']],
    [
      'labels and an expression',
      { ...expression('tier', 'DoesNotExist', []), matchLabels: { app: 'back' } },
      ['back-0'],
    ],
  ])('%s select what the server selects, each pod once', (_, selector, names) => {
    const budgets = podBudgets(clusterView({ pods, budgets: [budget('web', { selector })] }), pods);
    const selected = pods.filter(({ uid }) => budgets.has(uid)).map(({ name }) => name);
    expect(selected).toEqual(names);
    for (const [only] of budgets.values())
      expect(only?.members.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  it('never reach into another namespace', () => {
    const elsewhere = pod('web-0', { namespace: 'other' });
    const view = clusterView({ pods: [elsewhere], budgets: [budget('web', {})] });
    expect(podBudgets(view, [elsewhere]).size).toBe(0);
  });

  function expression(
    key: string,
    operator: LabelSelector['matchExpressions'][number]['operator'],
    values: string[],
  ): LabelSelector {
    return { matchLabels: {}, matchExpressions: [{ key, operator, values }] };
  }
});

describe('a pod marked as disrupted', () => {
  it('no longer counts as healthy, so that the room it took is not given twice', () => {
    const web = workload({ name: 'web', pods: [ready, ready, ready] });
    const [about] = web.pods;
    if (about === undefined) throw new Error('it is about the first pod');
    const one = counted({ maxUnavailable: 1 }, web.pods, 3);
    const marked = { ...one, status: { ...one.status, disruptedPods: { 'web-2': takenAt - 1000 } } };
    const [selected] = podBudgets(clusterView({ workloads: [web], budgets: [marked] }), [about]).get(about.uid) ?? [];
    if (selected === undefined) throw new Error('the budget selects it');
    expect(budgetVerdict({ ...selected, pod: about, inFlight: new Set(), now: takenAt })).toMatchObject({
      kind: 'not-now',
      healthy: 2,
      desired: 2,
    });
  });
});
