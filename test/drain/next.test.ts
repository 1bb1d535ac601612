import { describe, expect, it } from 'vitest';
import type { ClusterView, PodView } from '../../src/cluster/view.js';
import { nextEvictions, waitChangesAt, type DrainSituation } from '../../src/drain/next.js';
import { budget, clusterView, drainPolicy, pod, spreadPolicy, takenAt, workload } from './clusterFixtures.js';

/** What is next for each pod by its name: `evict`, what it waits for, or the code of why never. */
function next(view: ClusterView, changes: Partial<DrainSituation> = {}): Record<string, string> {
  const { steps } = nextEvictions({
    view,
    node: 'node-1',
    policy: drainPolicy,
    spread: spreadPolicy,
    managedBudgets: [],
    now: takenAt,
    inFlight: new Set(),
    ...changes,
  });
  return Object.fromEntries(
    steps.map((step) => {
      switch (step.kind) {
        case 'evict':
          return [step.pod.name, 'evict'];
        case 'surge':
          return [step.pod.name, 'surge'];
        case 'wait':
          return [step.pod.name, step.wait.for];
        case 'never':
          return [step.pod.name, step.finding.code];
      }
    }),
  );
}

const here = { on: 'node-1' };
const elsewhere = { on: 'node-2' };
const job = { apiVersion: 'batch/v1', kind: 'Job', name: 'import', uid: 'job' };

describe('pods that stay', () => {
  it('are those of DaemonSets, static pods and finished ones', () => {
    const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'ds' };
    const pods = [
      pod('agent-0', { controller: daemonSet }),
      pod('static-0', { mirror: true }),
      pod('done-0', { phase: 'Succeeded', ready: false }),
      pod('broken-0', { phase: 'Failed', ready: false }),
    ];
    const { steps, stays } = nextEvictions({
      view: clusterView({ pods }),
      node: 'node-1',
      policy: drainPolicy,
      spread: spreadPolicy,
      managedBudgets: [],
      now: takenAt,
      inFlight: new Set(),
    });
    expect(steps).toEqual([]);
    expect(stays.map(({ pod: { name }, why }) => [name, why])).toEqual([
      ['agent-0', 'daemonset'],
      ['broken-0', 'finished'],
      ['done-0', 'finished'],
      ['static-0', 'mirror'],
    ]);
  });

  it('are those of a controller that put its pod back onto the node', () => {
    const web = workload({ name: 'web', pods: [here, elsewhere] });
    expect(next(clusterView({ workloads: [web] }), { boundControllers: new Set([web.controllerUid]) })).toEqual({});
  });

  it('are not pods on other nodes', () => {
    expect(next(clusterView({ workloads: [workload({ name: 'web', pods: [elsewhere] })] }))).toEqual({});
  });
});

describe('the playbook decides about', () => {
  it.each([
    ['block', 'unmanaged-pod'],
    ['delete', 'evict'],
  ] as const)('a pod without a controller: %s means %s', (unmanagedPods, expected) => {
    const view = clusterView({ pods: [pod('bare-0')] });
    expect(next(view, { policy: { ...drainPolicy, unmanagedPods } })).toEqual({ 'bare-0': expected });
  });

  it.each([
    ['block', 'local-data-blocked'],
    ['delete', 'evict'],
  ] as const)('a pod with an emptyDir: %s means %s', (localData, expected) => {
    const view = clusterView({
      workloads: [workload({ name: 'web', pods: [{ ...here, emptyDirs: ['cache'] }, elsewhere] })],
    });
    expect(next(view, { policy: { ...drainPolicy, localData } })).toEqual({ 'web-0': expected });
  });

  it.each([
    ['wait', 'job-running'],
    ['evict', 'evict'],
    ['block', 'job-running'],
  ] as const)('a running Job pod: %s means %s', (jobPods, expected) => {
    const view = clusterView({ pods: [pod('import-0', { controller: job })] });
    expect(next(view, { policy: { ...drainPolicy, jobPods } })).toEqual({ 'import-0': expected });
  });

  it.each([
    ['cluster-autoscaler.kubernetes.io/safe-to-evict', 'false', 'pod-objects'],
    ['cluster-autoscaler.kubernetes.io/safe-to-evict', 'true', 'evict'],
    ['karpenter.sh/do-not-disrupt', 'true', 'pod-objects'],
    ['karpenter.sh/do-not-disrupt', '2h', 'pod-objects'],
    ['karpenter.sh/do-not-disrupt', '30m', 'evict'],
  ])('a pod an hour old with %s: %s means %s', (key, value, expected) => {
    const view = clusterView({
      workloads: [workload({ name: 'web', pods: [{ ...here, annotations: { [key]: value } }, elsewhere] })],
    });
    expect(next(view)).toEqual({ 'web-0': expected });
  });

  it('a Job pod that does not want to be disturbed: it may finish', () => {
    const annotations = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' };
    expect(next(clusterView({ pods: [pod('import-0', { controller: job, annotations })] }))).toEqual({
      'import-0': 'job-running',
    });
  });
});

describe('a pod that is ending', () => {
  const ending = pod('web-0', { terminating: true, deletionDeadline: takenAt });
  const waitOf = (one: PodView, now: number) => {
    const { steps } = nextEvictions({
      view: clusterView({ pods: [one] }),
      node: 'node-1',
      policy: drainPolicy,
      spread: spreadPolicy,
      managedBudgets: [],
      now,
      inFlight: new Set(),
    });
    const [step] = steps;
    return step?.kind === 'wait' ? step.wait : undefined;
  };

  it('is waited for until its grace period is over, and named with its finalizers', () => {
    expect(waitOf(ending, takenAt)).toMatchObject({ for: 'terminating', until: takenAt });
    expect(waitOf({ ...ending, finalizers: ['example.com/guard'] }, takenAt)?.message).toBe(
      'Pod shop/web-0 is ending; its grace period is 30 s, and it has finalizers (example.com/guard).',
    );
  });

  it('is overdue a moment after that, which is told without any change of the cluster', () => {
    const before = waitOf(ending, takenAt + 4999);
    expect(before?.for).toBe('terminating');
    expect(before && waitChangesAt(before)).toBe(takenAt + 5000);
    const overdue = waitOf(ending, takenAt + 5000);
    expect(overdue).toMatchObject({ for: 'overdue', objects: ['Pod shop/web-0'] });
    expect(overdue?.message).toMatch(/^Pod shop\/web-0 should have ended at \d\d:\d\d:\d\dZ, but its kubelet has not/);
    expect(overdue && waitChangesAt(overdue)).toBe(Infinity);
  });
});

describe('budgets', () => {
  const status = { expectedPods: 4, currentHealthy: 4, desiredHealthy: 2, disruptionsAllowed: 2 };
  const gathered = workload({ name: 'web', pods: [here, here, here, elsewhere] });

  it('let go as many at a time as they allow', () => {
    const view = clusterView({ workloads: [gathered], budgets: [budget('web', { maxUnavailable: 2, status })] });
    expect(next(view, { spread: { minReadyElsewhere: 1, singletons: 'allow' } })).toEqual({
      'web-0': 'evict',
      'web-1': 'evict',
      'web-2': 'budget-not-now',
    });
  });

  it('say which pod they count as gone, and until when, where an eviction was allowed and not carried out', () => {
    const lost = { ...status, currentHealthy: 3, desiredHealthy: 3, disruptionsAllowed: 0 };
    const disruptedPods = { 'web-1': takenAt - 60_000 };
    const budgets = [budget('web', { maxUnavailable: 1, status: { ...lost, disruptedPods } })];
    const view = clusterView({ workloads: [gathered], budgets });
    const { steps } = nextEvictions({
      view,
      node: 'node-1',
      policy: drainPolicy,
      spread: { minReadyElsewhere: 0, singletons: 'allow' },
      managedBudgets: [],
      now: takenAt,
      inFlight: new Set(),
    });
    expect(steps.flatMap((step) => (step.kind === 'wait' ? [step.wait.message] : []))).toContain(
      'PodDisruptionBudget shop/web needs 3 healthy pods and has 3; it counts Pod shop/web-1 as gone until 22:01:00Z, because its eviction was allowed at 21:59:00Z and not carried out.',
    );
  });

  it('count the evictions under way', () => {
    const view = clusterView({ workloads: [gathered], budgets: [budget('web', { maxUnavailable: 2, status })] });
    expect(next(view, { inFlight: new Set(['uid-of-web-0']) })).toEqual({
      'web-0': 'terminating',
      'web-1': 'evict',
      'web-2': 'budget-not-now',
    });
  });

  it('are not used up by a pod whose eviction is held back', () => {
    const one = budget('web', { maxUnavailable: 1, status: { ...status, desiredHealthy: 3, disruptionsAllowed: 1 } });
    const wait = { for: 'retry', objects: [], message: 'refused', hint: '' } as const;
    expect(
      next(clusterView({ workloads: [gathered], budgets: [one] }), { heldBack: new Map([['uid-of-web-0', wait]]) }),
    ).toEqual({
      'web-0': 'retry',
      'web-1': 'evict',
      'web-2': 'budget-not-now',
    });
  });

  it('see the pods that are not Ready first', () => {
    const pods = [here, { ...here, ready: false }, elsewhere, elsewhere];
    const one = budget('web', {
      maxUnavailable: 1,
      status: { ...status, currentHealthy: 3, desiredHealthy: 3, disruptionsAllowed: 0 },
    });
    expect(next(clusterView({ workloads: [workload({ name: 'web', pods })], budgets: [one] }))).toEqual({
      'web-1': 'evict',
      'web-0': 'budget-not-now',
    });
  });

  it('are not used up by pods that may go although they are not Ready', () => {
    const pods = [here, { ...here, ready: false }, { ...here, ready: false }, elsewhere, elsewhere];
    const one = budget('web', {
      minAvailable: 2,
      status: { expectedPods: 5, currentHealthy: 3, desiredHealthy: 2, disruptionsAllowed: 1 },
    });
    const view = clusterView({ workloads: [workload({ name: 'web', pods })], budgets: [one] });
    expect(next(view, { spread: { minReadyElsewhere: 0, singletons: 'allow' } })).toEqual({
      'web-1': 'evict',
      'web-2': 'evict',
      'web-0': 'evict',
    });
  });

  it('are not asked for a pod that has not started', () => {
    const pods = [{ ...here, phase: 'Pending', ready: false } as const, elsewhere];
    const closed = budget('web', {
      maxUnavailable: 0,
      status: { expectedPods: 2, currentHealthy: 1, desiredHealthy: 2 },
    });
    expect(next(clusterView({ workloads: [workload({ name: 'web', pods })], budgets: [closed] }))).toEqual({
      'web-0': 'evict',
    });
  });

  it('that can never allow anything are told with numbers and what to change', () => {
    const closed = budget('web', {
      minAvailable: 3,
      status: { expectedPods: 3, currentHealthy: 3, desiredHealthy: 3 },
    });
    const { steps } = nextEvictions({
      view: clusterView({
        workloads: [workload({ name: 'web', pods: [here, elsewhere, elsewhere] })],
        budgets: [closed],
      }),
      node: 'node-1',
      policy: drainPolicy,
      spread: spreadPolicy,
      managedBudgets: [],
      now: takenAt,
      inFlight: new Set(),
    });
    expect(steps).toMatchObject([
      {
        kind: 'never',
        finding: {
          code: 'budget-never',
          severity: 'block',
          objects: ['PodDisruptionBudget shop/web', 'Deployment shop/web'],
          message: 'PodDisruptionBudget shop/web wants 3 healthy of 3 pods, so no pod can ever be evicted.',
          hint: 'Replace minAvailable on it by maxUnavailable: 1, or raise the replicas of Deployment shop/web to 4.',
        },
      },
    ]);
  });

  it('two on one pod are a conflict that names both', () => {
    const second = budget('second', { minAvailable: 1, selector: { matchLabels: {}, matchExpressions: [] } });
    const view = clusterView({
      workloads: [gathered],
      budgets: [budget('web', { maxUnavailable: 2, status }), second],
    });
    expect(next(view)['web-0']).toBe('budget-conflict');
  });

  it('of operators are waited for, and their pods go last', () => {
    const managed = budget('ceph', {
      maxUnavailable: 0,
      managedBy: 'CephCluster',
      status: { expectedPods: 3, currentHealthy: 3, desiredHealthy: 3 },
    });
    const ceph = workload({ name: 'ceph', pods: [here, elsewhere, elsewhere] });
    const web = workload({ name: 'web', pods: [here, elsewhere] });
    expect(next(clusterView({ workloads: [ceph, web], budgets: [managed] }))).toEqual({
      'web-0': 'evict',
      'ceph-0': 'managed-budget',
    });
    const open = { ...managed, status: { ...managed.status, desiredHealthy: 2, disruptionsAllowed: 1 } };
    expect(next(clusterView({ workloads: [ceph, web], budgets: [open] }))).toEqual({
      'web-0': 'evict',
      'ceph-0': 'earlier-pods',
    });
    expect(next(clusterView({ workloads: [ceph], budgets: [open] }))).toEqual({ 'ceph-0': 'evict' });
  });
});

describe('budgets that the playbook names as managed', () => {
  const closed = { expectedPods: 2, currentHealthy: 2, desiredHealthy: 2 };
  const engine = workload({ name: 'engine', pods: [here, elsewhere] });
  const budgets = [budget('engine', { maxUnavailable: 0, labels: { part: 'storage' }, status: closed })];
  const namespaces = [{ name: 'shop', labels: { 'kubernetes.io/metadata.name': 'shop' }, terminating: false }];
  const view = clusterView({ workloads: [engine], budgets, namespaces });

  it.each([
    ['by the name of their namespace', { 'kubernetes.io/metadata.name': 'shop' }, '', 'managed-budget'],
    ['by their own labels', {}, 'part=storage', 'managed-budget'],
    ['by both', { 'kubernetes.io/metadata.name': 'shop' }, 'part in (storage,db)', 'managed-budget'],
    ['not by another namespace', { 'kubernetes.io/metadata.name': 'other' }, 'part=storage', 'budget-never'],
    ['not by other labels', { 'kubernetes.io/metadata.name': 'shop' }, 'part=web', 'budget-never'],
  ] as const)('are known %s', (_, named, selector, expected) => {
    expect(next(view, { managedBudgets: [{ namespaces: named, selector }] })).toEqual({ 'engine-0': expected });
  });

  it('let their pods go last, when they are open', () => {
    const web = workload({ name: 'web', pods: [here, elsewhere] });
    const open = { ...closed, desiredHealthy: 1, disruptionsAllowed: 1 };
    const managedBudgets = [{ namespaces: {}, selector: 'part=storage' }];
    const opened = [budget('engine', { maxUnavailable: 1, labels: { part: 'storage' }, status: open })];
    expect(next(clusterView({ workloads: [engine, web], budgets: opened }), { managedBudgets })).toEqual({
      'web-0': 'evict',
      'engine-0': 'earlier-pods',
    });
  });
});

describe('a namespace that is being deleted', () => {
  it('takes its pods with it, whatever budget, spread and playbook say', () => {
    const namespaces = [{ name: 'shop', labels: {}, terminating: true }];
    const web = workload({ name: 'web', pods: [here, here] });
    const budgets = [budget('web', { maxUnavailable: 0, status: { expectedPods: 2, desiredHealthy: 2 } })];
    const view = clusterView({ namespaces, workloads: [web], budgets, pods: [pod('bare-0')] });
    expect(next(view)).toEqual({
      'web-0': 'namespace-deleted',
      'web-1': 'namespace-deleted',
      'bare-0': 'namespace-deleted',
    });
  });
});

describe('the spread of replicas', () => {
  it('lets replicas that gathered on the node leave one after the other, never the last Ready one', () => {
    const view = clusterView({ workloads: [workload({ name: 'web', pods: [here, here] })] });
    expect(next(view)).toEqual({ 'web-0': 'evict', 'web-1': 'spread' });
    expect(next(view, { inFlight: new Set(['uid-of-web-0']) })).toEqual({ 'web-0': 'terminating', 'web-1': 'spread' });
    const replaced = clusterView({ workloads: [workload({ name: 'web', desired: 2, pods: [here, elsewhere] })] });
    expect(next(replaced)).toEqual({ 'web-0': 'evict' });
  });

  it('keeps the last Ready replica until another is Ready', () => {
    const view = clusterView({ workloads: [workload({ name: 'web', pods: [here, { ...elsewhere, ready: false }] })] });
    expect(next(view)).toEqual({ 'web-0': 'spread' });
  });

  it.each([
    ['50%', 4, 2],
    ['50%', 5, 2],
    ['100%', 4, 1],
    [1, 4, 3],
    [0, 4, 3],
    [9, 4, 1],
  ] as const)(
    'with minReadyElsewhere %s lets %i gathered replicas leave %i at a time',
    (minReadyElsewhere, replicas, atOnce) => {
      const view = clusterView({
        workloads: [workload({ name: 'web', pods: Array.from({ length: replicas }, () => here) })],
      });
      const steps = Object.values(next(view, { spread: { minReadyElsewhere, singletons: 'allow' } }));
      expect(steps.filter((step) => step === 'evict')).toHaveLength(atOnce);
    },
  );

  it('always lets a pod go that is not Ready', () => {
    const view = clusterView({ workloads: [workload({ name: 'web', pods: [{ ...here, ready: false }, elsewhere] })] });
    expect(next(view)).toEqual({ 'web-0': 'evict' });
  });

  it('counts the pods of a custom kind without a scale as its replicas', () => {
    const kafka = workload({
      name: 'kafka',
      kind: 'StrimziPodSet',
      apiVersion: 'core.strimzi.io/v1beta2',
      desired: null,
      pods: [here, here],
    });
    expect(next(clusterView({ workloads: [kafka] }))).toEqual({ 'kafka-0': 'evict', 'kafka-1': 'spread' });
  });

  it.each([
    ['allow', 'evict'],
    ['block', 'singleton-blocked'],
  ] as const)('singletons: %s means %s', (singletons, expected) => {
    const view = clusterView({ workloads: [workload({ name: 'web', pods: [here] })] });
    expect(next(view, { spread: { minReadyElsewhere: '50%', singletons } })).toEqual({ 'web-0': expected });
  });

  it('lets a singleton go whose second pod is Ready elsewhere already', () => {
    const view = clusterView({ workloads: [workload({ name: 'web', desired: 1, pods: [here, elsewhere] })] });
    expect(next(view, { spread: { minReadyElsewhere: '50%', singletons: 'block' } })).toEqual({ 'web-0': 'evict' });
  });
});

it('lets critical pods go when the others have left', () => {
  const web = workload({ name: 'web', pods: [here, elsewhere] });
  const dns = workload({ name: 'dns', pods: [{ ...here, priority: 2_000_000_000 }, elsewhere] });
  expect(next(clusterView({ workloads: [web, dns] }))).toEqual({ 'web-0': 'evict', 'dns-0': 'earlier-pods' });
  expect(next(clusterView({ workloads: [dns] }))).toEqual({ 'dns-0': 'evict' });
});

it('evicts nothing twice: a pod that is ending is waited for', () => {
  const view = clusterView({
    workloads: [workload({ name: 'web', pods: [{ ...here, ready: false, terminating: true }, elsewhere] })],
  });
  expect(next(view)).toEqual({ 'web-0': 'terminating' });
});
