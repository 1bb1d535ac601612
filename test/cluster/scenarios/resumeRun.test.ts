import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  attemptsOn,
  cordonsOf,
  expectEnd,
  letGo,
  untilPodsLeave,
  untilScriptRuns,
  waitingScript,
} from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyReport, ReadyWatcher } from '../readyWatcher.js';
import { evictions, installTurnus, phasesOf, runOf, untilTurn } from '../runReport.js';
import { waitFor } from '../waitFor.js';
import { createReady, waitForReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

const spread = { over: 'node', mode: 'prefer' } as const;
const web = deployment({ name: 'web', replicas: 10, stopMs: 2500, spread, nodes: names(4, 8) });
const shop = deployment({ name: 'shop', namespace: 'shop', replicas: 6, spread, nodes: names(1, 3) });

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
let attempts: Attempts;

function names(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `node-${String(first + index)}`);
}

beforeAll(async () => {
  cluster = await startCluster({ nodes: 8 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await cluster.createNamespace('shop');
  await createReady(cluster.api, [web, shop]);
  watcher = await startReadyWatcher({ api: cluster.api, workloads: [web, shop] });
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

async function expectNoPodEvictedTwice(): Promise<void> {
  const evicted = (await evictions(cluster)).map(({ pod }) => pod);
  expect(new Set(evicted).size).toBe(evicted.length);
}

describe('an API server that restarts', () => {
  it('in the middle of a drain and of a job only delays the run', async () => {
    const host = hosts.host('node-4');
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'outage',
      nodes: ['node-4'],
      script: waitingScript,
    });
    const turnus = attempts.start(playbook);
    await untilPodsLeave(cluster, 'node-4');
    await cluster.restartApiServer();
    await untilScriptRuns(host);
    await cluster.restartApiServer();
    await letGo(host);
    await expectEnd(turnus, 0);
    expect(await phasesOf(cluster, 'outage')).toEqual(['node-4 Done']);
    expect(await host.counter('updates')).toBe(1);
    expect(host.bootIds).toHaveLength(2);
    expect(await evictions(cluster)).not.toEqual([]);
    await expectNoPodEvictedTwice();
  }, 180_000);
});

describe('a reader of the output who goes away', () => {
  it('ends the run with exit 1, which names the node left cordoned; the same command finishes it', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'unread', nodes: ['node-7'] });
    const first = attempts.start(playbook, ['-o', 'ndjson']);
    await untilPodsLeave(cluster, 'node-7');
    const before = first.stderr().length;
    first.closeStdout();
    await expectEnd(first, 1);
    const said = first.stderr().slice(before);
    const isCordoned = (await cluster.api.get({ kind: 'Node', name: 'node-7' })).spec.unschedulable === true;
    expect({ isCordoned, said }).toMatchObject({ isCordoned: true });
    expect(said).toMatch(/node-7.* cordoned/s);
    expect(said).toMatch(/same command again|kubectl uncordon node-7/);

    await expectEnd(attempts.start(playbook), 0);
    expect(await phasesOf(cluster, 'unread')).toEqual(['node-7 Done']);
    expect(await hosts.host('node-7').counter('updates')).toBe(1);
    expect(hosts.host('node-7').bootIds).toHaveLength(2);
    await expectNoPodEvictedTwice();
  });
});

describe('a quota that stops replacements', () => {
  const quota = { kind: 'ResourceQuota', namespace: 'shop', name: 'pods' } as const;
  const nodes = names(1, 2);
  let stopped: string;

  /** From now on no pod of the namespace is replaced. */
  async function stopReplacements(): Promise<void> {
    await cluster.api.create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'pods', namespace: 'shop' },
      spec: { hard: { pods: '1' } },
    });
    await waitFor({
      what: 'the quota to be counted',
      probe: async () => (await cluster.api.get(quota)).status?.['hard'] !== undefined,
    });
  }

  async function allowReplacements(): Promise<void> {
    await cluster.api.delete(quota);
    // Its ReplicaSet tries again only after a growing pause, unless it changes.
    const annotations = { 'test/quota-gone': new Date().toISOString() };
    await cluster.api.patch(
      { kind: 'Deployment', namespace: 'shop', name: 'shop' },
      { body: { metadata: { annotations } } },
    );
  }

  async function podsOf(node: string): Promise<string[]> {
    const pods = await cluster.api.list({
      kind: 'Pod',
      namespace: 'shop',
      fieldSelector: `spec.nodeName=${node}`,
    });
    return pods.map(({ metadata }) => `shop/${metadata.name}`);
  }

  const playbookOf = (name: string, settleTimeout: string): Promise<string> =>
    writePlaybook({
      cluster,
      hosts,
      name,
      nodes,
      spec: {
        gates: { replicaSpread: { minReadyElsewhere: 1 } },
        drain: { timeout: '5s', attempts: 2 },
        settle: { time: '1s', timeout: settleTimeout },
      },
    });

  it('is told as not-recovered after settle.timeout, and no second node loses pods', async () => {
    stopped = await playbookOf('stopped', '6s');
    const pods = new Map<string, string[]>();
    for (const node of nodes) pods.set(node, await podsOf(node));
    await stopReplacements();
    const turnus = attempts.start(stopped);
    await expectEnd(turnus, 3);
    const [one = '', other = ''] = (await runOf(cluster, 'stopped')).status.order ?? [];
    const ofOne = pods.get(one) ?? [];
    expect(turnus.stderr()).toContain('not-recovered');
    expect(turnus.stderr()).toContain('shop/shop');
    expect(await phasesOf(cluster, 'stopped')).toEqual([`${one} Deferred`, `${other} Deferred`]);
    const evicted = (await evictions(cluster)).map(({ pod }) => pod).filter((pod) => pod.startsWith('shop/'));
    expect(evicted.length).toBeGreaterThan(0);
    expect(ofOne).toEqual(expect.arrayContaining(evicted));
    expect(watcher.workload('shop', 'shop').minimumReady).toBeGreaterThanOrEqual(6 - ofOne.length);
    expect(cordonsOf(watcher, other)).toEqual([]);
    await waitFor({ what: 'the watcher to see it', probe: () => cordonsOf(watcher, one).length === 2 });
    expect(cordonsOf(watcher, one)).toEqual(['cordoned', 'uncordoned']);
    for (const node of nodes) {
      expect(await hosts.host(node).counter('updates')).toBe(0);
      expect(hosts.host(node).bootIds).toHaveLength(1);
    }
  });

  it('stops the same command again as well, before it evicts a pod', async () => {
    const before = await evictions(cluster);
    const turnus = attempts.start(stopped);
    await expectEnd(turnus, 3);
    expect(turnus.stderr()).toContain('not-recovered');
    expect(await evictions(cluster)).toEqual(before);
    for (const node of nodes) {
      expect((await cluster.api.get({ kind: 'Node', name: node })).spec.unschedulable, node).toBeUndefined();
    }
  });

  it('that is lifted in time lets the next turn begin, and not before all replicas are Ready again', async () => {
    await allowReplacements();
    await waitForReady({ api: cluster.api, objects: [shop] });
    const playbook = await playbookOf('patient', '40s');
    await stopReplacements();
    const since = new Date();
    const turnus = attempts.start(playbook);
    const [one = '', other = ''] = await waitFor({
      what: 'the order of the run',
      probe: async () => (await runOf(cluster, 'patient')).status.order,
    });
    const ofOther = await podsOf(other);
    await untilTurn({ cluster, playbook: 'patient', node: one, what: 'Deferred' }, ({ phase }) => phase === 'Deferred');
    // Longer than it would take to cordon the other node and to evict its pods.
    await waitFor({
      what: 'the run to wait for Deployment shop/shop, or to go on without',
      probe: async () => {
        const afterwards = turnus.stderr().split(`${one}: Deferred`)[1] ?? '';
        const evicted = (await evictions(cluster)).filter(({ time }) => time > since).map(({ pod }) => pod);
        return /waiting: .*shop\/shop/.test(afterwards) || evicted.some((pod) => ofOther.includes(pod));
      },
    });
    await allowReplacements();
    await expectEnd(turnus, 0);
    expect((await phasesOf(cluster, 'patient')).sort()).toEqual(nodes.map((node) => `${node} Done`));
    const first = (await evictions(cluster)).find(({ time, pod }) => time > since && ofOther.includes(pod));
    expect(readyAt(watcher.workload('shop', 'shop'), first?.time ?? since)).toBe(6);
    for (const node of nodes) expect(await hosts.host(node).counter('updates')).toBe(1);
    await expectNoPodEvictedTwice();
  });
});

/** How many pods were Ready at that moment. */
function readyAt({ timeline }: ReadyReport, moment: Date): number | undefined {
  return timeline.findLast(({ time }) => time <= moment)?.ready;
}

describe('a node that is deleted in the middle of its drain', () => {
  it('is skipped, its host untouched, and the others have their turn', async () => {
    const nodes = names(5, 6);
    const playbook = await writePlaybook({ cluster, hosts, name: 'vanished', nodes });
    const turnus = attempts.start(playbook);
    const [one = '', other = ''] = await waitFor({
      what: 'the order of the run',
      probe: async () => (await runOf(cluster, 'vanished')).status.order,
    });
    await untilPodsLeave(cluster, one);
    await cluster.api.delete({ kind: 'Node', name: one });
    await expectEnd(turnus, 0);
    expect(await phasesOf(cluster, 'vanished')).toEqual([`${one} Skipped`, `${other} Done`]);
    expect(await hosts.host(one).counter('updates')).toBe(0);
    expect(hosts.host(one).bootIds).toHaveLength(1);
    expect(await hosts.host(other).counter('updates')).toBe(1);
    expect(hosts.host(other).bootIds).toHaveLength(2);
    await expectNoPodEvictedTwice();
  });
});
