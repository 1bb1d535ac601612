import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { updateScript, writePlaybook } from '../playbook.js';
import { evictions, expectExit, expectNoMarks, installTurnus, phasesOf, turnsOf, turnusWrites } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let nodeWritesBefore: number;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 3 })]);
});

beforeEach(async () => {
  nodeWritesBefore = (await writesToNodesAndPods()).length;
});

afterAll(async () => {
  await cluster.stop();
});

async function writesToNodesAndPods(): Promise<string[]> {
  return (await turnusWrites(cluster))
    .filter(({ resource }) => resource === 'nodes' || resource === 'pods')
    .map(({ verb, resource, subresource, name }) => `${verb} ${resource} ${name} ${subresource}`);
}

async function expectNothingTouched(nodes: string[]): Promise<void> {
  expect((await writesToNodesAndPods()).slice(nodeWritesBefore)).toEqual([]);
  for (const node of nodes) {
    expect(await hosts.host(node).counter('updates')).toBe(0);
    expect(hosts.host(node).bootIds).toHaveLength(1);
  }
  await expectNoMarks(cluster, { lastTurn: [] });
}

/** Exchanges two nodes' InternalIP, as a mistake in DHCP or inventory would. */
async function swapAddresses(one: string, other: string): Promise<void> {
  const api = cluster.api;
  const nodes = await Promise.all([one, other].map((name) => api.get({ kind: 'Node', name })));
  const addressOf = (index: number): string =>
    nodes[index]?.status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
  for (const [name, address] of [
    [one, addressOf(1)],
    [other, addressOf(0)],
  ] as const) {
    await api.patch(
      { kind: 'Node', name },
      { type: 'strategic', subresource: 'status', body: { status: { addresses: [{ type: 'InternalIP', address }] } } },
    );
  }
}

describe('a host that is not the one it should be', () => {
  it('is not touched when it shows another key than the known one; exit 3', async () => {
    const wrong = join(cluster.directory, 'wrong_known_hosts');
    const [pattern = ''] = hosts.host('node-1').knownHostsLine.split(' ');
    await writeFile(wrong, `${pattern} ${hosts.host('node-2').hostPublicKey}\n`);
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'wrong-key',
      nodes: ['node-1'],
      spec: { host: { ssh: { knownHosts: { path: wrong } } } },
    });
    const plan = await runTurnus(['plan', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expectExit(plan, 3);
    expect(plan.stdout).toContain('host-key-mismatch');
    const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 3);
    expect(await phasesOf(cluster, 'wrong-key')).toEqual(['node-1 Blocked']);
    expect((await turnsOf(cluster, 'wrong-key'))[0]?.findings?.map(({ code }) => code)).toContain('host-key-mismatch');
    await expectNothingTouched(['node-1']);
  });

  it('is not touched when the addresses of two nodes are swapped; exit 3', async () => {
    await swapAddresses('node-1', 'node-2');
    const playbook = await writePlaybook({ cluster, hosts, name: 'swapped', nodes: ['node-1', 'node-2'] });
    const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 3);
    expect(await phasesOf(cluster, 'swapped')).toEqual(['node-1 Blocked', 'node-2 Blocked']);
    for (const turn of await turnsOf(cluster, 'swapped')) {
      expect(turn.findings?.map(({ code }) => code)).toContain('host-is-not-node');
    }
    await expectNothingTouched(['node-1', 'node-2']);
    await swapAddresses('node-1', 'node-2');
  });
});

describe('a script that exits 1', () => {
  it('leaves its node cordoned, stops the run, and makes it exit 4', async () => {
    const script = updateScript('echo the mirror is broken; exit 1');
    const playbook = await writePlaybook({ cluster, hosts, name: 'fails', script });
    const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 4);
    expect(await phasesOf(cluster, 'fails')).toEqual(['node-1 Failed', 'node-2 Pending', 'node-3 Pending']);
    const [turn] = await turnsOf(cluster, 'fails');
    expect(turn).toMatchObject({ jobs: { update: { state: 'exited', exitCode: 1 } } });
    expect(turn?.message).toMatch(/exit code 1.*the mirror is broken/s);
    expect(result.stderr).toContain('the mirror is broken');
    const node = await cluster.api.get({ kind: 'Node', name: 'node-1' });
    expect(node.spec.unschedulable).toBe(true);
    expect(node.metadata.annotations).toHaveProperty('turnus.dev/cordoned-by');
    expect(hosts.host('node-1').bootIds).toHaveLength(1);
    for (const name of ['node-2', 'node-3']) {
      expect(await hosts.host(name).counter('updates')).toBe(0);
      expect((await cluster.api.get({ kind: 'Node', name })).spec.unschedulable).toBeUndefined();
    }
  });

  it('is not run again by the same command: a person has to look first', async () => {
    const evicted = await evictions(cluster);
    const result = await runTurnus(['run', '-f', join(cluster.directory, 'fails.yaml'), '--yes'], {
      kubeconfig: cluster.kubeconfigPath,
    });
    expectExit(result, 4);
    expect(result.stderr).toContain('node-1');
    expect(await hosts.host('node-1').counter('updates')).toBe(1);
    expect(await evictions(cluster)).toEqual(evicted);
    expect((await cluster.api.get({ kind: 'Node', name: 'node-1' })).spec.unschedulable).toBe(true);
  });
});
