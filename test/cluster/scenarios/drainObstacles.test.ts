import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, cordonsOf, expectEnd } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { createAllOn } from '../gather.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import { evictions, installTurnus, phasesOf, turnsOf, turnusRequests, untilTurn } from '../runReport.js';
import { waitFor } from '../waitFor.js';
import { barePod, deployment, disruptionBudget, job, statefulSet } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

/** The host has its update and no boot: these tests are about what comes before. */
const quick = { host: { reboot: { when: 'never' } } };

/** Deletes a namespace, and waits until its pods are gone. */
async function remove(namespace: string): Promise<void> {
  await cluster.api.delete({ kind: 'Namespace', name: namespace });
  await waitFor({
    what: `the pods of namespace ${namespace} to be gone`,
    probe: async () => (await cluster.api.list({ kind: 'Pod', namespace })).length === 0,
  });
}

async function evictedIn(namespace: string): Promise<string[]> {
  return (await evictions(cluster)).map(({ pod }) => pod).filter((pod) => pod.startsWith(`${namespace}/`));
}

/** The pod of the Job ends with exit code 0. */
async function finish(name: string): Promise<void> {
  const [pod] = await cluster.api.list({ kind: 'Pod', namespace: 'jobs', labelSelector: `app=${name}` });
  const terminated = { exitCode: 0, startedAt: new Date().toISOString(), finishedAt: new Date().toISOString() };
  const main = { name: 'main', image: 'registry.example/app:1', imageID: '', ready: false, restartCount: 0 };
  const status = {
    phase: 'Succeeded',
    conditions: [{ type: 'Ready', status: 'False' }],
    containerStatuses: [{ ...main, state: { terminated } }],
  };
  const reference = { kind: 'Pod', namespace: 'jobs', name: pod?.metadata.name ?? '' } as const;
  await cluster.api.patch(reference, { subresource: 'status', type: 'strategic', body: { status } });
}

describe('a drain meets', () => {
  it('a pod with a finalizer that never goes: undone at the timeout, tried again, then left', async () => {
    await cluster.createNamespace('held');
    const updates = await hosts.host('node-1').counter('updates');
    await createAllOn(cluster, 'node-1', [deployment({ name: 'held', namespace: 'held', replicas: 1 })]);
    const [pod] = await cluster.api.list({ kind: 'Pod', namespace: 'held' });
    const reference = { kind: 'Pod', namespace: 'held', name: pod?.metadata.name ?? '' } as const;
    await cluster.api.patch(reference, { body: { metadata: { finalizers: ['test.example.com/hold'] } } });
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'held',
      nodes: ['node-1'],
      spec: { ...quick, drain: { timeout: '4s', attempts: 2 } },
    });
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [] });
    await expectEnd(attempts.start(playbook), 3);
    await waitFor({ what: 'the watcher to see it', probe: () => cordonsOf(watcher, 'node-1').length === 4 });
    await watcher.stop();

    expect(cordonsOf(watcher, 'node-1')).toEqual(['cordoned', 'uncordoned', 'cordoned', 'uncordoned']);
    const [turn] = await turnsOf(cluster, 'held');
    expect(turn).toMatchObject({ node: 'node-1', phase: 'Deferred', attempts: 2 });
    expect(turn?.message).toMatch(new RegExp(`Pod held/${reference.name} is ending`));
    expect(await evictedIn('held')).toEqual([`held/${reference.name}`]);
    expect(await hosts.host('node-1').counter('updates')).toBe(updates);
    await cluster.api.patch(reference, { body: { metadata: { finalizers: null } } });
    await remove('held');
  });

  it('a namespace that is being deleted: nothing of it is evicted or blocks, its pods go with it', async () => {
    await cluster.createNamespace('leaving');
    await createAllOn(cluster, 'node-1', [
      deployment({ name: 'web', namespace: 'leaving', replicas: 2 }),
      disruptionBudget({ name: 'web', namespace: 'leaving', maxUnavailable: 0 }),
      barePod({ name: 'bare', namespace: 'leaving' }),
      deployment({ name: 'other', replicas: 1 }),
    ]);
    const playbook = await writePlaybook({ cluster, hosts, name: 'leaving', nodes: ['node-1'], spec: quick });
    // The controller that deletes what is in the namespace stands still.
    cluster.pause('kube-controller-manager');
    await cluster.api.delete({ kind: 'Namespace', name: 'leaving' });
    const turnus = attempts.start(playbook);
    try {
      await untilTurn({ cluster, playbook: 'leaving', node: 'node-1', what: 'waiting for the namespace' }, (turn) =>
        (turn.waitingFor?.what ?? '').includes('Namespace leaving is being deleted'),
      );
      expect(await cluster.api.list({ kind: 'Pod', namespace: 'leaving' })).toHaveLength(3);
    } finally {
      cluster.resume('kube-controller-manager');
    }
    await expectEnd(turnus, 0);
    expect(await phasesOf(cluster, 'leaving')).toEqual(['node-1 Done']);
    const asked = (await turnusRequests(cluster)).filter(({ subresource }) => subresource === 'eviction');
    expect(asked.filter(({ namespace }) => namespace === 'leaving')).toEqual([]);
    expect(await evictedIn('default')).toEqual([expect.stringMatching(/^default\/other-/)]);
    await cluster.api.delete({ kind: 'Deployment', name: 'other' }, { propagationPolicy: 'Background' });
  });

  it('a StatefulSet whose pods are recreated elsewhere under their names: each is evicted once, here', async () => {
    await cluster.createNamespace('db');
    await createAllOn(cluster, 'node-1', [
      statefulSet({ name: 'db', namespace: 'db', replicas: 2, startMs: 300 }),
      // It keeps the drain going while the namesakes stand on their new nodes.
      deployment({ name: 'slow', namespace: 'db', replicas: 1, stopMs: 4000 }),
    ]);
    const before = await cluster.api.list({ kind: 'Pod', namespace: 'db', labelSelector: 'app=db' });
    const playbook = await writePlaybook({ cluster, hosts, name: 'db', nodes: ['node-1'], spec: quick });
    await expectEnd(attempts.start(playbook), 0);
    expect(await phasesOf(cluster, 'db')).toEqual(['node-1 Done']);
    const evicted = await evictedIn('db');
    expect(evicted.filter((pod) => pod.startsWith('db/db-')).sort()).toEqual(['db/db-0', 'db/db-1']);
    const after = await cluster.api.list({ kind: 'Pod', namespace: 'db', labelSelector: 'app=db' });
    expect(after.map(({ metadata }) => metadata.name).sort()).toEqual(['db-0', 'db-1']);
    expect(after.map(({ spec }) => spec.nodeName)).not.toContain('node-1');
    for (const { metadata } of before) expect(after.map((pod) => pod.metadata.uid)).not.toContain(metadata.uid);
    await remove('db');
  });

  it('a controller that brings its pod back to the node: bound-to-node, left, named, and the turn is done', async () => {
    await cluster.createNamespace('bound');
    const stubborn = deployment({
      name: 'stubborn',
      namespace: 'bound',
      replicas: 1,
      podSpec: { nodeName: 'node-1' },
      startMs: 200,
    });
    await createAllOn(cluster, 'node-1', [stubborn, deployment({ name: 'web', namespace: 'bound', replicas: 2 })]);
    const boots = hosts.host('node-1').bootIds.length;
    const playbook = await writePlaybook({ cluster, hosts, name: 'bound', nodes: ['node-1'] });
    await expectEnd(attempts.start(playbook), 0);

    const [turn] = await turnsOf(cluster, 'bound');
    expect(turn).toMatchObject({ node: 'node-1', phase: 'Done' });
    const [pod] = await cluster.api.list({ kind: 'Pod', namespace: 'bound', labelSelector: 'app=stubborn' });
    expect(pod?.spec.nodeName).toBe('node-1');
    const bound = (turn?.findings ?? []).filter(({ code }) => code === 'bound-to-node');
    expect(bound).toEqual([
      expect.objectContaining({
        severity: 'caution',
        objects: [`Pod bound/${pod?.metadata.name ?? ''}`, 'Deployment bound/stubborn'],
      }),
    ]);
    const evicted = await evictedIn('bound');
    expect(evicted.filter((name) => name.startsWith('bound/stubborn-'))).toHaveLength(1);
    expect(evicted.filter((name) => name.startsWith('bound/web-'))).toHaveLength(2);
    expect(hosts.host('node-1').bootIds).toHaveLength(boots + 1);
    await remove('bound');
  });

  it('running Jobs with backoffLimit 0: one is waited for, one outlasts the limit; neither fails', async () => {
    await cluster.createNamespace('jobs');
    const short = job({ name: 'short', namespace: 'jobs', runForMs: 600_000, backoffLimit: 0 });
    const long = job({ name: 'long', namespace: 'jobs', runForMs: 600_000, backoffLimit: 0, nodes: ['node-2'] });
    await createAllOn(cluster, 'node-2', [long]);
    const updates = await hosts.host('node-2').counter('updates');
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'jobs',
      nodes: ['node-1', 'node-2'],
      spec: { ...quick, drain: { timeout: '30s', attempts: 1, jobPodsLimit: '6s' } },
    });
    await createAllOn(cluster, 'node-1', [short]);
    const turnus = attempts.start(playbook);
    await untilTurn({ cluster, playbook: 'jobs', node: 'node-1', what: 'waiting for the Job' }, ({ waitingFor }) =>
      /Pod jobs\/short-.* of Job jobs\/short is running/.test(waitingFor?.what ?? ''),
    );
    await finish('short');
    await expectEnd(turnus, 3);

    expect((await phasesOf(cluster, 'jobs')).sort()).toEqual(['node-1 Done', 'node-2 Deferred']);
    const left = (await turnsOf(cluster, 'jobs')).find(({ node }) => node === 'node-2');
    expect(left?.message).toMatch(/Job pods still run on node-2 after spec\.drain\.jobPodsLimit: jobs\/long-/);
    const statusOf = async (name: string): Promise<object | undefined> =>
      (await cluster.api.get({ kind: 'Job', namespace: 'jobs', name })).status;
    expect(await statusOf('short')).toMatchObject({ succeeded: 1 });
    expect(await statusOf('long')).toMatchObject({ active: 1, ready: 1 });
    for (const name of ['short', 'long']) expect(await statusOf(name)).not.toHaveProperty('failed');
    expect(await evictedIn('jobs')).toEqual([]);
    expect(await hosts.host('node-2').counter('updates')).toBe(updates);
    expect((await cluster.api.get({ kind: 'Node', name: 'node-2' })).spec.unschedulable ?? false).toBe(false);
    await remove('jobs');
  });
});
