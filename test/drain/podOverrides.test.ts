import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NamespaceView, PodView } from '../../src/cluster/view.js';
import { classifyPods } from '../../src/drain/classifyPods.js';
import { drainForecast } from '../../src/drain/forecast.js';
import { leftPods, leftReplicas } from '../../src/drain/leftPods.js';
import { nextEvictions } from '../../src/drain/next.js';
import type { DrainPolicy } from '../../src/playbook/playbook.js';
import {
  budget,
  clusterView,
  drainPolicy,
  node,
  pod,
  spreadPolicy,
  takenAt,
  workload,
  type Workload,
} from './clusterFixtures.js';

type Override = DrainPolicy['overrides'][number];
type Treatment = Override['do'];

const here = { on: 'node-1' };
const elsewhere = { on: 'node-2' };
const acme: NamespaceView = { name: 'shop', labels: { team: 'acme' }, terminating: false };
const jobController = { apiVersion: 'batch/v1', kind: 'Job', name: 'import', uid: 'job' };
const strictest = { ...drainPolicy, unmanagedPods: 'block', localData: 'block', jobPods: 'block' } as const;

function entry(treatment: Treatment, changes: Partial<Override> = {}): Override {
  return { namespaces: { team: 'acme' }, selector: '', do: treatment, ...changes };
}

interface Content {
  readonly pods?: readonly PodView[];
  readonly workloads?: readonly Workload[];
  readonly budgets?: readonly ReturnType<typeof budget>[];
}

function question(overrides: readonly Override[], content: Content, policy: DrainPolicy = strictest) {
  const nodes = [node('node-1'), node('node-2')];
  return {
    view: clusterView({ nodes, namespaces: [acme], ...content }),
    node: 'node-1',
    policy: { ...policy, overrides },
    spread: spreadPolicy,
    managedBudgets: [],
    now: takenAt,
    inFlight: new Set<string>(),
  };
}

/** `evict`, what it waits for, why never or why it stays. */
function outcome(overrides: readonly Override[], content: Content): string {
  const { steps, stays } = nextEvictions(question(overrides, content));
  const [step] = steps;
  if (step === undefined) return stays[0]?.why ?? 'nothing';
  if (step.kind === 'never') return step.finding.code;
  return step.kind === 'wait' ? step.wait.for : 'evict';
}

/** Each of them is kept by the strictest policy. */
const reluctant: Readonly<Record<string, Content>> = {
  'a pod without a controller': { pods: [pod('bare-0')] },
  'a Job pod': { pods: [pod('import-0', { controller: jobController })] },
  'a pod with local data': {
    workloads: [workload({ name: 'web', pods: [{ ...here, emptyDirs: ['cache'] }, elsewhere] })],
  },
  'a pod that asks to be left alone': {
    workloads: [
      workload({
        name: 'web',
        pods: [{ ...here, annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } }, elsewhere],
      }),
    ],
  },
};
const names = Object.keys(reluctant);

describe('an override of the drain', () => {
  it.each(names)('decides about %s', (name) => {
    const content = reluctant[name] ?? {};
    expect(outcome([], content)).not.toBe('evict');
    expect(outcome([entry('evict')], content)).toBe('evict');
    expect(outcome([entry('leave')], content)).toBe('left-by-policy');
    expect(outcome([entry('wait')], content)).toBe('pod-awaited');
    expect(outcome([entry('block')], content)).toBe('pod-blocked');
  });

  it.each<[string, Partial<PodView>, string]>([
    [
      'DaemonSet pod',
      { controller: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'ds' } },
      'daemonset',
    ],
    ['static pod', { mirror: true }, 'mirror'],
    ['finished pod', { phase: 'Succeeded' }, 'finished'],
  ])('does not concern a %s', (_, changes, why) => {
    for (const treatment of ['evict', 'leave', 'wait', 'block'] as const) {
      expect(outcome([entry(treatment)], { pods: [pod('x-0', changes)] })).toBe(why);
    }
  });

  it.each<[string, Partial<Override>, boolean]>([
    ['the labels of its namespace', { namespaces: { team: 'acme' }, selector: '' }, true],
    ['its own labels', { namespaces: {}, selector: 'app=bare' }, true],
    ['both', { selector: 'app in (bare,other)' }, true],
    ['its own labels in another namespace', { namespaces: { team: 'zoo' }, selector: 'app=bare' }, false],
    ['other labels in its namespace', { selector: 'app=web' }, false],
  ])('means a pod by %s', (_, changes, means) => {
    expect(outcome([entry('leave', changes)], { pods: [pod('bare-0')] })).toBe(
      means ? 'left-by-policy' : 'unmanaged-pod',
    );
  });

  it('is the first that means the pod, and is named', () => {
    const overrides = [entry('leave', { selector: 'app=web' }), entry('block'), entry('evict')];
    const { steps } = nextEvictions(question(overrides, { pods: [pod('bare-0')] }));
    expect(steps).toMatchObject([
      {
        kind: 'never',
        finding: { code: 'pod-blocked', message: expect.stringContaining('spec.drain.overrides[1]') as string },
      },
    ]);
  });

  it('waits for a pod that is ending whatever it says, unless it leaves it', () => {
    const content = { pods: [pod('bare-0', { terminating: true })] };
    for (const treatment of ['evict', 'wait', 'block'] as const)
      expect(outcome([entry(treatment)], content)).toBe('terminating');
    expect(outcome([entry('leave')], content)).toBe('left-by-policy');
  });

  it('that evicts does not open a budget or thin out replicas', () => {
    const gathered = workload({ name: 'web', pods: [here, here] });
    const status = { expectedPods: 2, currentHealthy: 2, desiredHealthy: 2 };
    const closed = budget('web', { maxUnavailable: 0, status });
    expect(outcome([entry('evict')], { workloads: [gathered], budgets: [closed] })).toBe('budget-never');
    const { steps } = nextEvictions(question([entry('evict')], { workloads: [gathered] }));
    expect(steps.map((step) => (step.kind === 'wait' ? step.wait.for : step.kind))).toEqual(['evict', 'spread']);
  });

  it('is in the view of every pod: which pods it means, the treatment decides alone', () => {
    const treatments = fc.constantFrom<Treatment>('evict', 'leave', 'wait', 'block');
    const selectors = fc.constantFrom('', 'app=bare', 'app!=bare', 'app', '!app');
    const overrides = fc.array(
      fc.record({
        do: treatments,
        selector: selectors,
        namespaces: fc.constantFrom({}, { team: 'acme' }, { team: 'zoo' }),
      }),
    );
    const content: Content = {
      pods: [pod('bare-0'), pod('import-0', { controller: jobController })],
      workloads: [workload({ name: 'web', pods: [here, { ...here, emptyDirs: ['cache'] }, elsewhere] })],
    };
    const expected = { evict: 'leaves', leave: 'stays', wait: 'awaited', block: 'forbidden' } as const;
    fc.assert(
      fc.property(overrides, (entries) => {
        const asked = question(entries, content);
        const general = classifyPods(question([], content));
        classifyPods(asked).forEach((standing, index) => {
          const { app } = standing.pod.labels;
          const first = entries.find(
            ({ selector, namespaces }) =>
              namespaces.team !== 'zoo' &&
              { '': true, 'app=bare': app === 'bare', 'app!=bare': app !== 'bare', app: true, '!app': false }[selector],
          );
          if (first === undefined) expect(standing).toEqual(general[index]);
          else expect(standing.kind).toBe(expected[first.do]);
        });
      }),
    );
  });
});

describe('the forecast with overrides', () => {
  function findings(overrides: readonly Override[], content: Content) {
    const { verdict, findings } = drainForecast(question(overrides, content));
    return [verdict, ...findings.map(({ severity, code }) => `${severity} ${code}`)];
  }

  it.each<[Treatment, string[]]>([
    ['leave', ['possible', 'caution left-by-policy']],
    ['wait', ['possible', 'caution pod-awaited']],
    ['block', ['blocked', 'block pod-blocked']],
    ['evict', ['possible', 'caution unmanaged-pod']],
  ])('says of %s what comes of it', (treatment, expected) => {
    expect(findings([entry(treatment)], { pods: [pod('bare-0')] })).toEqual(expected);
  });

  it('says that a wish is overruled and a Job fails, and which entry does it', () => {
    const annotations = { 'karpenter.sh/do-not-disrupt': 'true' };
    const content = { pods: [pod('import-0', { controller: jobController, annotations, emptyDirs: ['cache'] })] };
    expect(findings([entry('evict')], content)).toEqual([
      'possible',
      'caution job-running',
      'caution objection-overruled',
      'info local-data-lost',
    ]);
    for (const { hint } of drainForecast(question([entry('evict')], content)).findings) {
      expect(hint).toContain('spec.drain.overrides');
    }
  });

  it('waits for replacements of a pod that went by itself', () => {
    const gathered = workload({ name: 'web', pods: [{ ...here, labels: { app: 'web', held: 'yes' } }, here] });
    const { verdict, evictions } = drainForecast(
      question([entry('wait', { selector: 'held' })], { workloads: [gathered] }),
    );
    expect({ verdict, evictions }).toEqual({ verdict: 'possible', evictions: 1 });
  });
});

it('replicas that are left are not expected on other nodes, unless they were not Ready', () => {
  const left = { labels: { app: 'web', held: 'yes' } };
  const web = workload({
    name: 'web',
    pods: [
      { ...here, ...left },
      { ...here, ...left, ready: false },
      { ...here, ...left, terminating: true },
      here,
      elsewhere,
    ],
  });
  const asked = question([entry('leave', { selector: 'held' })], { workloads: [web] });
  const pods = leftPods(asked);
  expect(pods.map(({ name }) => name)).toEqual(['web-0', 'web-1', 'web-2']);
  expect([...leftReplicas(pods, asked.view)]).toEqual([['shop/Deployment/web', 1]]);
});
