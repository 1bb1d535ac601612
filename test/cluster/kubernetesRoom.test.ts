import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiAnswer, ClusterPort, WatchEvent } from '../../src/cluster/clusterPort.js';
import { clusterUid } from '../../src/cluster/clusterUid.js';
import { cordon, markLastTurn, uncordon } from '../../src/cluster/cordon.js';
import { recordEvent } from '../../src/cluster/event.js';
import { lastTurnOf, marks } from '../../src/cluster/marks.js';
import { parseNode } from '../../src/cluster/parseNode.js';
import { missingPermissions } from '../../src/cluster/permissions.js';
import { resources } from '../../src/cluster/resources.js';
import { ownerKey, podKey, type NodeView } from '../../src/cluster/view.js';
import { openWatchCache, type CacheProblem, type WatchCache } from '../../src/cluster/watchCache.js';
import { connect } from '../../src/kubernetes/connect.js';
import { systemClock } from '../../src/systemClock.js';
import { startCluster, type Cluster } from './cluster.js';
import { waitFor } from './waitFor.js';
import { createReady } from './waitForReady.js';
import { barePod, deployment, disruptionBudget, statefulSet } from './workloads.js';

let testbed: Cluster;
let port: ClusterPort;
const signal = new AbortController().signal;

beforeAll(async () => {
  testbed = await startCluster({ nodes: 3 });
  port = await connectAs('admin');
});

afterAll(async () => {
  port.close();
  await testbed.stop();
});

async function connectAs(user: 'admin' | 'operator'): Promise<ClusterPort> {
  return await connect({
    kubeconfigPath: await testbed.kubeconfigFor(user),
    inCluster: false,
    userAgent: 'turnus/test',
    clock: systemClock,
    requestTimeoutMs: 10_000,
  });
}

function valueOf<T>(answer: ApiAnswer<T>): T {
  if (answer.kind !== 'ok') throw new Error(`${answer.kind}: ${answer.message}`);
  return answer.value;
}

async function nodeView(name: string): Promise<NodeView> {
  return parseNode(valueOf(await port.get({ resource: resources.nodes, name }, signal)));
}

async function openCache(onProblem?: (problem: CacheProblem) => void): Promise<WatchCache> {
  const options = { cluster: port, clock: systemClock, random: Math.random, signal };
  return await openWatchCache(onProblem === undefined ? options : { ...options, onProblem });
}

/** A signal that ends a wait of the test itself. */
function within(ms: number): AbortSignal {
  return AbortSignal.timeout(ms);
}

describe('the port on a real API server', () => {
  it('says where it leads, which version answers, and which cluster it is', async () => {
    expect(port.target).toEqual({ server: testbed.server, context: 'testbed', user: 'admin' });
    expect(valueOf(await port.serverVersion(signal))).toBe('v1.36.3');
    expect(valueOf(await clusterUid(port, signal))).toBe(testbed.uid);
  });

  it('sends its User-Agent and its field manager', async () => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ours', namespace: 'default' },
      data: { a: '1' },
    };
    const resource = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };
    const created = valueOf(await port.create({ resource, namespace: 'default', object }, signal));
    expect(created.metadata['managedFields']).toMatchObject([{ manager: 'turnus' }]);
    const log = await testbed.auditLog();
    expect(log.some((entry) => JSON.stringify(entry).includes('turnus/test'))).toBe(true);
    expect(await port.create({ resource, namespace: 'default', object }, signal)).toMatchObject({
      kind: 'already-exists',
    });
    expect(
      await port.replace(
        {
          resource,
          namespace: 'default',
          object: { ...created, metadata: { ...created.metadata, resourceVersion: '1' } },
        },
        signal,
      ),
    ).toMatchObject({ kind: 'conflict' });
    expect(
      await port.create(
        { resource, namespace: 'default', object: { ...object, metadata: { name: 'x' }, dta: {} } },
        signal,
      ),
    ).toMatchObject({ kind: 'invalid', message: expect.stringContaining('dta') as string });
    expect(await port.delete({ resource, namespace: 'default', name: 'ours', uid: 'other' }, signal)).toMatchObject({
      kind: 'conflict',
    });
    expect(await port.delete({ resource, namespace: 'default', name: 'ours' }, signal)).toMatchObject({ kind: 'ok' });
    expect(await port.get({ resource, namespace: 'default', name: 'ours' }, signal)).toMatchObject({
      kind: 'not-found',
    });
  });

  it('applies by server-side apply, and does not store a dry run', async () => {
    const resource = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'applied', namespace: 'default' },
      data: { a: '1' },
    };
    const apply = { type: 'apply', body, force: true } as const;
    const target = { resource, namespace: 'default', name: 'applied' };
    expect(await port.patch({ ...target, patch: apply, dryRun: true }, signal)).toMatchObject({ kind: 'ok' });
    expect(await port.get(target, signal)).toMatchObject({ kind: 'not-found' });
    expect(valueOf(await port.patch({ ...target, patch: apply }, signal))).toMatchObject({ data: { a: '1' } });
  });

  it('discovers resources, whether they scale, and that nobody serves a kind', async () => {
    const found = valueOf(await port.discover({ apiVersion: 'apps/v1', kind: 'StatefulSet' }, signal));
    expect(found).toEqual({ group: 'apps', version: 'v1', plural: 'statefulsets', namespaced: true, scalable: true });
    expect(valueOf(await port.discover({ apiVersion: 'apps/v1', kind: 'DaemonSet' }, signal)).scalable).toBe(false);
    expect(await port.discover({ apiVersion: 'apps/v1', kind: 'CloneSet' }, signal)).toMatchObject({
      kind: 'not-found',
    });
    expect(await port.discover({ apiVersion: 'apps.kruise.io/v1', kind: 'CloneSet' }, signal)).toMatchObject({
      kind: 'not-found',
    });
  });

  it('lists in pages that belong together', async () => {
    const first = valueOf(await port.list({ resource: resources.nodes, limit: 2 }, signal));
    expect(first.items).toHaveLength(2);
    const second = valueOf(
      await port.list({ resource: resources.nodes, limit: 2, continueToken: first.continueToken ?? '' }, signal),
    );
    expect(second.items).toHaveLength(1);
    expect(second.continueToken).toBeUndefined();
    expect(second.resourceVersion).toBe(first.resourceVersion);
  });

  it('watches from a version on', async () => {
    const listed = valueOf(await port.list({ resource: resources.nodes }, signal));
    const ending = new AbortController();
    const seen: WatchEvent[] = [];
    const watching = (async () => {
      for await (const event of port.watch(
        { resource: resources.nodes, resourceVersion: listed.resourceVersion },
        ending.signal,
      )) {
        seen.push(event);
        if (event.type === 'modified' && event.object.metadata.labels?.['seen'] === 'yes') break;
      }
    })();
    await testbed.api.patch({ kind: 'Node', name: 'node-1' }, { body: { metadata: { labels: { seen: 'yes' } } } });
    await watching;
    expect(seen.at(-1)).toMatchObject({ type: 'modified', object: { metadata: { name: 'node-1' } } });
  });

  it('ends a watch with the reason of the signal', async () => {
    const listed = valueOf(await port.list({ resource: resources.pods }, signal));
    const ending = new AbortController();
    const watching = (async () => {
      for await (const event of port.watch(
        { resource: resources.pods, resourceVersion: listed.resourceVersion },
        ending.signal,
      )) {
        expect(event.type).not.toBe('failed');
      }
    })();
    ending.abort(new Error('enough'));
    await expect(watching).rejects.toThrow('enough');
  });
});

describe('evictions', () => {
  it('are accepted, and answer gone for another UID and for a pod that is not there', async () => {
    await createReady(testbed.api, [barePod({ name: 'loner', startMs: 200, stopMs: 200 })]);
    const pod = await testbed.api.get({ kind: 'Pod', name: 'loner' });
    const target = { namespace: 'default', name: 'loner' };
    expect(await port.evict({ ...target, uid: '00000000-0000-0000-0000-000000000000' }, signal)).toEqual({
      kind: 'gone',
    });
    const uid = pod.metadata.uid ?? '';
    expect(await port.evict({ ...target, uid, dryRun: true }, signal)).toEqual({ kind: 'accepted' });
    expect((await testbed.api.get({ kind: 'Pod', name: 'loner' })).metadata.deletionTimestamp).toBeUndefined();
    expect(await port.evict({ ...target, uid }, signal)).toEqual({ kind: 'accepted' });
    await waitFor({
      what: 'loner gone',
      probe: async () => (await testbed.api.find({ kind: 'Pod', name: 'loner' })) === undefined,
    });
    expect(await port.evict({ ...target, uid }, signal)).toEqual({ kind: 'gone' });
  });

  it('name the budget that forbids them', async () => {
    await createReady(testbed.api, [
      disruptionBudget({ name: 'pair.of-two', of: 'pair', minAvailable: 2 }),
      deployment({ name: 'pair', replicas: 2, startMs: 200 }),
    ]);
    const [pod] = await testbed.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=pair' });
    const answer = await port.evict(
      { namespace: 'default', name: pod?.metadata.name ?? '', uid: pod?.metadata.uid ?? '' },
      signal,
    );
    expect(answer).toMatchObject({
      kind: 'budget',
      budget: 'pair.of-two',
      message: expect.stringContaining('needs 2 healthy pods') as string,
    });
  });

  it('are refused with the status where two budgets match', async () => {
    await createReady(testbed.api, [deployment({ name: 'twice', replicas: 1, startMs: 200 })]);
    await testbed.api.create(disruptionBudget({ name: 'twice-a', of: 'twice', maxUnavailable: 1 }));
    await testbed.api.create(disruptionBudget({ name: 'twice-b', of: 'twice', maxUnavailable: 1 }));
    const [pod] = await testbed.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=twice' });
    const answer = await port.evict(
      { namespace: 'default', name: pod?.metadata.name ?? '', uid: pod?.metadata.uid ?? '' },
      signal,
    );
    expect(answer).toMatchObject({
      kind: 'refused',
      status: 500,
      message: expect.stringContaining('more than one PodDisruptionBudget') as string,
    });
  });

  it('are denied by name where an admission policy says no', async () => {
    await createReady(testbed.api, [barePod({ name: 'guarded', startMs: 200 })]);
    await testbed.api.create({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'no-evictions' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/eviction'] },
          ],
        },
        validations: [{ expression: 'object.metadata.name != "guarded"', message: 'the operator moves it' }],
      },
    } as never);
    await testbed.api.create({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'no-evictions' },
      spec: { policyName: 'no-evictions', validationActions: ['Deny'] },
    } as never);
    const pod = await testbed.api.get({ kind: 'Pod', name: 'guarded' });
    const answer = await waitFor({
      what: 'the policy to be in force',
      probe: async () => {
        const tried = await port.evict(
          { namespace: 'default', name: 'guarded', uid: pod.metadata.uid ?? '', dryRun: true },
          signal,
        );
        return tried.kind === 'accepted' ? undefined : tried;
      },
    });
    expect(answer).toMatchObject({
      kind: 'denied',
      webhook: 'no-evictions',
      message: expect.stringContaining('the operator moves it') as string,
    });
    await testbed.api.delete({ kind: 'ValidatingAdmissionPolicyBinding', name: 'no-evictions' });
  });
});

describe('cordons', () => {
  it('are set and removed with their mark, and leave the last turn behind', async () => {
    const node = await nodeView('node-1');
    const outcome = await cordon({ cluster: port, node, run: 'monthly-2026-11', signal });
    expect(outcome).toMatchObject({ kind: 'cordoned', node: { unschedulable: true } });
    const cordoned = await testbed.api.get({ kind: 'Node', name: 'node-1' });
    expect(cordoned.metadata.annotations?.[marks.cordonedBy]).toBe('monthly-2026-11');
    expect(
      await cordon({ cluster: port, node: await nodeView('node-1'), run: 'monthly-2026-11', signal }),
    ).toMatchObject({ kind: 'already-ours' });

    const lastTurn = { time: Date.UTC(2026, 10, 12, 23, 4, 5), run: 'monthly-2026-11' };
    // The stale view makes the patch void; the node is read again.
    expect(
      await uncordon({ cluster: port, node: await nodeView('node-1'), run: 'monthly-2026-11', lastTurn, signal }),
    ).toMatchObject({ kind: 'uncordoned' });
    const free = await nodeView('node-1');
    expect(free.unschedulable).toBe(false);
    expect(free.annotations).not.toHaveProperty(marks.cordonedBy);
    expect(lastTurnOf(free)).toEqual(lastTurn);
    expect(await uncordon({ cluster: port, node: free, run: 'monthly-2026-11', signal })).toMatchObject({
      kind: 'not-ours',
      by: undefined,
    });
  });

  it('of somebody else are never taken over nor removed, also where the view is stale', async () => {
    const before = await nodeView('node-2');
    await testbed.api.patch({ kind: 'Node', name: 'node-2' }, { body: { spec: { unschedulable: true } } });
    expect(await cordon({ cluster: port, node: before, run: 'monthly-2026-11', signal })).toMatchObject({
      kind: 'foreign',
      by: undefined,
    });
    expect(await uncordon({ cluster: port, node: before, run: 'monthly-2026-11', signal })).toMatchObject({
      kind: 'not-ours',
    });
    await testbed.api.patch(
      { kind: 'Node', name: 'node-2' },
      { body: { metadata: { annotations: { [marks.cordonedBy]: 'drain/eve' } } } },
    );
    const marked = await nodeView('node-2');
    expect(await cordon({ cluster: port, node: marked, run: 'monthly-2026-11', signal })).toMatchObject({
      kind: 'foreign',
      by: 'drain/eve',
    });
    expect(await uncordon({ cluster: port, node: marked, run: 'monthly-2026-11', signal })).toMatchObject({
      kind: 'not-ours',
      by: 'drain/eve',
    });
    expect((await nodeView('node-2')).unschedulable).toBe(true);
    await testbed.api.patch(
      { kind: 'Node', name: 'node-2' },
      { body: { spec: { unschedulable: null }, metadata: { annotations: { [marks.cordonedBy]: null } } } },
    );
  });

  it('that somebody lifted are set again by cordon, and only lose their mark by uncordon', async () => {
    const run = 'monthly-2026-11';
    await cordon({ cluster: port, node: await nodeView('node-3'), run, signal });
    const stale = await nodeView('node-3');
    await testbed.api.patch({ kind: 'Node', name: 'node-3' }, { body: { spec: { unschedulable: null } } });
    expect(await cordon({ cluster: port, node: await nodeView('node-3'), run, signal })).toMatchObject({
      kind: 'cordoned',
    });
    await testbed.api.patch({ kind: 'Node', name: 'node-3' }, { body: { spec: { unschedulable: null } } });
    expect(await uncordon({ cluster: port, node: stale, run, signal })).toMatchObject({ kind: 'already-schedulable' });
    expect((await nodeView('node-3')).annotations).not.toHaveProperty(marks.cordonedBy);
  });

  it('work on a node that has no annotations, and report a node that is gone', async () => {
    await testbed.api.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'bare' } });
    const bare = await nodeView('bare');
    expect(await cordon({ cluster: port, node: { ...bare, annotations: {} }, run: 'r', signal })).toMatchObject({
      kind: 'cordoned',
    });
    expect(
      valueOf(await markLastTurn({ cluster: port, node: bare, time: 1000, run: 'r', signal })).annotations,
    ).toHaveProperty(marks.lastTurn);
    await testbed.api.delete({ kind: 'Node', name: 'bare' });
    expect(await cordon({ cluster: port, node: bare, run: 'r', signal })).toMatchObject({
      kind: 'failure',
      failure: { kind: 'not-found' },
    });
  });
});

describe('the watch cache', () => {
  it('shows pods with their top owner, and follows them', async () => {
    const cache = await openCache();
    try {
      await createReady(testbed.api, [
        deployment({ name: 'shop', replicas: 2, startMs: 200, stopMs: 200 }),
        statefulSet({ name: 'queue', replicas: 1, startMs: 200 }),
      ]);
      const ready = await cache.until({
        what: 'two Ready pods of shop',
        check: (view) => {
          const pods = [...view.pods.values()].filter((pod) => pod.labels['app'] === 'shop' && pod.ready);
          return pods.length === 2 ? { view, pods } : undefined;
        },
        signal: within(10_000),
      });
      const key = ownerKey({ namespace: 'default', kind: 'Deployment', name: 'shop' });
      for (const pod of ready.pods) expect(ready.view.ownerOfController.get(pod.controller?.uid ?? '')).toBe(key);
      expect(ready.view.owners.get(key)).toMatchObject({ desired: 2, terminating: false });
      expect(cache.view().nodes.size).toBe(3);
      expect(cache.view()).toBe(cache.view());

      const [victim] = ready.pods;
      const before = cache.view();
      await testbed.api.delete({ kind: 'Pod', name: victim?.name ?? '' });
      await cache.until({
        what: 'the pod to leave',
        check: (view) => ([...view.pods.values()].every((pod) => pod.uid !== victim?.uid) ? true : undefined),
        signal: within(10_000),
      });
      expect([...before.pods.values()].some((pod) => pod.uid === victim?.uid)).toBe(true);
      expect(cache.health()).toEqual({ kind: 'current' });
    } finally {
      await cache.close();
    }
    await expect(cache.changed(cache.version(), signal)).rejects.toThrow('closed');
  });

  it('reads the scale of owners of custom kinds', async () => {
    await testbed.api.create(widgetDefinition as never);
    const created = await waitFor({
      what: 'kind Widget to be served',
      probe: async () => {
        const answer = await testbed.api.request({
          method: 'POST',
          path: '/apis/example.test/v1/namespaces/default/widgets',
          body: {
            apiVersion: 'example.test/v1',
            kind: 'Widget',
            metadata: { name: 'w', namespace: 'default' },
            spec: { replicas: 3 },
          },
        });
        return answer.status === 201 ? (answer.body as { metadata: { uid: string } }) : undefined;
      },
    });
    const pod = barePod({ name: 'w-0', startMs: 200 });
    pod.metadata.ownerReferences = [
      { apiVersion: 'example.test/v1', kind: 'Widget', name: 'w', uid: created.metadata.uid, controller: true },
    ];
    await createReady(testbed.api, [pod]);
    const cache = await openCache();
    try {
      const key = ownerKey({ namespace: 'default', kind: 'Widget', name: 'w' });
      expect(cache.view().ownerOfController.get(created.metadata.uid)).toBe(key);
      expect(cache.view().owners.get(key)).toMatchObject({ desired: 3, apiVersion: 'example.test/v1' });
    } finally {
      await cache.close();
    }
  });

  it('merges a consistent read of a node, while the API server goes on changing', async () => {
    const cache = await openCache();
    try {
      await createReady(testbed.api, [
        disruptionBudget({ name: 'fresh', maxUnavailable: 1 }),
        deployment({ name: 'fresh', replicas: 3, startMs: 100, stopMs: 100, nodes: ['node-1'] }),
      ]);
      for (let round = 0; round < 10; round += 1) {
        const [first] = await testbed.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=fresh' });
        await testbed.api.delete({ kind: 'Pod', name: first?.metadata.name ?? '' }, { gracePeriodSeconds: 0 });
        const view = valueOf(await cache.refreshNode({ name: 'node-1', what: 'pods, budgets and owners' }, signal));
        expect([...view.pods.values()].some((pod) => pod.uid === first?.metadata.uid)).toBe(false);
        expect(view.budgets.find((budget) => budget.name === 'fresh')).toMatchObject({ status: { expectedPods: 3 } });
      }
      await waitFor({
        what: 'the cache to agree with the API server',
        probe: async () => {
          const pods = await testbed.api.list({ kind: 'Pod' });
          const expected = pods
            .map(
              (pod) =>
                `${podKey({ namespace: pod.metadata.namespace ?? '', name: pod.metadata.name })} ${pod.metadata.uid ?? ''}`,
            )
            .sort();
          const actual = [...cache.view().pods].map(([key, pod]) => `${key} ${pod.uid}`).sort();
          return JSON.stringify(actual) === JSON.stringify(expected);
        },
      });
    } finally {
      await cache.close();
    }
  });

  it('says that it is stale while the API server is away, and recovers although its versions have expired', async () => {
    const problems: CacheProblem[] = [];
    const cache = await openCache((problem) => problems.push(problem));
    try {
      await testbed.kill('kube-apiserver');
      await waitFor({ what: 'the cache to be stale', probe: () => cache.health().kind === 'stale' });
      await testbed.restartApiServer();
      await testbed.api.patch(
        { kind: 'Node', name: 'node-2' },
        { body: { metadata: { labels: { after: 'restart' } } } },
      );
      await cache.until({
        what: 'the label set after the restart',
        check: (view) => (view.nodes.get('node-2')?.labels['after'] === 'restart' ? true : undefined),
        signal: within(60_000),
      });
      await waitFor({
        what: 'all resources to be current',
        probe: () => cache.health().kind === 'current',
        timeoutMs: 60_000,
      });

      const expired: WatchEvent[] = [];
      for await (const event of port.watch({ resource: resources.nodes, resourceVersion: '1' }, signal)) {
        expired.push(event);
      }
      expect(expired).toMatchObject([{ type: 'failed', failure: { kind: 'gone' } }]);
      expect(problems.length).toBeGreaterThan(0);
      expect(new Set(problems.map(({ failure }) => failure.kind))).toEqual(new Set(['unreachable']));
    } finally {
      await cache.close();
    }
  });

  it('fails at once where the API server does not let us read', async () => {
    const weak = await connectAs('operator');
    try {
      await expect(
        openWatchCache({ cluster: weak, clock: systemClock, random: Math.random, signal }),
      ).rejects.toMatchObject({ code: 'cluster-not-readable' });
    } finally {
      weak.close();
    }
  });
});

describe('permissions and events', () => {
  it('tells which permissions are missing', async () => {
    const wanted = [
      { verb: 'create', group: '', resource: 'pods', subresource: 'eviction' },
      { verb: 'patch', group: '', resource: 'nodes' },
    ];
    expect(valueOf(await missingPermissions({ cluster: port, wanted, signal }))).toEqual([]);
    const weak = await connectAs('operator');
    expect(
      valueOf(await missingPermissions({ cluster: weak, wanted, signal })).map(({ permission }) => permission),
    ).toEqual(wanted);
    expect(await weak.list({ resource: resources.nodes }, signal)).toMatchObject({ kind: 'forbidden' });
    weak.close();
  });

  it('records an event about a node where kubectl looks for it', async () => {
    const node = await nodeView('node-1');
    const about = { apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid };
    const recorded = await recordEvent({
      cluster: port,
      clock: systemClock,
      about,
      type: 'Normal',
      reason: 'TurnStarted',
      message: 'x'.repeat(2000),
      signal,
    });
    expect(recorded).toEqual({ kind: 'recorded' });
    const events = await testbed.api.list({ kind: 'Event', namespace: 'default' });
    expect(events.find((event) => event.reason === 'TurnStarted')).toMatchObject({
      type: 'Normal',
      involvedObject: { name: 'node-1' },
    });
  });
});

/** A custom kind with replicas, as operators bring them. */
const widgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.test' },
  spec: {
    group: 'example.test',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { replicas: { type: 'integer' } } },
              status: { type: 'object', properties: { replicas: { type: 'integer' } } },
            },
          },
        },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
      },
    ],
  },
};
