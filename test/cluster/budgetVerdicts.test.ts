import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import { openWatchCache, type WatchCache } from '../../src/cluster/watchCache.js';
import type { ManagedBudgets } from '../../src/drain/managedBudgets.js';
import { connect } from '../../src/kubernetes/connect.js';
import { systemClock } from '../../src/systemClock.js';
import { compareVerdicts, differences, type Case, type Verdict } from './budgets/compareVerdicts.js';
import { createCustom, createCustomKinds } from './budgets/customKinds.js';
import { disturb, touchBudgets, untilQuiet } from './budgets/disturb.js';
import { drawPopulation, type NamespacePlan } from './budgets/drawPopulation.js';
import { populate, recover, remove } from './budgets/populate.js';
import { startCluster, type Cluster } from './cluster.js';
import { waitFor } from './waitFor.js';
import { barePod, disruptionBudget } from './workloads.js';

/** One seed alone: BUDGET_SEEDS=17; many: BUDGET_SEEDS=1-20. */
const [firstSeed = 1, lastSeed = firstSeed] = (process.env['BUDGET_SEEDS'] ?? '1-3').split('-').map(Number);
const seeds = Array.from({ length: lastSeed - firstSeed + 1 }, (_, index) => firstSeed + index);

const managedBudgets: ManagedBudgets = [{ namespaces: {}, selector: 'run-by=operator' }];

let cluster: Cluster;
let port: ClusterPort;
let cache: WatchCache;
const closing = new AbortController();
const seen = new Map<Verdict, number>();

beforeAll(async () => {
  const roomy = { cpu: '320', memory: '2560Gi', pods: '2000', 'ephemeral-storage': '500Gi' };
  cluster = await startCluster({
    nodes: 4,
    customize: (node) => {
      Object.assign(node.status, { capacity: roomy, allocatable: roomy });
    },
  });
  await createCustomKinds(cluster.api);
  // A kind that came after its start it may look for again only after minutes.
  await cluster.restart('kube-controller-manager');
  await untilScalesAreRead();
  const { kubeconfigPath } = cluster;
  const userAgent = 'turnus/test';
  port = await connect({ kubeconfigPath, inCluster: false, userAgent, clock: systemClock, requestTimeoutMs: 10_000 });
  cache = await openWatchCache({ cluster: port, clock: systemClock, random: () => 0.5, signal: closing.signal });
});

afterAll(async () => {
  await cache.close();
  closing.abort();
  port.close();
  await cluster.stop();
});

async function untilScalesAreRead(): Promise<void> {
  const { api } = cluster;
  const fleet = await createCustom(api, { kind: 'Fleet', namespace: 'default', name: 'known', replicas: 1 });
  const pod = barePod({ name: 'known', startMs: 50 });
  pod.metadata.ownerReferences = [{ ...fleet }];
  await api.create(pod);
  await api.create(disruptionBudget({ name: 'known', maxUnavailable: 1 }));
  await waitFor({
    what: 'the disruption controller to read the scale of a custom kind',
    timeoutMs: 90_000,
    probe: async () => {
      const { status } = await api.get({ kind: 'PodDisruptionBudget', name: 'known' });
      return status?.expectedPods === 1;
    },
  });
}

async function compared(plans: readonly NamespacePlan[], counted: boolean): Promise<readonly Case[]> {
  const namespaces = plans.map(({ name }) => name);
  const cases = await compareVerdicts({ api: cluster.api, cache, namespaces, managedBudgets, counted });
  for (const { verdict } of cases) seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
  return cases;
}

describe('our verdict on an eviction beside the answer to a dry run', () => {
  it.each(seeds)(
    'is the same for every pod of population %i, and holds what it says',
    { timeout: 180_000 },
    async (seed) => {
      const again = `to see it again: BUDGET_SEEDS=${String(seed)}`;
      const plans = drawPopulation(seed);
      await Promise.all(plans.map((plan) => populate(cluster, plan)));
      await touchBudgets(cluster, plans);
      await untilQuiet(cluster, plans);
      const atRest = await compared(plans, true);
      expect(differences(atRest), again).toEqual([]);

      cluster.pause('kube-controller-manager');
      try {
        await disturb(cluster, plans, atRest);
        expect(differences(await compared(plans, false)), again).toEqual([]);
      } finally {
        cluster.resume('kube-controller-manager');
      }

      await Promise.all(plans.map((plan) => recover(cluster, plan)));
      await untilQuiet(cluster, plans);
      await touchBudgets(cluster, plans);
      await untilQuiet(cluster, plans);
      const recovered = await compared(plans, true);
      expect(differences(recovered), again).toEqual([]);
      expect(brokenPromises(atRest, recovered), again).toEqual([]);
      await Promise.all(plans.map((plan) => remove(cluster, plan)));
    },
  );

  it.skipIf(seeds.length < 3)('was seen of each kind, on hundreds of pods', () => {
    const all: Verdict[] = ['unguarded', 'not-started', 'finished', 'terminating', 'free', 'allowed', 'not-now'];
    all.push('never', 'not-synced', 'stale', 'managed', 'conflict');
    const counts = Object.fromEntries(all.map((verdict) => [verdict, seen.get(verdict) ?? 0]));
    console.log(`seeds ${seeds.join(' ')}:`, counts);
    expect(all.filter((verdict) => (seen.get(verdict) ?? 0) < 3)).toEqual([]);
    const total = [...seen.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(100 * seeds.length);
  });
});

/**
 * What the first verdicts promised and the recovered cluster does not keep: a `never` that is accepted once every
 * replica is Ready, and a `not-now` that is refused then, although nothing of its owners is missing.
 */
function brokenPromises(before: readonly Case[], after: readonly Case[]): string[] {
  const later = new Map(after.map((one) => [one.uid, one]));
  return before.flatMap(({ uid, verdict, explanation }) => {
    const now = later.get(uid);
    const [selected] = now?.budgets ?? [];
    if (now === undefined || selected === undefined || ['terminating', 'finished'].includes(now.verdict)) return [];
    // An edited budget is another one.
    if (selected.budget.generation > 1) return [];
    const { members, attainable } = selected;
    const complete = members.length >= attainable && members.every(({ ready }) => ready);
    const broken =
      verdict === 'never' ? now.server === '201' : verdict === 'not-now' && complete && now.server !== '201';
    return broken ? [`${verdict}: ${explanation} THEN ${now.explanation}`] : [];
  });
}
