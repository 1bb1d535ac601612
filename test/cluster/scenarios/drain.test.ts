import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import type { Deployment, PodDisruptionBudget } from '../objects.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyReport } from '../readyWatcher.js';
import { evictions, expectExit, expectNoMarks, installTurnus, phasesOf } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment, disruptionBudget } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
});

afterAll(async () => {
  await cluster.stop();
});

/** Creates the objects while only this node takes pods, so that all of them gather on it. */
async function createAllOn(node: string, objects: (Deployment | PodDisruptionBudget)[]): Promise<void> {
  const others = cluster.nodeNames.filter((name) => name !== node);
  const setUnschedulable = async (unschedulable: true | null): Promise<void> => {
    for (const name of others) await cluster.api.patch({ kind: 'Node', name }, { body: { spec: { unschedulable } } });
  };
  await setUnschedulable(true);
  await createReady(cluster.api, objects);
  await setUnschedulable(null);
}

/** Takes one node through its turn and answers what became of the workload's pods meanwhile. */
async function turnOf(
  node: string,
  observed: { name: string; workload: Deployment },
): Promise<{ report: ReadyReport; evictedAt: Date[] }> {
  const { name, workload } = observed;
  const app = workload.metadata.name;
  const watcher = await startReadyWatcher({ api: cluster.api, workloads: [workload] });
  const playbook = await writePlaybook({ cluster, hosts, name, nodes: [node] });
  const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
  expectExit(result, 0);
  expect(await phasesOf(cluster, name)).toEqual([`${node} Done`]);
  const pods = await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector: `app=${app}` });
  expect(pods.map(({ spec }) => spec.nodeName)).not.toContain(node);
  await watcher.stop();
  const evicted = (await evictions(cluster)).filter(({ pod }) => pod.startsWith(`default/${app}-`));
  return { report: watcher.workload(app), evictedAt: evicted.map(({ time }) => time) };
}

const ready = ({ timeline }: ReadyReport): string => timeline.map((change) => change.ready).join();

/** Milliseconds from the first replacement being Ready (seen by the watcher) to the second eviction (audit log). */
function reactionMs({ timeline }: ReadyReport, evictedAt: Date[]): number {
  const replaced = timeline[2]?.time ?? new Date(0);
  return (evictedAt[1]?.getTime() ?? Number.MAX_SAFE_INTEGER) - replaced.getTime();
}

describe('a drain', () => {
  it('moves both replicas of a Deployment without budget one after the other, never 0 Ready', async () => {
    const workload = deployment({ name: 'bare', replicas: 2 });
    await createAllOn('node-1', [workload]);
    const { report, evictedAt } = await turnOf('node-1', { name: 'bare', workload });
    expect(ready(report)).toBe('2,1,2,1,2');
    expect(report.outages).toEqual([]);
    expect(evictedAt).toHaveLength(2);
    expect(reactionMs(report, evictedAt)).toBeLessThanOrEqual(1000);
  });

  it('evicts the second pod of a budget within a second of the first replacement being Ready', async () => {
    const workload = deployment({ name: 'kept', replicas: 2 });
    await createAllOn('node-2', [disruptionBudget({ name: 'kept', maxUnavailable: 1 }), workload]);
    const { report, evictedAt } = await turnOf('node-2', { name: 'kept', workload });
    expect(ready(report)).toBe('2,1,2,1,2');
    expect(evictedAt).toHaveLength(2);
    expect(reactionMs(report, evictedAt)).toBeLessThanOrEqual(1000);
  });
});

describe('a budget that never allows', () => {
  const workloads = [
    deployment({ name: 'frozen', replicas: 2, nodes: ['node-1'] }),
    deployment({ name: 'full', replicas: 3, nodes: ['node-2'] }),
  ];
  const budgets = [
    disruptionBudget({ name: 'frozen-budget', of: 'frozen', maxUnavailable: 0 }),
    disruptionBudget({ name: 'full-budget', of: 'full', minAvailable: 3 }),
  ];
  let playbook: string;

  beforeAll(async () => {
    await createReady(cluster.api, [...workloads, ...budgets]);
    playbook = await writePlaybook({ cluster, hosts, name: 'never' });
  });

  it('makes plan exit 3 and name budget, numbers and what to change', async () => {
    const result = await runTurnus(['plan', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 3);
    expect(result.stdout).toMatch(/node-1 .*blocked: budget-never/);
    expect(result.stdout).toMatch(/node-2 .*blocked: budget-never/);
    expect(result.stdout).toMatch(/node-3 .*goes/);
    const sentence = (budget: string, numbers: string, hint: string): RegExp =>
      new RegExp(`PodDisruptionBudget default/${budget} ${numbers}.*\\n +${hint}`);
    expect(result.stdout).toMatch(
      sentence('frozen-budget', 'lets 0 of 2 pods be unavailable', 'Set maxUnavailable: 1'),
    );
    expect(result.stdout).toMatch(
      sentence(
        'full-budget',
        'wants 3 healthy of 3 pods',
        'Replace minAvailable on it by maxUnavailable: 1.*replicas of Deployment default/full to 4',
      ),
    );

    const json = await runTurnus(['plan', '-f', playbook, '-o', 'json'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(json, 3);
    const plan = JSON.parse(json.stdout) as {
      nodes: { node: string; verdict: string; findings: { code: string; severity: string; objects: string[] }[] }[];
    };
    const blocks = plan.nodes.map(({ node, findings }) => ({
      node,
      budgets: findings
        .filter(({ code, severity }) => code === 'budget-never' && severity === 'block')
        .flatMap(({ objects }) => objects.filter((object) => object.startsWith('PodDisruptionBudget '))),
    }));
    expect(blocks).toEqual(
      expect.arrayContaining([
        { node: 'node-1', budgets: ['PodDisruptionBudget default/frozen-budget'] },
        { node: 'node-2', budgets: ['PodDisruptionBudget default/full-budget'] },
        { node: 'node-3', budgets: [] },
      ]),
    );
  });

  it('makes run leave its node untouched and schedulable, take the others, and exit 3', async () => {
    const before = hosts.all().map(({ bootIds }) => bootIds.length);
    const evictedBefore = (await evictions(cluster)).length;
    const updatesBefore = await Promise.all(hosts.all().map((host) => host.counter('updates')));
    const watcher = await startReadyWatcher({ api: cluster.api, workloads });
    const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 3);
    expect((await phasesOf(cluster, 'never')).sort()).toEqual(['node-1 Blocked', 'node-2 Blocked', 'node-3 Done']);
    await waitFor({ what: 'the watcher to see node-3 return', probe: () => lastChange(watcher.nodes().timeline) });
    await watcher.stop();
    expect(new Set(watcher.nodes().timeline.map(({ node }) => node))).toEqual(new Set(['node-3']));
    for (const { metadata, spec } of workloads) {
      expect(ready(watcher.workload(metadata.name))).toBe(String(spec.replicas));
    }
    expect(hosts.all().map(({ bootIds }) => bootIds.length)).toEqual([before[0], before[1], (before[2] ?? 0) + 1]);
    const updates = await Promise.all(hosts.all().map((host) => host.counter('updates')));
    expect(updates).toEqual([updatesBefore[0], updatesBefore[1], (updatesBefore[2] ?? 0) + 1]);
    const evicted = (await evictions(cluster)).slice(evictedBefore).map(({ pod }) => pod);
    expect(evicted.filter((pod) => /frozen|full/.test(pod))).toEqual([]);
    await expectNoMarks(cluster, { lastTurn: ['node-1', 'node-2', 'node-3'] }); // the first two from the turns above
  });
});

function lastChange(timeline: { change: string }[]): boolean {
  return timeline.some(({ change }) => change === 'uncordoned');
}
