import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startDenyingWebhook } from '../denyingWebhook.js';
import { createAllOn } from '../gather.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { updateScript, writePlaybook } from '../playbook.js';
import {
  evictions,
  expectExit,
  expectNoMarks,
  installTurnus,
  phasesOf,
  runOf,
  systemNamespace,
  turnusWrites,
  untilTurn,
} from '../runReport.js';
import { runTurnus, startTurnus } from '../turnus.js';
import type { RunningTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
const started: RunningTurnus[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 4, startMs: 2000 })]);
});

afterEach(async () => {
  for (const turnus of started.splice(0)) {
    turnus.kill('SIGKILL');
    await turnus.exited;
  }
});

afterAll(async () => {
  await cluster.stop();
});

function start(playbook: string): RunningTurnus {
  const turnus = startTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
  started.push(turnus);
  return turnus;
}

async function expectEnd(turnus: RunningTurnus, exitCode: number): Promise<void> {
  expectExit({ exitCode: await turnus.exited, stdout: turnus.stdout(), stderr: turnus.stderr() }, exitCode);
}

const waitingScript = updateScript('until [ -e /srv/host/go ]; do sleep 0.1; done');

async function letGo(node: string): Promise<void> {
  await writeFile(hosts.host(node).pathOnDisk('/srv/host/go'), '');
}

const untilScriptRuns = (node: string, updates: number): Promise<boolean> =>
  waitFor({
    what: `the script on ${node}`,
    timeoutMs: 60_000,
    probe: async () => (await hosts.host(node).counter('updates')) === updates,
  });

describe('Ctrl-C', () => {
  it('during a drain gives the node back and exits 130; the same command goes on', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'interrupted', nodes: ['node-1'] });
    const first = start(playbook);
    await untilTurn(
      { cluster, playbook: 'interrupted', node: 'node-1', what: 'Draining' },
      ({ phase }) => phase === 'Draining',
    );
    first.kill('SIGINT');
    await expectEnd(first, 130);
    expect(await phasesOf(cluster, 'interrupted')).toEqual(['node-1 Pending']);
    await expectNoMarks(cluster, { lastTurn: [] });
    expect(await hosts.host('node-1').counter('updates')).toBe(0);

    const { uid } = await runOf(cluster, 'interrupted');
    await expectEnd(start(playbook), 0);
    expect((await runOf(cluster, 'interrupted')).uid).toBe(uid);
    expect(await hosts.host('node-1').counter('updates')).toBe(1);
  });
});

describe('SIGTERM', () => {
  it('while a script runs leaves the node cordoned and the script running; the same command finishes the turn', async () => {
    const nodes = ['node-2'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'terminated', nodes, script: waitingScript });
    const first = start(playbook);
    await untilScriptRuns('node-2', 1);
    first.kill('SIGTERM');
    await expectEnd(first, 143);
    expect(await phasesOf(cluster, 'terminated')).toEqual(['node-2 Updating']);
    expect((await cluster.api.get({ kind: 'Node', name: 'node-2' })).spec.unschedulable).toBe(true);
    await letGo('node-2');

    await expectEnd(start(playbook), 0);
    expect(await phasesOf(cluster, 'terminated')).toEqual(['node-2 Done']);
    expect(await hosts.host('node-2').counter('updates')).toBe(1);
    expect(hosts.host('node-2').bootIds).toHaveLength(2);
  });
});

describe('a second actor', () => {
  it('with another playbook does nothing and exits 7 while the first is at work', async () => {
    const nodes = ['node-1'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'first', nodes, script: waitingScript });
    const other = await writePlaybook({ cluster, hosts, name: 'second', nodes: ['node-2'] });
    const first = start(playbook);
    await untilScriptRuns('node-1', 2);
    const writesOf = async (): Promise<string[]> =>
      (await turnusWrites(cluster))
        .filter(({ resource }) => resource === 'nodes' || resource === 'pods')
        .map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
    const before = await writesOf();
    const result = await runTurnus(['run', '-f', other, '--yes'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 7);
    expect(result.stderr).toMatch(/holds the lease turnus-system\/turnus; nothing was done/);
    expect(await writesOf()).toEqual(before);
    await letGo('node-1');
    await expectEnd(first, 0);
    expect(await hosts.host('node-1').counter('updates')).toBe(2);
    expect(await hosts.host('node-2').counter('updates')).toBe(1);
  });
});

async function renewedAt(): Promise<number> {
  const lease = await cluster.api.get({ kind: 'Lease', namespace: systemNamespace, name: 'turnus' });
  return Date.parse(lease.spec.renewTime ?? '');
}

describe('Ctrl-C while an eviction hangs in a slow webhook', () => {
  it('waits for its answer; a second one ends at once, and the same command evicts the pod once', async () => {
    const [name, node, namespace] = ['hanging', 'node-1', 'hanging'];
    await cluster.createNamespace(namespace);
    await createAllOn(cluster, node, [deployment({ name: 'guarded', namespace, replicas: 1 })]);
    const [pod] = await cluster.api.list({ kind: 'Pod', namespace });
    const podName = pod?.metadata.name ?? '';
    const hook = { cluster, name: 'slow.example.com', namespace, pod: podName, code: 403, message: 'not yet' };
    const webhook = await startDenyingWebhook(hook);
    webhook.hang();
    const askedBefore = webhook.asked();
    const updates = await hosts.host(node).counter('updates');
    const playbook = await writePlaybook({ cluster, hosts, name, nodes: [node] });
    const first = start(playbook);
    await waitFor({ what: 'the webhook to be asked', timeoutMs: 60_000, probe: () => webhook.asked() > askedBefore });
    first.kill('SIGINT');
    await waitFor({ what: 'the first to be heard', probe: () => first.stderr().includes('SIGINT: stopping') });
    const heardAt = Date.now();
    await waitFor({ what: 'the lease to be renewed all the same', probe: async () => (await renewedAt()) > heardAt });
    expect(first.isRunning()).toBe(true);
    expect(await phasesOf(cluster, name)).toEqual([`${node} Draining`]);
    first.kill('SIGINT');
    await expectEnd(first, 130);
    expect(await phasesOf(cluster, name)).toEqual([`${node} Draining`]);
    await waitFor({ what: 'the API server to give the eviction up', probe: () => webhook.waiting() === 0 });
    webhook.relent();

    await expectEnd(start(playbook), 0);
    expect(await phasesOf(cluster, name)).toEqual([`${node} Done`]);
    const accepted = (await evictions(cluster)).filter((eviction) => eviction.pod === `${namespace}/${podName}`);
    expect(accepted).toHaveLength(1);
    expect(await hosts.host(node).counter('updates')).toBe(updates + 1);
    await cluster.api.delete({ kind: 'Namespace', name: namespace });
  });
});
