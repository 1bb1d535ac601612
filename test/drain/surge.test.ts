import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { marks } from '../../src/cluster/marks.js';
import { parseOwner } from '../../src/cluster/parseOwner.js';
import type { ClusterView, OwnerView, PodView, RolloutView } from '../../src/cluster/view.js';
import { drainForecast } from '../../src/drain/forecast.js';
import { nextEvictions } from '../../src/drain/next.js';
import type { NextStep } from '../../src/drain/nextStep.js';
import { restartMark } from '../../src/drain/surge.js';
import { budget, clusterView, drainPolicy, node, takenAt, workload, type Workload } from './clusterFixtures.js';

const spread = { minReadyElsewhere: '50%', singletons: 'surge' } as const;
const restartedFor = restartMark({ turn: 'monthly-2026-11', node: 'node-1' });
const ended: RolloutView = {
  recreates: false,
  maxSurge: 1,
  maxUnavailable: 0,
  paused: false,
  observed: true,
  pods: 1,
  updatedPods: 1,
  availablePods: 1,
  restartedFor: undefined,
};

/** A Deployment with one replica on node-1, in the namespace shop. */
function singleton(rollout: Partial<RolloutView> = {}, pod: Partial<PodView> = {}): Workload {
  return withRollout(workload({ name: 'web', pods: [{ on: 'node-1', ...pod }] }), { ...ended, ...rollout });
}

function withRollout({ owner, ...rest }: Workload, rollout: RolloutView): Workload {
  return { ...rest, owner: { ...owner, rollout } };
}

function stepsOf(view: ClusterView): readonly NextStep[] {
  return nextEvictions({
    view,
    node: 'node-1',
    policy: drainPolicy,
    spread,
    managedBudgets: [],
    now: takenAt,
    inFlight: new Set(),
    restartedFor,
  }).steps;
}

/** `surge`, `evict`, what is waited for, or why the replacement cannot come first. */
function next(view: ClusterView): string | undefined {
  const [step] = stepsOf(view);
  switch (step?.kind) {
    case 'wait':
      return step.wait.for;
    case 'never':
      return step.finding.code;
    case 'evict':
      return step.outage === undefined ? 'evict' : `outage: ${step.outage.why}`;
    default:
      return step?.kind;
  }
}

const forecast = (view: ClusterView) =>
  drainForecast({ view, node: 'node-1', policy: drainPolicy, spread, managedBudgets: [] });

describe('the replacement of a singleton', () => {
  it('comes first also behind a webhook that has no other pod, which is never without one', () => {
    const hook = {
      namespace: 'shop',
      name: 'hook',
      selector: { app: 'web' },
      sharesTraffic: true,
      calledBy: ['ValidatingWebhookConfiguration policy'],
    };
    const asked = (restarted: { readonly restartedFor?: string }) =>
      nextEvictions({
        view: clusterView({ workloads: [singleton()] }),
        node: 'node-1',
        policy: drainPolicy,
        spread,
        managedBudgets: [],
        vitalServices: [hook],
        now: takenAt,
        inFlight: new Set(),
        ...restarted,
      }).steps.map((step) => (step.kind === 'wait' ? step.wait.for : step.kind));
    expect(asked({ restartedFor })).toEqual(['surge']);
    // Without a turn there is nothing to restart for.
    expect(asked({})).not.toContain('evict');
  });

  it('comes first where no pod may be unavailable and one may be too many', () => {
    expect(next(clusterView({ workloads: [singleton()] }))).toBe('surge');
  });

  it('is said before, with the revision that it adds', () => {
    const { verdict, evictions, findings } = forecast(clusterView({ workloads: [singleton()] }));
    expect({ verdict, evictions }).toEqual({ verdict: 'possible', evictions: 0 });
    expect(findings.map(({ code, severity, objects }) => ({ code, severity, objects }))).toEqual([
      { code: 'singleton-surge', severity: 'info', objects: ['Deployment shop/web', 'Pod shop/web-0'] },
    ]);
    expect(findings[0]?.message).toMatch(/a second is started .* before Pod shop\/web-0 ends.*adds a revision/);
  });

  it('comes first although the budget never allows an eviction, since a rollout asks no budget', () => {
    const status = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 };
    const budgets = [budget('web', { minAvailable: 1, status })];
    const view = clusterView({ workloads: [singleton()], budgets });
    expect(next(view)).toBe('surge');
    expect(forecast(view)).toMatchObject({ verdict: 'possible' });
    expect(next(clusterView({ workloads: [singleton({ recreates: true })], budgets }))).toBe('budget-never');
  });

  it.each<[string, Partial<RolloutView>, Partial<PodView>, RegExp]>([
    ['a Deployment of strategy Recreate', { recreates: true }, {}, /Recreate/],
    ['maxUnavailable 1', { maxUnavailable: 1 }, {}, /maxUnavailable comes to 1, maxSurge to 1/],
    ['maxSurge 0', { maxSurge: 0, maxUnavailable: 1 }, {}, /maxUnavailable comes to 1, maxSurge to 0/],
    ['paused rollouts', { paused: true }, {}, /paused/],
    ['a volume of one node', {}, { claims: ['data'] }, /PersistentVolumeClaim shop\/data can be used on one node/],
    [
      'a pod that tolerates the cordon',
      {},
      { tolerations: [{ key: '', operator: 'Exists', value: '', effect: '' }] },
      /tolerates the cordon/,
    ],
    ['a pod that no other node admits', {}, { nodeSelector: { disk: 'ssd' } }, /admits no other node/],
    [
      'a replacement of this turn',
      {},
      { annotations: { [marks.restartedFor]: restartedFor } },
      /for this turn already/,
    ],
  ])('cannot come first for %s: a planned outage by name', (_, rollout, pod, why) => {
    const claims = [{ namespace: 'shop', name: 'data', volume: undefined, onOneNode: true }];
    const view = clusterView({ workloads: [singleton(rollout, pod)], claims });
    expect(next(view)).toMatch(why);
    const outage = forecast(view).findings.find(({ code }) => code === 'singleton-outage');
    if (pod.annotations !== undefined) return; // The plan is of no turn yet.
    expect(outage?.objects).toEqual(['Deployment shop/web', 'Pod shop/web-0']);
    expect(outage?.message).toMatch(/^Planned outage: Deployment shop\/web has one replica/);
    expect(outage?.message).toMatch(why);
  });

  it.each([
    ['StatefulSet', 'apps/v1'],
    ['ReplicaSet', 'apps/v1'],
    ['ReplicationController', 'v1'],
    ['Rollout', 'argoproj.io/v1alpha1'],
  ])('cannot come first for a %s', (kind, apiVersion) => {
    const view = clusterView({ workloads: [workload({ name: 'web', kind, apiVersion, pods: [{ on: 'node-1' }] })] });
    expect(next(view)).toBe(
      `outage: only a Deployment can be restarted so that the replacement comes first, and it is a ${kind}`,
    );
  });

  it('has to find a node while the pod that it replaces takes up its place', () => {
    const zoned = (name: string, zone: string, unschedulable = false) =>
      node(name, { labels: { zone }, unschedulable });
    const selector = { matchLabels: { app: 'web' }, matchExpressions: [] };
    const antiAffinity = [{ topologyKey: 'zone', selector, namespaces: [], namespaceSelector: undefined }];
    const view = (zone: string) =>
      clusterView({
        nodes: [zoned('node-1', 'a', true), zoned('node-2', zone)],
        workloads: [singleton({}, { antiAffinity })],
      });
    expect(next(view('a'))).toMatch(/outage: no other node takes a second pod of it: it has no place on another node/);
    expect(next(view('b'))).toBe('surge');
  });

  it.each<[string, Partial<RolloutView>]>([
    ['its latest change is not seen', { observed: false }],
    ['a pod of an earlier template is left', { pods: 2 }],
    ['no pod of the present template is there', { updatedPods: 0 }],
    ['the present one is not available', { availablePods: 0 }],
  ])('waits for the end of a rollout of somebody else: %s', (_, rollout) => {
    const view = clusterView({ workloads: [singleton(rollout)] });
    expect(next(view)).toBe('rollout');
    expect(forecast(view)).toMatchObject({ verdict: 'blocked', findings: [{ code: 'rollout-under-way' }] });
  });

  it.each<[string, Partial<RolloutView>]>([
    ['not seen', { observed: false }],
    ['under way', { pods: 2, availablePods: 1 }],
    ['at its end, while the pod is still shown', {}],
    ['paused', { pods: 2, paused: true }],
  ])('is awaited once the Deployment was restarted for this turn: %s', (_, rollout) => {
    const restarted = { ...rollout, restartedFor };
    expect(next(clusterView({ workloads: [singleton(restarted)] }))).toBe('surging');
    expect(next(clusterView({ workloads: [singleton(restarted, { ready: false })] }))).toBe('surging');
  });

  it('is started for another turn although the Deployment carries the mark of an earlier one', () => {
    expect(next(clusterView({ workloads: [singleton({ restartedFor: 'monthly-2026-10/node-1' })] }))).toBe('surge');
    expect(next(clusterView({ workloads: [singleton({ restartedFor: 'monthly-2026-11/node-2' })] }))).toBe('surge');
  });

  it('is not asked for where the pod is not Ready, is no singleton, or the playbook says otherwise', () => {
    expect(next(clusterView({ workloads: [singleton({ availablePods: 0 }, { ready: false })] }))).toBe('evict');
    const pair = workload({ name: 'web', pods: [{ on: 'node-1' }, { on: 'node-2' }] });
    expect(next(clusterView({ workloads: [pair] }))).toBe('evict');
  });

  it('says in the wait what is missing', () => {
    const view = clusterView({
      workloads: [
        withRollout(
          workload({
            name: 'web',
            desired: 1,
            pods: [
              { on: 'node-1' },
              { nodeName: undefined, phase: 'Pending', ready: false, unschedulableReason: '0/2 nodes' },
            ],
          }),
          { ...ended, pods: 2, restartedFor },
        ),
      ],
    });
    const [step] = stepsOf(view);
    expect(step?.kind === 'wait' && step.wait.message).toMatch(
      /Deployment shop\/web was restarted, which added a revision.*not Ready: Pod shop\/web-1 \(0\/2 nodes\)\. The rollout goes on/,
    );
  });
});

describe('a Deployment of the API', () => {
  const deployment = (spec: object, status: object = {}) =>
    parseOwner(
      {
        metadata: { namespace: 'shop', name: 'web', uid: 'web', generation: 3 },
        spec: { replicas: 1, ...spec },
        status: { observedGeneration: 3, replicas: 1, updatedReplicas: 1, availableReplicas: 1, ...status },
      },
      'Deployment',
    );
  const fenceposts = (rollingUpdate: object | undefined): unknown => {
    const { rollout } = deployment({ strategy: { type: 'RollingUpdate', rollingUpdate } });
    return [rollout?.maxSurge, rollout?.maxUnavailable];
  };

  it.each([
    [undefined, [1, 0]],
    [{ maxSurge: '25%', maxUnavailable: '25%' }, [1, 0]],
    [{ maxSurge: 1, maxUnavailable: 0 }, [1, 0]],
    [{ maxSurge: 0, maxUnavailable: '25%' }, [0, 1]],
    [{ maxSurge: '0%', maxUnavailable: '50%' }, [0, 1]],
    [{ maxSurge: 1, maxUnavailable: 1 }, [1, 1]],
    [{ maxSurge: '1%', maxUnavailable: '99%' }, [1, 0]],
    [{ maxSurge: 3, maxUnavailable: '100%' }, [3, 1]],
    [{ maxSurge: 1, maxUnavailable: 5 }, [1, 1]],
  ])('with rollingUpdate %o comes to maxSurge and maxUnavailable %j', (rollingUpdate, expected) => {
    expect(fenceposts(rollingUpdate)).toEqual(expected);
  });

  it('tells its rollout where it has one replica, and only there', () => {
    const annotations = { [marks.restartedFor]: restartedFor };
    expect(deployment({ template: { metadata: { annotations } } }).rollout).toEqual({ ...ended, restartedFor });
    expect(deployment({ paused: true, strategy: { type: 'Recreate' } }, { observedGeneration: 2 }).rollout).toEqual({
      ...ended,
      recreates: true,
      paused: true,
      observed: false,
    });
    expect(deployment({ replicas: 2 }).rollout).toBeUndefined();
    expect(parseOwner({ metadata: { name: 'db' }, spec: { replicas: 1 } }, 'StatefulSet').rollout).toBeUndefined();
  });
});

const rollouts = fc.record<RolloutView>({
  recreates: fc.boolean(),
  maxSurge: fc.nat(2),
  maxUnavailable: fc.nat(1),
  paused: fc.boolean(),
  observed: fc.boolean(),
  pods: fc.nat(2),
  updatedPods: fc.nat(2),
  availablePods: fc.nat(2),
  restartedFor: fc.constantFrom(undefined, restartedFor, 'monthly-2026-10/node-1'),
});

it('never comes first where the rollout could leave no Ready pod, nor twice in a turn', () => {
  fc.assert(
    fc.property(rollouts, fc.boolean(), (rollout, ready) => {
      const view = clusterView({ workloads: [singleton(rollout, { ready })] });
      if (next(view) !== 'surge') return;
      expect(rollout).toMatchObject({ recreates: false, maxUnavailable: 0, paused: false, observed: true });
      expect(rollout.maxSurge).toBeGreaterThanOrEqual(1);
      expect(rollout.restartedFor).not.toBe(restartedFor);
      expect([rollout.updatedPods >= rollout.pods, rollout.availablePods >= rollout.updatedPods]).toEqual([true, true]);
    }),
  );
});

it('either comes first, is awaited, or is an outage by name, for every Ready singleton', () => {
  fc.assert(
    fc.property(rollouts, fc.boolean(), (rollout, isDeployment) => {
      const one = singleton(rollout);
      const { rollout: _, ...stateful } = one.owner;
      const owner: OwnerView = isDeployment ? one.owner : { ...stateful, kind: 'StatefulSet' };
      expect(next(clusterView({ workloads: [{ ...one, owner }] }))).toMatch(/^(surge|surging|rollout|outage: .+)$/);
    }),
  );
});
