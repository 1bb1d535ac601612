import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownerOf, readyCount, replicasOf } from '../../src/cluster/replicas.js';
import type { VitalService } from '../../src/cluster/services.js';
import type { ClusterView, PodView } from '../../src/cluster/view.js';
import { excusedReplicas } from '../../src/drain/excusedReplicas.js';
import { drainForecast } from '../../src/drain/forecast.js';
import { nextEvictions } from '../../src/drain/next.js';
import { unrecovered } from '../../src/drain/recovery.js';
import type { SpreadPolicy } from '../../src/drain/spreadPolicy.js';
import { drainPolicy, pod, takenAt, workload, type Workload } from './clusterFixtures.js';
import { ModelCluster, type ModelBudget } from './modelCluster.js';

const percent = fc.integer({ min: 0, max: 100 }).map((number) => `${number}%` as const);
const count = fc.oneof(fc.integer({ min: 0, max: 6 }), percent);

const replica = fc.record({
  on: fc.constantFrom('node-1', 'node-1', 'node-2'),
  ready: fc.constantFrom(true, true, true, true, false),
  critical: fc.constantFrom(false, false, false, true),
});

const workloads = fc.array(
  fc.record({
    replicas: fc.array(replica, { minLength: 1, maxLength: 6 }),
    /** Its pods keep data on a disk of the node they are on. */
    local: fc.constantFrom(false, false, true),
    /** Its pods answer for the API server, with those of the others that do. */
    vital: fc.constantFrom(false, false, true),
    /** A replica is missing, or one too many is there (a rollout). */
    extra: fc.constantFrom(0, 0, 0, 1, -1),
    budget: fc.option(
      fc.record({
        rule: fc.oneof(
          count.map((minAvailable) => ({ minAvailable })),
          count.map((maxUnavailable) => ({ maxUnavailable })),
        ),
        alwaysAllow: fc.boolean(),
      }),
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

const vitalLabel = { serves: 'api' };
const vitalService: VitalService = {
  namespace: 'shop',
  name: 'hook',
  selector: vitalLabel,
  sharesTraffic: true,
  calledBy: ['ValidatingWebhookConfiguration policy'],
};

const scenario = fc.record({
  workloads,
  jobs: fc.integer({ min: 0, max: 2 }),
  minReadyElsewhere: count,
  /** Which of the possible events happens next, for as long as it lasts; then always the first. */
  choices: fc.array(fc.nat({ max: 1000 }), { maxLength: 120 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

interface Played {
  readonly forecast: 'possible' | 'blocked';
  readonly empty: boolean;
  /** Owners whose replacements are waited for when nothing happens any more. */
  readonly awaited: readonly string[];
  readonly model: ModelCluster;
  readonly violations: readonly string[];
}

/** Runs the forecast, then the drain itself: events in the chosen order, the next evictions after each. */
function play({ workloads: kinds, jobs, minReadyElsewhere, choices }: Scenario): Played {
  const owners = kinds.map(({ replicas, extra, local, vital }, index) =>
    workload({
      name: `app${String(index)}`,
      desired: replicas.length + extra,
      pods: replicas.map(({ on, ready, critical }, replica) => ({
        on,
        ready,
        priority: critical ? 2_000_000_000 : 0,
        labels: { app: `app${String(index)}`, ...(vital ? vitalLabel : {}) },
        claims: local ? [`data-app${String(index)}-${String(replica)}`] : [],
      })),
    }),
  );
  const budgets = kinds.flatMap(({ budget }, index): ModelBudget[] =>
    budget === null ? [] : [{ app: `app${String(index)}`, ...budget }],
  );
  const jobPods = Array.from({ length: jobs }, (_, index) =>
    pod(`job-${String(index)}`, { controller: { apiVersion: 'batch/v1', kind: 'Job', name: 'job', uid: 'job' } }),
  );
  const spread: SpreadPolicy = { minReadyElsewhere, singletons: 'allow' };
  const model = new ModelCluster(owners, budgets, jobPods);
  const drained = { node: 'node-1', policy: drainPolicy, spread, managedBudgets: [], vitalServices: [vitalService] };
  const before = model.view();
  const { verdict } = drainForecast({ view: before, ...drained });

  const violations: string[] = [];
  const inFlight = new Set<string>();
  const remaining = [...choices];
  for (let round = 0; round < 2000; round += 1) {
    const view = model.view();
    const { steps } = nextEvictions({ view, ...drained, now: takenAt, inFlight });
    if (steps.length === 0) {
      return { forecast: verdict, empty: true, awaited: awaitedAfterwards(model, before), model, violations };
    }
    for (const step of steps) {
      if (step.kind !== 'evict') continue;
      inFlight.add(step.pod.uid);
      model.evict(step.pod);
      violations.push(...harmDone({ model, owners, budgets, spread, evicted: step.pod }));
    }
    const events = model.events();
    if (events.length === 0) return { forecast: verdict, empty: false, awaited: [], model, violations };
    events[(remaining.shift() ?? 0) % events.length]?.happen();
  }
  throw new Error('the model did not come to rest');
}

/**
 * The owners that a drain would wait for in vain. Those with a pod too many are left out: which one their controllers
 * take away is not played.
 */
function awaitedAfterwards(model: ModelCluster, before: ClusterView): string[] {
  for (let round = 0; round < 2000; round += 1) {
    const [event] = model.events();
    if (event === undefined) break;
    event.happen();
  }
  const onNode = [...before.pods.values()].filter(({ nodeName }) => nodeName === 'node-1');
  const owners = new Set(onNode.flatMap((one) => ownerOf(before, one) ?? []));
  for (const { key, desired, pods } of replicasOf(before, owners).values())
    if (pods.length > desired) owners.delete(key);
  const displaced = new Map([...replicasOf(before, owners)].map(([key, replicas]) => [key, readyCount(replicas)]));
  const view = model.view();
  const excused = excusedReplicas({ view, node: 'node-1', displaced, tied: new Map() });
  return unrecovered({ view, displaced, notOn: 'node-1', excused }).map(({ owner }) => owner);
}

function isReadyBackend({ labels, ready, terminating }: PodView): boolean {
  return labels['serves'] === 'api' && ready && !terminating;
}

/** What the eviction of a Ready pod broke. */
function harmDone(harm: {
  model: ModelCluster;
  owners: readonly Workload[];
  budgets: readonly ModelBudget[];
  spread: SpreadPolicy;
  evicted: PodView;
}): string[] {
  const { model, owners, budgets, spread, evicted } = harm;
  if (!evicted.ready) return [];
  const app = evicted.labels['app'] ?? '';
  const broken: string[] = [];
  if (evicted.labels['serves'] === 'api' && !owners.some((one) => model.podsOf(one).some(isReadyBackend))) {
    broken.push('last backend');
  }
  const budget = budgets.find((one) => one.app === app);
  if (budget !== undefined && model.healthyOf(app) < model.desiredOf(budget)) broken.push(`budget of ${app}`);
  const owner = owners.find((one) => one.owner.name === app);
  const desired = owner?.owner.desired ?? 0;
  if (desired >= 2) {
    const { minReadyElsewhere: share } = spread;
    const required = typeof share === 'number' ? share : Math.ceil((Number(share.slice(0, -1)) * desired) / 100);
    if (model.healthyOf(app) < Math.max(1, Math.min(required, desired - 1))) broken.push(`spread of ${app}`);
  }
  return broken;
}

describe('in a model cluster, whatever the order of events', () => {
  it('the drain finishes what the gate passes', () => {
    let passed = 0;
    fc.assert(
      fc.property(scenario, (chosen) => {
        const { forecast, empty, awaited } = play(chosen);
        if (forecast === 'blocked') return;
        passed += 1;
        expect({ empty, awaited }).toEqual({ empty: true, awaited: [] });
      }),
      { numRuns: 400 },
    );
    expect(passed).toBeGreaterThan(40);
  });

  it('no eviction takes a budget, the spread of replicas or the last backend below what they ask for', () => {
    fc.assert(
      fc.property(scenario, (chosen) => {
        expect(play(chosen).violations).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('no eviction is sent that the server would refuse', () => {
    fc.assert(
      fc.property(scenario, (chosen) => {
        expect(play(chosen).model.refused).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
