import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import type { CommandResult } from '../runCommand.js';
import {
  evictions,
  expectExit,
  expectNoMarks,
  installTurnus,
  phasesOf,
  runOf,
  turnsOf,
  turnusRequests,
  turnusWrites,
} from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { createReady } from '../waitForReady.js';
import { daemonSet, deployment, disruptionBudget, job, statefulSet } from '../workloads.js';

/** Each with the fewest Ready pods that its budget, or the half that the playbook keeps, allows. */
const replicated = [
  { workload: deployment({ name: 'pair', replicas: 2 }), fewest: 1 },
  { workload: deployment({ name: 'triple', replicas: 3, localData: 'emptyDir' }), fewest: 2 },
  { workload: deployment({ name: 'ten', replicas: 10, spread: { over: 'zone', mode: 'prefer' } }), fewest: 8 },
  { workload: deployment({ name: 'unprotected', replicas: 10 }), fewest: 5 },
  { workload: statefulSet({ name: 'database', replicas: 3, onePerNode: true, stopMs: 1500 }), fewest: 2 },
  { workload: statefulSet({ name: 'cache', replicas: 2, podManagementPolicy: 'Parallel' }), fewest: 1 },
];
const budgets = [
  disruptionBudget({ name: 'triple', maxUnavailable: 1 }),
  disruptionBudget({ name: 'ten', minAvailable: '75%', unhealthyPodEvictionPolicy: 'AlwaysAllow' }),
  disruptionBudget({ name: 'database', minAvailable: 2 }),
  disruptionBudget({ name: 'cache', maxUnavailable: '50%', unhealthyPodEvictionPolicy: 'IfHealthyBudget' }),
];
const names = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5', 'node-6'];

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
let bootIdsBefore: string[];
let agentsBefore: string[];
let result: CommandResult;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 6, zones: 3 });
  hosts = await startHosts({ cluster, bootDelayMs: 1000 });
  await installTurnus(cluster);
  const workloads = replicated.map(({ workload }) => workload);
  await createReady(cluster.api, [...workloads, ...budgets, daemonSet({ name: 'agent' })]);
  bootIdsBefore = hosts.all().map(({ bootId }) => bootId);
  agentsBefore = await podUids('app=agent');
  watcher = await startReadyWatcher({ api: cluster.api, workloads });
  // On the node whose turn is first, so that its drain has to wait for it.
  await createReady(cluster.api, [job({ name: 'report', nodes: ['node-1'], runForMs: 12_000, backoffLimit: 0 })]);

  const playbook = await writePlaybook({ cluster, hosts });
  result = await runTurnus(['run', '-f', playbook, '--yes', '--change', 'CHG-1', '--reason', 'monthly'], {
    kubeconfig: cluster.kubeconfigPath,
  });
}, 300_000);

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

async function podUids(labelSelector: string): Promise<string[]> {
  const pods = await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector });
  return pods.map(({ metadata }) => metadata.uid ?? '').sort();
}

describe('a month on six nodes in three zones', () => {
  it('ends with exit code 0 and every turn Done, zone after zone in turn', async () => {
    expectExit(result, 0);
    expect(await phasesOf(cluster)).toEqual(names.map((name) => `${name} Done`));
    expect(await runOf(cluster)).toMatchObject({
      spec: { requester: 'admin', rehearsal: false, change: 'CHG-1', reason: 'monthly' },
      status: { phase: 'Completed', counts: { total: 6, done: 6, failed: 0, blocked: 0, left: 0 } },
    });
  });

  it('never has more than one node out of service', () => {
    expect(watcher.nodes()).toMatchObject({ maximumCordoned: 1, maximumUnavailable: 1 });
    const cordoned = watcher.nodes().timeline.filter(({ change }) => change === 'cordoned');
    expect(cordoned.map(({ node }) => node)).toEqual(names);
  });

  it.each(replicated)('never leaves $workload.metadata.name with fewer than $fewest Ready', ({ workload, fewest }) => {
    const report = watcher.workload(workload.metadata.name);
    expect(report.outages).toEqual([]);
    expect(report.minimumReady).toBeGreaterThanOrEqual(fewest);
  });

  it('has every workload back at its replicas', async () => {
    for (const { workload } of replicated) {
      const { kind, metadata, spec } = workload;
      const { status } = await cluster.api.get({ kind, name: metadata.name, namespace: 'default' });
      expect(status?.readyReplicas, metadata.name).toBe(spec.replicas);
    }
  });

  it('runs the update exactly once on each host and proves a new boot on each', async () => {
    for (const [index, host] of hosts.all().entries()) {
      expect(await host.counter('updates'), host.node).toBe(1);
      expect(host.bootIds, host.node).toEqual([bootIdsBefore[index], host.bootId]);
      const { status } = await cluster.api.get({ kind: 'Node', name: host.node });
      expect(status.nodeInfo.bootID).toBe(host.bootId);
    }
    const turns = await turnsOf(cluster);
    expect(turns.map(({ bootIdBefore }) => bootIdBefore)).toEqual(bootIdsBefore);
    expect(turns.map(({ bootIdAfter }) => bootIdAfter)).toEqual(hosts.all().map(({ bootId }) => bootId));
  });

  it('lets the Job finish before it touches its node', async () => {
    const { status } = await cluster.api.get({ kind: 'Job', name: 'report' });
    expect(status).toMatchObject({ succeeded: 1 });
    expect(status?.failed ?? 0).toBe(0);
  });

  it('evicts each pod at most once, deletes nothing, and leaves the DaemonSet alone', async () => {
    expect(await podUids('app=agent')).toEqual(agentsBefore);
    const evicted = (await evictions(cluster)).map(({ pod }) => pod);
    // The pods of a StatefulSet keep their names when they move.
    const once = evicted.filter((pod) => !/\/(database|cache)-\d$/.test(pod));
    expect(new Set(once).size).toBe(once.length);
    expect(evicted.filter((pod) => /\/(agent|report)-/.test(pod))).toEqual([]);
    const requests = await turnusRequests(cluster);
    expect(requests.filter(({ verb }) => verb.startsWith('delete'))).toEqual([]);
    expect(requests.filter(({ code }) => code === 403)).toEqual([]);
  });

  it('leaves no mark but the last turn', async () => {
    await expectNoMarks(cluster, { lastTurn: names });
    const run = await runOf(cluster);
    for (const node of await cluster.api.list({ kind: 'Node' })) {
      const mark = JSON.parse(node.metadata.annotations?.['turnus.dev/last-turn'] ?? '{}') as { run?: string };
      expect(mark.run).toBe(run.name);
    }
  });

  it('tells about the phases in events of nodes', async () => {
    const events = await cluster.api.list({ kind: 'Event', namespace: 'default' });
    const reasons = events
      .filter(({ involvedObject }) => involvedObject.kind === 'Node' && involvedObject.name === 'node-1')
      .map(({ reason }) => reason);
    expect(reasons).toEqual(expect.arrayContaining(['Cordoning', 'Draining', 'Updating', 'Rebooting', 'TurnDone']));
  });

  it('does nothing more when it is started again in the same month', async () => {
    const { uid } = await runOf(cluster);
    const before = await evictions(cluster);
    const patched = async () =>
      (await turnusWrites(cluster)).filter(({ resource }) => resource === 'nodes').map(({ name }) => name);
    const patchedBefore = await patched();
    const again = await runTurnus(['run', '-f', `${cluster.directory}/monthly.yaml`, '--yes'], {
      kubeconfig: cluster.kubeconfigPath,
    });
    expectExit(again, 0);
    expect((await runOf(cluster)).uid).toBe(uid);
    expect(await evictions(cluster)).toEqual(before);
    for (const host of hosts.all()) expect(await host.counter('updates')).toBe(1);
    expect(await patched()).toEqual(patchedBefore);
    // Cordon and uncordon; those that come after the first carry the taint in between.
    expect(patchedBefore.filter((name) => name === 'node-1')).toHaveLength(2);
    expect(patchedBefore.length).toBeLessThanOrEqual(4 * names.length);
  });
});
