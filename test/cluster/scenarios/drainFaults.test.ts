import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, cordonsOf, expectEnd, untilPodsLeave } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { createCustom, createCustomKinds } from '../budgets/customKinds.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { createAllOn } from '../gather.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { isTrue } from '../objects.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import { evictions, installTurnus, phasesOf, turnsOf, turnusRequests, untilTurn } from '../runReport.js';
import type { RunningTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { barePod, deployment, disruptionBudget } from '../workloads.js';

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

async function markOf(name: string): Promise<{ unschedulable: boolean; mark: string | undefined }> {
  const { spec, metadata } = await cluster.api.get({ kind: 'Node', name });
  return { unschedulable: spec.unschedulable ?? false, mark: metadata.annotations?.['turnus.dev/cordoned-by'] };
}

const inService = { unschedulable: false, mark: undefined };

async function evictedIn(namespace: string): Promise<string[]> {
  return (await evictions(cluster)).map(({ pod }) => pod).filter((pod) => pod.startsWith(`${namespace}/`));
}

/** Deletes a namespace, and waits until its pods are gone. */
async function remove(namespace: string): Promise<void> {
  await cluster.api.delete({ kind: 'Namespace', name: namespace });
  await waitFor({
    what: `the pods of namespace ${namespace} to be gone`,
    probe: async () => (await cluster.api.list({ kind: 'Pod', namespace })).length === 0,
  });
}

describe('pods of a custom kind that keeps one on each node', () => {
  it('come back to the node at once: evicted once, left, named, and the turn is done', async () => {
    const namespace = 'agents';
    await createCustomKinds(cluster.api);
    await cluster.createNamespace(namespace);
    const owner = await createCustom(cluster.api, { kind: 'Flock', namespace, name: 'agent', replicas: 0 });
    const stopping = new AbortController();
    /** What the controller of the kind does: a pod on each node, also on one that is cordoned. */
    const reconcile = async (): Promise<number> => {
      const pods = await cluster.api.list({ kind: 'Pod', namespace });
      const lacking = cluster.nodeNames.filter((node) => !pods.some(({ spec }) => spec.nodeName === node));
      for (const node of lacking) {
        const pod = barePod({ name: 'agent', namespace, startMs: 50, podSpec: { nodeName: node } });
        pod.metadata.name = `agent-${node}`;
        pod.metadata.ownerReferences = [{ ...owner }];
        await cluster.api.create(pod);
      }
      return lacking.length;
    };
    await reconcile();
    await waitFor({
      what: 'an agent on each node',
      probe: async () => (await cluster.api.list({ kind: 'Pod', namespace })).every((pod) => isTrue(pod, 'Ready')),
    });
    const controller = waitFor({
      what: 'the end of the test',
      timeoutMs: 110_000,
      probe: async () => {
        if (stopping.signal.aborted) return true;
        await reconcile();
        return undefined;
      },
    });
    try {
      const playbook = await writePlaybook({ cluster, hosts, name: 'agents', nodes: ['node-1'], spec: quick });
      await expectEnd(attempts.start(playbook), 0);
    } finally {
      stopping.abort();
      await controller;
    }
    const [turn] = await turnsOf(cluster, 'agents');
    expect(turn).toMatchObject({ node: 'node-1', phase: 'Done' });
    expect((turn?.findings ?? []).filter(({ code }) => code === 'bound-to-node')).toMatchObject([
      { severity: 'caution', objects: ['Pod agents/agent-node-1', 'Flock agents/agent'] },
    ]);
    expect(await evictedIn(namespace)).toEqual(['agents/agent-node-1']);
    expect(await markOf('node-1')).toEqual(inService);
    await remove(namespace);
  });
});

describe('a namespace that is stuck in its deletion', () => {
  it('keeps its pod on the node: undone at the timeout, named, never evicted; done once it is free', async () => {
    const namespace = 'stuck';
    await cluster.createNamespace(namespace);
    await createAllOn(cluster, 'node-2', [
      deployment({ name: 'stuck', namespace, replicas: 1 }),
      disruptionBudget({ name: 'stuck', namespace, maxUnavailable: 0 }),
    ]);
    const [pod] = await cluster.api.list({ kind: 'Pod', namespace });
    const reference = { kind: 'Pod', namespace, name: pod?.metadata.name ?? '' } as const;
    await cluster.api.patch(reference, { body: { metadata: { finalizers: ['test.example.com/hold'] } } });
    await cluster.api.delete({ kind: 'Namespace', name: namespace });
    const updates = await hosts.host('node-2').counter('updates');
    const spec = { ...quick, drain: { timeout: '4s', attempts: 1 } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'stuck', nodes: ['node-2'], spec });
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [] });
    await expectEnd(attempts.start(playbook), 3);
    await waitFor({ what: 'the watcher to see it', probe: () => cordonsOf(watcher, 'node-2').length === 2 });
    await watcher.stop();

    const [turn] = await turnsOf(cluster, 'stuck');
    expect(turn).toMatchObject({ node: 'node-2', phase: 'Deferred' });
    expect(turn?.message).toContain(`Pod stuck/${reference.name}`);
    expect(await markOf('node-2')).toEqual(inService);
    expect(await hosts.host('node-2').counter('updates')).toBe(updates);
    const asked = (await turnusRequests(cluster)).filter((entry) => entry.subresource === 'eviction');
    expect(asked.filter((entry) => entry.namespace === namespace)).toEqual([]);

    await cluster.api.patch(reference, { body: { metadata: { finalizers: null } } });
    await expectEnd(attempts.start(playbook), 0);
    expect(await phasesOf(cluster, 'stuck')).toEqual(['node-2 Done']);
    expect(await hosts.host('node-2').counter('updates')).toBe(updates + 1);
  });
});

describe('all kubelets fall silent in the middle of a drain', () => {
  /** Three replicas on the node, of which one may be away; the kubelets are silent once the first is leaving. */
  async function untilSilent(namespace: string, node: string, playbook: string): Promise<RunningTurnus> {
    await cluster.createNamespace(namespace);
    await createAllOn(cluster, node, [deployment({ name: 'web', namespace, replicas: 3, stopMs: 1500 })]);
    await createReady(cluster.api, [disruptionBudget({ name: 'web', namespace, maxUnavailable: 1 })]);
    const turnus = attempts.start(playbook);
    await untilPodsLeave(cluster, node);
    cluster.pause('kwok');
    return turnus;
  }

  it('until its timeout: undone, named and left; the next start finishes it', async () => {
    const namespace = 'silent';
    const spec = { ...quick, drain: { timeout: '6s', attempts: 1 } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'silent', nodes: ['node-1'], spec });
    const updates = await hosts.host('node-1').counter('updates');
    const turnus = await untilSilent(namespace, 'node-1', playbook);
    try {
      await expectEnd(turnus, 3);
      const [turn] = await turnsOf(cluster, 'silent');
      expect(turn).toMatchObject({ node: 'node-1', phase: 'Deferred' });
      expect(turn?.message).toMatch(/Pod silent\/web-\S+ is ending/);
      expect(await markOf('node-1')).toEqual(inService);
      expect(await evictedIn(namespace)).toHaveLength(1);
    } finally {
      cluster.resume('kwok');
    }
    await waitFor({
      what: 'three Ready replicas',
      probe: async () =>
        (await cluster.api.get({ kind: 'Deployment', namespace, name: 'web' })).status?.readyReplicas === 3 &&
        (await cluster.api.get({ kind: 'PodDisruptionBudget', namespace, name: 'web' })).status?.disruptionsAllowed ===
          1,
    });
    const patient = await writePlaybook({ cluster, hosts, name: 'silent', nodes: ['node-1'], spec });
    await expectEnd(attempts.start(patient), 0);
    expect(await phasesOf(cluster, 'silent')).toEqual(['node-1 Done']);
    expect(await hosts.host('node-1').counter('updates')).toBe(updates + 1);
    await expectEachOnce(namespace);
    await remove(namespace);
  });

  it('until every node is NotReady: it waits, cordoned by name, and goes on when they speak again', async () => {
    const namespace = 'mute';
    const spec = { ...quick, drain: { timeout: '3m' }, settle: { time: '1s', timeout: '2m' } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'mute', nodes: ['node-3'], spec });
    const updates = await hosts.host('node-3').counter('updates');
    const turnus = await untilSilent(namespace, 'node-3', playbook);
    try {
      await waitFor({
        what: 'every node to be NotReady',
        timeoutMs: 90_000,
        intervalMs: 500,
        probe: async () => (await cluster.api.list({ kind: 'Node' })).every((node) => !isTrue(node, 'Ready')),
      });
      const place = { cluster, playbook: 'mute', node: 'node-3', what: 'waiting' };
      const turn = await untilTurn(place, ({ waitingFor }) => /Pod mute\/web-/.test(waitingFor?.what ?? ''));
      expect(turn.phase).toBe('Draining');
      expect(turnus.isRunning()).toBe(true);
      expect(await markOf('node-3')).toEqual({ unschedulable: true, mark: expect.stringMatching(/^mute-/) as string });
      // No pod is Ready any more: nothing further was taken away from it.
      expect(await evictedIn(namespace)).toHaveLength(1);
    } finally {
      cluster.resume('kwok');
    }
    await expectEnd(turnus, 0, 150_000);
    expect(await phasesOf(cluster, 'mute')).toEqual(['node-3 Done']);
    expect(await hosts.host('node-3').counter('updates')).toBe(updates + 1);
    expect(await markOf('node-3')).toEqual(inService);
    await expectEachOnce(namespace);
    await remove(namespace);
  }, 300_000);

  async function expectEachOnce(namespace: string): Promise<void> {
    const evicted = await evictedIn(namespace);
    expect(evicted).toEqual([...new Set(evicted)]);
    const { status } = await cluster.api.get({ kind: 'Deployment', namespace, name: 'web' });
    expect(status?.readyReplicas).toBe(3);
  }
});
