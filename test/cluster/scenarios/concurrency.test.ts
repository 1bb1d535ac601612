import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { expectExit, expectNoMarks, installTurnus, phasesOf, turnsOf } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { createReady } from '../waitForReady.js';
import { deployment, disruptionBudget, statefulSet } from '../workloads.js';

/** Each with the fewest Ready pods that its budget, or the half that the playbook keeps, allows. */
const replicated = [
  { workload: deployment({ name: 'everywhere', replicas: 18 }), fewest: 9 },
  { workload: deployment({ name: 'guarded', replicas: 9 }), fewest: 8 },
  { workload: deployment({ name: 'pair', replicas: 2 }), fewest: 1 },
  { workload: statefulSet({ name: 'database', replicas: 3, onePerNode: true }), fewest: 2 },
];
const budgets = [
  disruptionBudget({ name: 'guarded', maxUnavailable: 1 }),
  disruptionBudget({ name: 'database', minAvailable: 2 }),
];
const names = Array.from({ length: 9 }, (_, number) => `node-${number + 1}`);

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
const seconds: Record<string, number> = {};

beforeAll(async () => {
  cluster = await startCluster({ nodes: 9, zones: 3 });
  hosts = await startHosts({ cluster, bootDelayMs: 3000 });
  await installTurnus(cluster);
  const workloads = replicated.map(({ workload }) => workload);
  await createReady(cluster.api, [...workloads, ...budgets]);
  watcher = await startReadyWatcher({ api: cluster.api, workloads });
}, 120_000);

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

async function playbookWith(concurrency: number): Promise<string> {
  return await writePlaybook({
    cluster,
    hosts,
    name: `at-once-${concurrency}`,
    spec: { nodes: { order: ['name'], canaries: 0, concurrency, maxUnavailable: concurrency } },
  });
}

async function roll(concurrency: number): Promise<void> {
  const playbook = await playbookWith(concurrency);
  const begun = performance.now();
  expectExit(await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath }), 0);
  seconds[concurrency] = (performance.now() - begun) / 1000;
}

/** From the first step to the end of the last, by node. */
async function spans(playbook: string): Promise<{ node: string; zone: number; from: number; until: number }[]> {
  return (await turnsOf(cluster, playbook)).map(({ node, steps = [] }) => ({
    node,
    zone: (Number(node.replace('node-', '')) - 1) % 3,
    from: Date.parse(steps[0]?.startedAt ?? ''),
    until: Date.parse(steps.at(-1)?.finishedAt ?? ''),
  }));
}

describe('three turns at the same time', () => {
  it('are shown in the plan', async () => {
    const playbook = await playbookWith(3);
    const plan = await runTurnus(['plan', '-f', playbook, '-o', 'json'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(plan, 0);
    const { nodes } = JSON.parse(plan.stdout) as { nodes: { node: string; zone: string; overlaps: string[] }[] };
    expect(nodes.map(({ zone }) => zone.at(-1)).join('')).toBe('aaabbbccc');
    expect(nodes.some(({ overlaps }) => overlaps.length > 0)).toBe(true);
    for (const { node, zone, overlaps } of nodes) {
      for (const other of overlaps)
        expect(nodes.find((one) => one.node === other)?.zone, `${node} ${other}`).toBe(zone);
    }
    const text = await runTurnus(['plan', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expect(text.stdout).toMatch(/^# +GROUP +NODE/m);
  });

  it('end well, and sooner than one after the other', async () => {
    await roll(3);
    expect((await phasesOf(cluster, 'at-once-3')).sort()).toEqual(names.map((name) => `${name} Done`));
    const { maximumCordoned, maximumUnavailable } = watcher.nodes();
    expect(maximumCordoned).toBeGreaterThan(1);
    expect(maximumUnavailable).toBeLessThanOrEqual(3);
    await roll(1);
    const [three = 0, one = 0] = [seconds['3'], seconds['1']];
    console.log(
      `9 nodes: ${three.toFixed(1)} s with three turns at once, ${one.toFixed(1)} s with one: ${(three / one).toFixed(2)}`,
    );
    expect(three).toBeLessThan(one);
  }, 1_200_000);

  it('overlap, and in one zone alone', async () => {
    const turns = await spans('at-once-3');
    const pairs = turns.flatMap((one) =>
      turns
        .filter((other) => one.node < other.node && one.from < other.until && other.from < one.until)
        .map((other) => ({ one, other })),
    );
    expect(pairs.length).toBeGreaterThan(2);
    for (const { one, other } of pairs) expect(one.zone, `${one.node} ${other.node}`).toBe(other.zone);
  });

  it('do not overlap where one at a time is wanted', async () => {
    const turns = (await spans('at-once-1')).sort((one, other) => one.from - other.from);
    for (const [place, turn] of turns.slice(1).entries()) {
      expect(turn.from, turn.node).toBeGreaterThanOrEqual(turns[place]?.until ?? Infinity);
    }
  });

  it.each(replicated)('never leave $workload.metadata.name with fewer than $fewest Ready', ({ workload, fewest }) => {
    const report = watcher.workload(workload.metadata.name);
    expect(report.outages).toEqual([]);
    expect(report.minimumReady).toBeGreaterThanOrEqual(fewest);
  });

  it('leave nothing behind', async () => {
    await expectNoMarks(cluster, { lastTurn: names });
    for (const host of hosts.all()) expect(await host.counter('updates'), host.node).toBe(2);
  });
});
