import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import { openWatchCache, type WatchCache } from '../../src/cluster/watchCache.js';
import { sharedEvictions } from '../../src/drain/sharedEvictions.js';
import { drain, type Drain } from '../../src/drain/drain.js';
import type { DrainEnd, DrainProgress } from '../../src/drain/drainEnd.js';
import { drainForecast } from '../../src/drain/forecast.js';
import type { JournalRecord } from '../../src/journal/entry.js';
import { connect } from '../../src/kubernetes/connect.js';
import { systemClock } from '../../src/systemClock.js';
import { drainPolicy, spreadPolicy } from '../drain/clusterFixtures.js';
import { startCluster, type Cluster } from './cluster.js';
import { isTrue, type KubeObject } from './objects.js';
import { startReadyWatcher } from './readyWatcher.js';
import { waitFor } from './waitFor.js';
import { createAll, createReady, waitForReady, type Workload } from './waitForReady.js';
import { barePod, daemonSet, deployment, disruptionBudget, job, statefulSet } from './workloads.js';

let cluster: Cluster;
let port: ClusterPort;
let cache: WatchCache;
const closing = new AbortController();

beforeAll(async () => {
  cluster = await startCluster({ nodes: 4 });
  port = await connect({
    kubeconfigPath: cluster.kubeconfigPath,
    inCluster: false,
    userAgent: 'turnus/test',
    clock: systemClock,
    requestTimeoutMs: 10_000,
  });
  cache = await openWatchCache({ cluster: port, clock: systemClock, random: () => 0.5, signal: closing.signal });
});

afterAll(async () => {
  await cache.close();
  closing.abort();
  port.close();
  await cluster.stop();
});

const created: KubeObject[] = [];

afterEach(async () => {
  for (const { kind, metadata } of created.splice(0)) {
    await cluster.api.delete({ kind: kind as 'Pod', name: metadata.name }, { propagationPolicy: 'Background' });
  }
  await waitFor({
    what: 'the pods of the test to be gone',
    probe: async () => (await cluster.api.list({ kind: 'Pod' })).length === 0 && cache.view().pods.size === 0,
  });
  for (const node of cluster.nodeNames) await setCordon(node, false);
});

async function setCordon(node: string, unschedulable: boolean): Promise<void> {
  await cluster.api.patch({ kind: 'Node', name: node }, { body: { spec: { unschedulable } } });
}

/** Creates the objects with every pod on node-1, Ready, then lets the other nodes be used and cordons node-1. */
async function gatherOnNode1(objects: Workload[]): Promise<void> {
  created.push(...objects);
  for (const node of cluster.nodeNames.slice(1)) await setCordon(node, true);
  await createReady(cluster.api, objects);
  for (const node of cluster.nodeNames.slice(1)) await setCordon(node, false);
  await setCordon('node-1', true);
}

interface Watched {
  readonly end: DrainEnd;
  readonly journal: readonly (JournalRecord & { readonly at: number })[];
  readonly progress: readonly DrainProgress[];
}

function watched(changes: Partial<Drain> = {}): { ended: Promise<Watched>; progress: readonly DrainProgress[] } {
  const journal: (JournalRecord & { at: number })[] = [];
  const progress: DrainProgress[] = [];
  const ended = drain({
    cluster: port,
    cache,
    node: 'node-1',
    policy: { ...drainPolicy, timeoutMs: 40_000 },
    spread: spreadPolicy,
    managedBudgets: [],
    evictions: sharedEvictions(),
    restartedFor: 'monthly/node-1',
    clock: systemClock,
    signal: closing.signal,
    callSignal: closing.signal,
    journal: (record) => {
      journal.push({ ...record, at: Date.now() });
      return Promise.resolve();
    },
    report: (report) => progress.push(report),
    ...changes,
  }).then((end) => ({ end, journal, progress }));
  return { ended, progress };
}

async function drained(changes: Partial<Drain> = {}): Promise<Watched> {
  return await watched(changes).ended;
}

async function podsOn(node: string): Promise<string[]> {
  const pods = await cluster.api.list({ kind: 'Pod', fieldSelector: `spec.nodeName=${node}` });
  return pods.map(({ metadata }) => metadata.name);
}

/** The pod is no longer Ready and does not become so again. */
async function loseReadiness(name: string): Promise<void> {
  const pod = { kind: 'Pod', name } as const;
  await cluster.api.patch(pod, { body: { metadata: { annotations: { 'sandbox.turnus.dev/unready': 'true' } } } });
  const conditions = [{ type: 'Ready', status: 'False' }];
  await cluster.api.patch(pod, { subresource: 'status', type: 'strategic', body: { status: { conditions } } });
}

/** Evictions the API server was asked for, accepted or not. */
function evictions({ journal }: Watched): number {
  return journal.filter(({ type }) => type === 'pod.evicting').length;
}

describe('a drain', () => {
  it('moves both replicas of a Deployment without a budget one after the other, never leaving none Ready', async () => {
    const web = deployment({ name: 'web', replicas: 2, startMs: 1500 });
    await gatherOnNode1([web]);
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [web] });
    const { end, journal } = await drained();
    const { minimumReady, outages } = watcher.workload('web');
    await watcher.stop();
    expect(end.kind).toBe('empty');
    expect(end.displaced).toEqual(new Map([['default/Deployment/web', 2]]));
    expect(end.evicted).toHaveLength(2);
    expect({ minimumReady, outages }).toEqual({ minimumReady: 1, outages: [] });
    expect(await podsOn('node-1')).toEqual([]);
    expect(journal.at(-1)).toMatchObject({ type: 'drain.finished', result: 'empty', evicted: 2 });
  });

  it('sends the second pod of a budget that allows one within a second of the first replacement being Ready', async () => {
    await gatherOnNode1([deployment({ name: 'web', replicas: 3, startMs: 1500 })]);
    const guard = disruptionBudget({ name: 'web', minAvailable: 2 });
    created.push(guard);
    await createReady(cluster.api, [guard]);
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [deployment({ name: 'web' })] });
    const result = await drained();
    const { timeline, minimumReady } = watcher.workload('web');
    await watcher.stop();
    expect(result.end.kind).toBe('empty');
    expect(minimumReady).toBe(2);
    const sent = result.journal.filter(({ type }) => type === 'pod.evicting').map(({ at }) => at);
    expect(sent).toHaveLength(3);
    const backToThree = timeline
      .filter(({ ready }, index) => ready === 3 && index > 0)
      .map(({ time }) => time.getTime());
    const delays = sent.slice(1).map((at, index) => at - (backToThree[index] ?? Number.NaN));
    expect(Math.max(...delays)).toBeLessThan(1000);
    expect(result.journal.filter(({ type }) => type === 'eviction.refused')).toEqual([]);
  });

  it('evicts nothing and names budget, numbers and way out where a budget can never allow it', async () => {
    await gatherOnNode1([deployment({ name: 'web', replicas: 2 }), deployment({ name: 'other', replicas: 2 })]);
    const closed = disruptionBudget({ name: 'web', maxUnavailable: 0 });
    created.push(closed);
    await createReady(cluster.api, [closed]);
    const before = await podsOn('node-1');
    const result = await drained();
    expect(result.end).toMatchObject({
      kind: 'blocked',
      evicted: [],
      findings: [
        {
          code: 'budget-never',
          message: 'PodDisruptionBudget default/web lets 0 of 2 pods be unavailable, so no pod can ever be evicted.',
          hint: 'Set maxUnavailable: 1 on it.',
        },
        { code: 'budget-never' },
      ],
    });
    expect(await podsOn('node-1')).toEqual(before);
    const view = cache.view();
    const forecast = drainForecast({
      view,
      node: 'node-1',
      policy: drainPolicy,
      spread: spreadPolicy,
      managedBudgets: [],
    });
    expect(forecast.verdict).toBe('blocked');
    expect(forecast.findings.map(({ code }) => code)).toEqual(['budget-never']);
  });

  it('waits for a budget that allows nothing now, then says at its timeout which pod must become Ready', async () => {
    await gatherOnNode1([deployment({ name: 'web', replicas: 2 })]);
    const guard = disruptionBudget({ name: 'web', minAvailable: 2 });
    created.push(guard);
    await createAll(cluster.api, [guard]);
    await cluster.api.patch({ kind: 'Deployment', name: 'web' }, { body: { spec: { replicas: 3 } } });
    await waitForReady({ api: cluster.api, objects: [deployment({ name: 'web', replicas: 3 })] });
    const pods = await cluster.api.list({ kind: 'Pod', labelSelector: 'app=web' });
    const third = pods.find(({ spec }) => spec.nodeName !== 'node-1')?.metadata.name ?? '';
    await loseReadiness(third);
    await waitFor({
      what: 'the budget to be closed',
      probe: async () =>
        (await cluster.api.get({ kind: 'PodDisruptionBudget', name: 'web' })).status?.disruptionsAllowed === 0,
    });
    const result = await drained({ policy: { ...drainPolicy, timeoutMs: 2500 } });
    expect(result.end).toMatchObject({ kind: 'timeout', evicted: [] });
    const what = result.end.kind === 'timeout' ? result.end.waitingFor.map((wait) => wait.what) : [];
    expect(what).toContain(
      `PodDisruptionBudget default/web needs 2 healthy pods and has 2; Pod default/${third} must become Ready before the next eviction.`,
    );
    expect(evictions(result)).toBe(0);
  });

  it('leaves DaemonSet pods, waits for a Job to finish and does not wait again for what has finished', async () => {
    const agent = daemonSet({ name: 'agent' });
    await gatherOnNode1([agent, job({ name: 'import', runForMs: 4000 }), deployment({ name: 'web', replicas: 1 })]);
    const result = await drained();
    expect(result.end.kind).toBe('empty');
    expect(result.end.evicted.map(({ owner }) => owner)).toEqual(['default/Deployment/web']);
    expect(result.progress.flatMap(({ waitingFor }) => waitingFor.map(({ what }) => what)).join(' ')).toContain(
      'of Job default/import is running',
    );
    const { status } = await cluster.api.get({ kind: 'Job', name: 'import' });
    expect(status?.failed ?? 0).toBe(0);
  });

  it('defers the node where a Job still runs at the end of its limit', async () => {
    await gatherOnNode1([job({ name: 'import', runForMs: 600_000 })]);
    const result = await drained({ policy: { ...drainPolicy, timeoutMs: 500, jobPodsLimitMs: 2000 } });
    expect(result.end).toMatchObject({
      kind: 'deferred',
      jobs: [expect.stringMatching(/^default\/import-/)],
      evicted: [],
    });
  });

  it('does not follow the namesake of a StatefulSet pod to its new node', async () => {
    await gatherOnNode1([statefulSet({ name: 'db', replicas: 2, startMs: 300 })]);
    const result = await drained();
    expect(result.end.kind).toBe('empty');
    expect(evictions(result)).toBe(2);
    expect(new Set(result.end.evicted.map(({ uid }) => uid)).size).toBe(2);
  });

  it('leaves and names a pod that comes back to the cordoned node', async () => {
    const stubborn = deployment({ name: 'stubborn', replicas: 1, podSpec: { nodeName: 'node-1' }, startMs: 100 });
    await gatherOnNode1([stubborn, deployment({ name: 'web', replicas: 1 })]);
    const result = await drained();
    expect(result.end.kind).toBe('empty');
    expect(result.end.boundToNode).toEqual([expect.stringMatching(/^default\/stubborn-/)]);
    expect(result.end.findings).toMatchObject([{ code: 'bound-to-node', severity: 'caution' }]);
    expect(evictions(result)).toBe(2);
  });

  it('tries again while an admission policy refuses, names it once, and ends when it is gone', async () => {
    await gatherOnNode1([deployment({ name: 'web', replicas: 1 })]);
    const names = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: 'no-evictions' } };
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/eviction'] }];
    await cluster.api.create({
      ...names,
      kind: 'ValidatingAdmissionPolicy',
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: rules },
        validations: [{ expression: 'false', message: 'not tonight' }],
      },
    });
    await cluster.api.create({
      ...names,
      kind: 'ValidatingAdmissionPolicyBinding',
      spec: { policyName: 'no-evictions', validationActions: ['Deny'] },
    });
    const [pod = ''] = await podsOn('node-1');
    await waitFor({
      what: 'the policy to hold',
      probe: async () => (await cluster.api.evict({ name: pod, dryRun: true })).status !== 201,
    });
    const { ended, progress } = watched();
    await waitFor({
      what: 'the refusal to be reported',
      probe: () => progress.some(({ waitingFor }) => waitingFor.some(({ what }) => what.includes('not tonight'))),
    });
    await cluster.api.delete({ kind: 'ValidatingAdmissionPolicyBinding', name: 'no-evictions' });
    await cluster.api.delete({ kind: 'ValidatingAdmissionPolicy', name: 'no-evictions' });
    const result = await ended;
    expect(result.end.kind).toBe('empty');
    const refusals = result.journal.filter(({ type }) => type === 'eviction.refused');
    expect(refusals).toHaveLength(1);
    expect(refusals[0]?.['reason']).toContain('no-evictions');
  });

  it('ends as "not cordoned", evicting nothing, on a node that takes new pods', async () => {
    await gatherOnNode1([deployment({ name: 'web', replicas: 1 })]);
    await setCordon('node-1', false);
    const result = await drained();
    expect(result.end).toMatchObject({ kind: 'not-cordoned', evicted: [] });
  });

  it('does not call the node empty before the replacements are Ready elsewhere', async () => {
    await gatherOnNode1([deployment({ name: 'web', replicas: 1, startMs: 200 })]);
    for (const node of cluster.nodeNames) await setCordon(node, true);
    const result = await drained({ policy: { ...drainPolicy, timeoutMs: 4000 } });
    expect(result.end.kind).toBe('timeout');
    expect(result.end.evicted).toHaveLength(1);
    expect(await podsOn('node-1')).toEqual([]);
    const waits = result.end.kind === 'timeout' ? result.end.waitingFor.map(({ what }) => what).join(' ') : '';
    expect(waits).toMatch(/Deployment default\/web has 0 Ready replicas and needs 1; not Ready: Pod .*unschedulable/);
    for (const node of cluster.nodeNames.slice(1)) await setCordon(node, false);
    const again = await drained({ displaced: result.end.displaced });
    expect(again.end).toMatchObject({ kind: 'empty' });
    const [moved] = await cluster.api.list({ kind: 'Pod', labelSelector: 'app=web' });
    expect(moved !== undefined && isTrue(moved, 'Ready')).toBe(true);
  });

  it('cuts no eviction off that was sent when it is stopped: the budget would count its pod as gone', async () => {
    await gatherOnNode1([deployment({ name: 'web', replicas: 2 })]);
    const guard = disruptionBudget({ name: 'web', maxUnavailable: 1 });
    created.push(guard);
    await createReady(cluster.api, [guard]);
    const stopping = new AbortController();
    const stopped: typeof port = {
      ...port,
      evict: async (request, signal) => {
        stopping.abort(new Error('a person pressed Ctrl-C'));
        return await port.evict(request, signal);
      },
    };
    const { end } = await drained({ cluster: stopped, signal: stopping.signal });
    expect(end.kind).toBe('stopped');
    expect(end.evicted).toHaveLength(1);
    await waitFor({
      what: 'the pod to be gone',
      probe: async () =>
        !(await podsOn('node-1')).some((name) => end.evicted.some(({ pod }) => pod.endsWith(`/${name}`))),
    });
  });

  it('stops at once when its signal aborts, with what it did so far', async () => {
    await gatherOnNode1([barePod({ name: 'bare' })]);
    const stopping = new AbortController();
    const objecting = { ...drainPolicy, unmanagedPods: 'delete' as const };
    await cluster.api.patch(
      { kind: 'Pod', name: 'bare' },
      { body: { metadata: { annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } } } },
    );
    const { ended, progress } = watched({ policy: objecting, signal: stopping.signal });
    await waitFor({ what: 'the drain to wait', probe: () => progress.some(({ waitingFor }) => waitingFor.length > 0) });
    stopping.abort(new Error('a person pressed Ctrl-C'));
    expect((await ended).end).toMatchObject({ kind: 'stopped', evicted: [] });
  });
});
