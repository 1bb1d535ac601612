import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, expectEnd } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { createAllOn } from '../gather.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { evictions, expectNoMarks, installTurnus, phasesOf, turnusRequests } from '../runReport.js';
import { waitFor } from '../waitFor.js';
import { deployment, disruptionBudget } from '../workloads.js';

const replicas = 100;
const workloads = Array.from({ length: 10 }, (_, number) =>
  deployment({ name: `web-${String(number)}`, replicas, startMs: 200, stopMs: 200 }),
);
/** 80 of 100 must stay. */
const budgets = workloads.map(({ metadata: { name } }) => disruptionBudget({ name, maxUnavailable: '20%' }));
const pods = workloads.length * replicas;

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;
let watcher: ReadyWatcher;

beforeAll(async () => {
  const roomy = { cpu: '320', memory: '2560Gi', pods: '1100', 'ephemeral-storage': '500Gi' };
  cluster = await startCluster({
    nodes: 4,
    customize: (node) => {
      Object.assign(node.status, { capacity: roomy, allocatable: roomy });
    },
  });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  attempts = attemptsOn(cluster);
  await createAllOn(cluster, 'node-1', [...workloads, ...budgets], 240_000);
  watcher = await startReadyWatcher({ api: cluster.api, workloads });
}, 300_000);

afterAll(async () => {
  await attempts.endAll();
  await watcher.stop();
  await cluster.stop();
});

async function podsOn(node: string): Promise<number> {
  return (await cluster.api.list({ kind: 'Pod', fieldSelector: `spec.nodeName=${node}` })).length;
}

/** The host has its update and no boot: these tests are about what comes before. */
const spec = { host: { reboot: { when: 'never' } }, drain: { timeout: '5m' }, settle: { time: '1s', timeout: '3m' } };

function expectNeverBelowTheBudgets(): void {
  const fewest = workloads.map(({ metadata: { name } }) => watcher.workload(name).minimumReady);
  expect(Math.min(...fewest)).toBeGreaterThanOrEqual(0.8 * replicas);
}

describe('a thousand pods on one node', () => {
  it('leave it, each by one eviction, as fast as their budgets allow and with few requests', async () => {
    expect(await podsOn('node-1')).toBe(pods);
    const requestsBefore = (await turnusRequests(cluster)).length;
    const playbook = await writePlaybook({ cluster, hosts, name: 'thousand', nodes: ['node-1'], spec });
    await expectEnd(attempts.start(playbook), 0, 400_000);
    expect(await phasesOf(cluster, 'thousand')).toEqual(['node-1 Done']);
    expect(await podsOn('node-1')).toBe(0);

    const asked = (await turnusRequests(cluster)).slice(requestsBefore);
    const sent = asked.filter(({ subresource }) => subresource === 'eviction');
    const refused = sent.filter(({ code }) => code !== 201);
    const evicted = (await evictions(cluster)).map(({ pod }) => pod);
    const tookMs = (sent.at(-1)?.time.getTime() ?? 0) - (sent[0]?.time.getTime() ?? 0);
    const perEviction = asked.length / evicted.length;
    console.log(
      `${String(evicted.length)} evictions in ${(tookMs / 1000).toFixed(1)} s, ${String(refused.length)} refused, ` +
        `${String(asked.length)} API requests: ${perEviction.toFixed(2)} an eviction`,
    );
    expect(evicted).toHaveLength(pods);
    expect(new Set(evicted).size).toBe(pods);
    expect(perEviction).toBeLessThan(3);
    expectNeverBelowTheBudgets();
    await expectNoMarks(cluster, { lastTurn: ['node-1'] });
  }, 500_000);

  it('lose none where the API server restarts in the middle of their evictions', async () => {
    const before = await podsOn('node-2');
    expect(before).toBeGreaterThan(pods / 10);
    const evictedBefore = (await evictions(cluster)).length;
    // Few at a time, so that there is a middle, however fast the machine is.
    for (const { metadata } of budgets) {
      const budget = { kind: 'PodDisruptionBudget', namespace: 'default', name: metadata.name } as const;
      await cluster.api.patch(budget, { body: { spec: { maxUnavailable: '2%' } } });
    }
    const playbook = await writePlaybook({ cluster, hosts, name: 'restart', nodes: ['node-2'], spec });
    const turnus = attempts.start(playbook);
    await waitFor({
      what: 'the first pods to have left',
      timeoutMs: 120_000,
      intervalMs: 20,
      probe: async () => (await podsOn('node-2')) < before,
    });
    // Killed: one that ends in good order answers what is on its way, and a slow machine would be done with it all.
    await cluster.kill('kube-apiserver');
    await cluster.restartApiServer();
    expect(await podsOn('node-2')).toBeGreaterThan(0);
    await expectEnd(turnus, 0, 300_000);
    expect(await phasesOf(cluster, 'restart')).toEqual(['node-2 Done']);
    expect(await podsOn('node-2')).toBe(0);
    const evicted = (await evictions(cluster)).slice(evictedBefore).map(({ pod }) => pod);
    expect(new Set(evicted).size).toBe(evicted.length);
    expect(evicted.length).toBeLessThanOrEqual(before);
    for (const { metadata } of workloads) {
      const { status } = await cluster.api.get({ kind: 'Deployment', name: metadata.name });
      expect(status?.readyReplicas).toBe(replicas);
    }
    expectNeverBelowTheBudgets();
    await expectNoMarks(cluster, { lastTurn: ['node-1', 'node-2'] });
  }, 400_000);
});
