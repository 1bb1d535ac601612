import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ApiAnswer, ClusterPort } from '../../../src/cluster/clusterPort.js';
import { acquireLease } from '../../../src/cluster/lease.js';
import { missingPermissions } from '../../../src/cluster/permissions.js';
import { resources } from '../../../src/cluster/resources.js';
import { openWatchCache, type WatchCache } from '../../../src/cluster/watchCache.js';
import { applyManifests } from '../../../src/install/applyManifests.js';
import { manifests } from '../../../src/install/manifests.js';
import { connect } from '../../../src/kubernetes/connect.js';
import { systemClock } from '../../../src/systemClock.js';
import { put, putBudget, putReadyPod, serveApi, type ServedApi } from './servedApi.js';

const signal = new AbortController().signal;
const web0 = { resource: resources.pods, namespace: 'default', name: 'web-0' };

describe('Turnus as a client of the sandbox, through the room it uses for real clusters', () => {
  it('reads, writes and evicts, and understands every refusal', async () => {
    const { api, port } = await connected();
    expect(await port.serverVersion(signal)).toMatchObject({
      kind: 'ok',
      value: expect.stringMatching(/^v1\./) as string,
    });
    expect(await port.readiness(signal)).toEqual({ kind: 'ok', value: 'ok' });
    expect(await port.discover({ apiVersion: 'apps/v1', kind: 'Deployment' }, signal)).toEqual({
      kind: 'ok',
      value: { ...resources.deployments, scalable: true },
    });
    expect(await port.discover({ apiVersion: 'v1', kind: 'Pod' }, signal)).toEqual({
      kind: 'ok',
      value: { ...resources.pods, scalable: false, evictable: true },
    });
    expect(await port.discover({ apiVersion: 'example.com/v1', kind: 'None' }, signal)).toMatchObject({
      kind: 'not-found',
    });

    const pod = putReadyPod(api, 'web-0');
    const uid = pod.metadata.uid ?? '';
    putBudget(api, 0);
    const eviction = { namespace: 'default', name: 'web-0', uid };
    expect(await port.evict(eviction, signal)).toMatchObject({ kind: 'budget', budget: 'web' });
    expect(await port.evict({ ...eviction, name: 'web-1' }, signal)).toEqual({ kind: 'gone' });
    expect(await port.delete({ ...web0, uid: 'another' }, signal)).toMatchObject({ kind: 'conflict' });
    expect(await port.get({ ...web0, name: 'none' }, signal)).toMatchObject({ kind: 'not-found' });
    const test = { op: 'test', path: '/spec/nodeName', value: 'elsewhere' } as const;
    const patch = { type: 'json', operations: [test] } as const;
    expect(await port.patch({ ...web0, patch }, signal)).toMatchObject({ kind: 'invalid' });
    expect(await port.create({ resource: resources.nodes, object: { metadata: {} } }, signal)).toMatchObject({
      kind: 'invalid',
    });
  });

  it('follows the cluster with its watch cache, through broken watches and an expired version', async () => {
    const { api, server, port } = await connected();
    put(api, resources.nodes, { metadata: { name: 'node-1' } });
    const cache = await cacheOf(port);
    expect([...cache.view().nodes.keys()]).toEqual(['node-1']);

    putReadyPod(api, 'web-0');
    await podCount(cache, 1);
    server.faults.breakWatches();
    putReadyPod(api, 'web-1');
    await podCount(cache, 2);
    server.faults.breakWatches();
    putReadyPod(api, 'web-2');
    api.compact();
    await podCount(cache, 3);
    api.delete({ ...web0, gracePeriodSeconds: 0 }, 'test');
    await podCount(cache, 2);
  });

  it('calls a cut API unreachable and a throttled one throttled', async () => {
    const { server, port } = await connected();
    const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } };
    const create = async () => await port.create({ resource: resources.nodes, object }, signal);
    const mendCut = server.faults.cut();
    expect(await create()).toMatchObject({ kind: 'unreachable' });
    mendCut();
    server.faults.refuse(429);
    expect(await create()).toMatchObject({ kind: 'throttled', retryAfterMs: 1000 });
    server.faults.refuse(500)();
    expect(await create()).toMatchObject({ kind: 'ok' });
  });

  it('holds the Lease against another actor, and gives it up', async () => {
    const { port } = await connected();
    const claim = {
      cluster: port,
      clock: systemClock,
      namespace: 'default',
      name: 'turnus',
      durations: { leaseDurationMs: 3000, renewDeadlineMs: 2000, retryPeriodMs: 100 },
      wait: false,
      signal,
    };
    const held = await acquireLease({ ...claim, identity: 'one' });
    if (held.kind !== 'held') throw new Error(`not held: ${JSON.stringify(held)}`);
    expect(await acquireLease({ ...claim, identity: 'other' })).toMatchObject({ kind: 'other', holder: 'one' });
    await held.lease.release();
    const taken = await acquireLease({ ...claim, identity: 'other' });
    expect(taken.kind).toBe('held');
    if (taken.kind === 'held') await taken.lease.release();
  });

  it('is installed, and may do everything', async () => {
    const { port } = await connected();
    const objects = manifests('turnus-system');
    const parts = { cluster: port, clock: systemClock, objects, timeoutMs: 5000, onApplied: () => undefined };
    expect(await applyManifests(parts, signal)).toMatchObject({ kind: 'installed' });
    expect(await applyManifests(parts, signal)).toMatchObject({ kind: 'installed' });
    const kind = { apiVersion: 'turnus.dev/v1alpha1', kind: 'MaintenanceRun' };
    expect(valueOf(await port.discover(kind, signal))).toMatchObject({ plural: 'maintenanceruns', namespaced: true });
    const wanted = [{ verb: 'create', group: '', resource: 'pods', subresource: 'eviction' }];
    expect(await missingPermissions({ cluster: port, wanted, signal })).toEqual({ kind: 'ok', value: [] });
  });
});

async function connected(): Promise<ServedApi & { readonly port: ClusterPort }> {
  const served = await serveApi();
  const directory = await mkdtemp(join(tmpdir(), 'turnus-http-'));
  const kubeconfigPath = join(directory, 'kubeconfig');
  await writeFile(kubeconfigPath, served.server.kubeconfig(), { mode: 0o600 });
  const port = await connect({
    kubeconfigPath,
    inCluster: false,
    userAgent: 'turnus/test',
    clock: systemClock,
    requestTimeoutMs: 5000,
  });
  onTestFinished(async () => {
    port.close();
    await rm(directory, { recursive: true });
  });
  return { ...served, port };
}

async function cacheOf(cluster: ClusterPort): Promise<WatchCache> {
  const cache = await openWatchCache({ cluster, clock: systemClock, random: () => 0, signal });
  onTestFinished(() => cache.close());
  return cache;
}

async function podCount(cache: WatchCache, count: number): Promise<void> {
  await cache.until({
    what: `${count} pods`,
    check: (view) => (view.pods.size === count ? true : undefined),
    signal: AbortSignal.timeout(10_000),
  });
}

function valueOf<T>(answer: ApiAnswer<T>): T {
  if (answer.kind !== 'ok') throw new Error(answer.message);
  return answer.value;
}
