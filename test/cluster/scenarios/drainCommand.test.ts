import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectEnd, interrupt, untilPodsLeave } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { createAllOn } from '../gather.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { CommandResult } from '../runCommand.js';
import { evictions, expectExit, installTurnus, systemNamespace, turnusRequests, turnusWrites } from '../runReport.js';
import { runTurnus, startTurnus } from '../turnus.js';
import type { RunningTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { deployment, disruptionBudget } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
const started: RunningTurnus[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
  hosts = await startHosts({ cluster, nodes: [] });
});

afterEach(async () => {
  for (const turnus of started.splice(0)) {
    turnus.kill('SIGKILL');
    await turnus.exited;
  }
  for (const name of cluster.nodeNames) {
    await cluster.api.patch(
      { kind: 'Node', name },
      { body: { spec: { unschedulable: null }, metadata: { annotations: { [mark]: null } } } },
    );
  }
  await emptyShop();
});

afterAll(async () => {
  await cluster.stop();
});

/** A namespace for each test: the old one takes a while to go. */
let shop = 'shop-0';

async function emptyShop(): Promise<void> {
  await cluster.api.delete({ kind: 'Namespace', name: shop });
  const pods = { kind: 'Pod', namespace: shop } as const;
  await waitFor({
    what: `no pod in ${shop}`,
    probe: async () => {
      const left = await cluster.api.list(pods);
      for (const { metadata } of left) {
        await cluster.api.delete({ ...pods, name: metadata.name }, { gracePeriodSeconds: 0 });
      }
      return left.length === 0;
    },
  });
}

beforeEach(async () => {
  shop = `shop-${String(Number(shop.slice('shop-'.length)) + 1)}`;
  await cluster.createNamespace(shop);
});

const mark = 'turnus.dev/cordoned-by';

async function drain(node: string, ...args: string[]): Promise<CommandResult> {
  return await runTurnus(['drain', node, ...args], { kubeconfig: cluster.kubeconfigPath });
}

function start(node: string, ...args: string[]): RunningTurnus {
  const turnus = startTurnus(['drain', node, ...args], { kubeconfig: cluster.kubeconfigPath });
  started.push(turnus);
  return turnus;
}

/** Gathers both replicas of a Deployment on a node. */
async function gathered(node: string, options: { stopMs?: number; maxUnavailable?: number } = {}): Promise<void> {
  const { stopMs = 500, maxUnavailable = 1 } = options;
  await createAllOn(cluster, node, [
    deployment({ name: 'web', namespace: shop, replicas: 2, stopMs }),
    disruptionBudget({ name: 'web', namespace: shop, maxUnavailable }),
  ]);
}

async function cordonOf(name: string): Promise<{ cordoned: boolean; mark: string | undefined }> {
  const { spec, metadata } = await cluster.api.get({ kind: 'Node', name });
  return { cordoned: spec.unschedulable ?? false, mark: metadata.annotations?.[mark] };
}

async function nodesOfPods(): Promise<string[]> {
  const pods = await cluster.api.list({ kind: 'Pod', namespace: shop });
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ spec }) => spec.nodeName ?? '');
}

/** The requests of Turnus that changed something, as long as the callback runs. */
async function writesDuring(act: () => Promise<unknown>): Promise<number> {
  const before = (await turnusWrites(cluster)).length;
  await act();
  return (await turnusWrites(cluster)).length - before;
}

describe('turnus drain, where Turnus is not installed', () => {
  it('empties the node as its budgets allow, says that no lease is held, and leaves it cordoned', async () => {
    await gathered('node-1');
    const workload = deployment({ name: 'web', namespace: shop, replicas: 2 });
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [workload] });
    const journal = join(cluster.directory, 'drain.ndjson');
    const end = await drain('node-1', '--journal', journal);
    await watcher.stop();
    expectExit(end, 0);
    expect(end.stderr).toContain('Turnus is not installed in this cluster');
    expect(end.stderr).toContain('Node node-1 is drained: 2 pods evicted.');
    expect(end.stderr).toContain('kubectl uncordon node-1');
    expect(watcher.workload('web', shop).timeline.map(({ ready }) => ready)).toEqual([2, 1, 2, 1, 2]);
    expect(await nodesOfPods()).not.toContain('node-1');
    expect(await cordonOf('node-1')).toEqual({ cordoned: true, mark: 'drain/admin' });
    expect((await turnusRequests(cluster)).filter(({ resource }) => resource === 'leases')).toEqual([]);

    const types = (await readFile(journal, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual(
      expect.arrayContaining(['drain.requested', 'gate.checked', 'node.cordoned', 'pod.gone', 'drain.finished']),
    );
    expectExit(await runTurnus(['journal', 'verify', journal]), 0);
  });

  it('goes on where its own cordon is, and says that it is empty already', async () => {
    await gathered('node-1');
    expectExit(await drain('node-1'), 0);
    const end = await drain('node-1');
    expectExit(end, 0);
    expect(end.stderr).toContain('0 pods evicted');
    expect(await cordonOf('node-1')).toEqual({ cordoned: true, mark: 'drain/admin' });
  });
});

describe('turnus drain --dry-run', () => {
  it('prints what would leave in which order, and changes nothing', async () => {
    await gathered('node-1');
    let end: CommandResult | undefined;
    expect(await writesDuring(async () => (end = await drain('node-1', '--dry-run')))).toBe(0);
    expectExit(end as CommandResult, 0);
    expect(end?.stdout).toMatch(/^Node node-1 .*can be drained now: 2 pods to evict/);
    expect(end?.stdout).toMatch(new RegExp(`^1 +${shop}/web-\\S+ +ReplicaSet web-.*\\n2 +${shop}/web-`, 'm'));
    expect(end?.stdout).toContain('Nothing was changed.');
    expect(await cordonOf('node-1')).toEqual({ cordoned: false, mark: undefined });
  });

  it('ends with 3 and names the budget where it is blocked; so does the drain, which touches nothing', async () => {
    await gathered('node-2', { maxUnavailable: 0 });
    const writes = await writesDuring(async () => {
      const preview = await drain('node-2', '--dry-run');
      expectExit(preview, 3);
      expect(preview.stdout).toContain('block budget-never (node-2)');
      const end = await drain('node-2');
      expectExit(end, 3);
      expect(end.stderr).toContain(`PodDisruptionBudget ${shop}/web`);
      expect(end.stderr).toContain('Node node-2 is not drained and takes pods as before; 0 pods were evicted.');
    });
    expect(writes).toBe(0);
    expect(await nodesOfPods()).toEqual(['node-2', 'node-2']);
  });

  it('ends with 2 for a node that is not there, and names those that are', async () => {
    const end = await drain('node-9', '--dry-run');
    expectExit(end, 2);
    expect(end.stderr).toContain('Did you mean ');
  });
});

describe('turnus drain, where Turnus is installed', () => {
  beforeAll(async () => {
    await installTurnus(cluster);
  });

  it('does nothing and ends with 7 while somebody else holds the lease', async () => {
    await gathered('node-1');
    const lease = { kind: 'Lease', namespace: systemNamespace, name: 'turnus' } as const;
    const spec = () => ({
      holderIdentity: 'anna@desk/1',
      leaseDurationSeconds: 15,
      renewTime: new Date().toISOString().replace('Z', '000Z'),
    });
    await cluster.api.create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: lease.name, namespace: lease.namespace },
      spec: spec(),
    });
    const before = (await evictions(cluster)).length;
    const turnus = start('node-1');
    await waitFor({
      what: 'the end of the call, while the other renews its lease',
      timeoutMs: 60_000,
      intervalMs: 500,
      probe: async () => {
        await cluster.api.patch(lease, { body: { spec: spec() } });
        return !turnus.isRunning();
      },
    });
    await expectEnd(turnus, 7);
    expect(turnus.stderr()).toContain(
      'anna@desk/1 is at work in this cluster and holds the lease turnus-system/turnus',
    );
    expect(await evictions(cluster)).toHaveLength(before);
    expect(await cordonOf('node-1')).toEqual({ cordoned: false, mark: undefined });
    await cluster.api.delete(lease);
  });

  it("drains a node that a person has cordoned, and leaves that person's cordon as it was", async () => {
    await gathered('node-1');
    await cluster.api.patch({ kind: 'Node', name: 'node-1' }, { body: { spec: { unschedulable: true } } });
    const end = await drain('node-1');
    expectExit(end, 0);
    expect(end.stderr).toContain('It stays cordoned, as it was before.');
    expect(await nodesOfPods()).not.toContain('node-1');
    expect(await cordonOf('node-1')).toEqual({ cordoned: true, mark: undefined });
    const { spec } = await cluster.api.get({ kind: 'Lease', namespace: systemNamespace, name: 'turnus' });
    expect(spec.holderIdentity ?? '').toBe('');
  });

  it('refuses a node that is in the hands of a run, and a run one that is in those of a drain', async () => {
    await gathered('node-1');
    await cluster.api.patch(
      { kind: 'Node', name: 'node-1' },
      { body: { spec: { unschedulable: true }, metadata: { annotations: { [mark]: 'monthly-2026-11' } } } },
    );
    const end = await drain('node-1');
    expectExit(end, 3);
    expect(end.stderr).toContain('Node node-1 is cordoned by run monthly-2026-11');
    expect(await cordonOf('node-1')).toEqual({ cordoned: true, mark: 'monthly-2026-11' });
    expect(await nodesOfPods()).toEqual(['node-1', 'node-1']);

    expectExit(await drain('node-2'), 0);
    const playbook = await writePlaybook({ cluster, hosts, nodes: ['node-2'] });
    const plan = await runTurnus(['plan', '-f', playbook, '--rehearse'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(plan, 3);
    expect(plan.stdout).toContain('Node node-2 is cordoned by turnus drain of admin');
  });

  it('gives the node back at Ctrl-C, and at the timeout of the playbook', async () => {
    await gathered('node-1', { stopMs: 60_000 });
    const interrupted = start('node-1');
    await untilPodsLeave(cluster, 'node-1');
    await interrupt(interrupted);
    expect(interrupted.stderr()).toContain('Node node-1 is not drained and takes pods as before');
    expect(await cordonOf('node-1')).toEqual({ cordoned: false, mark: undefined });

    const playbook = await writePlaybook({ cluster, hosts, spec: { drain: { timeout: '2s' } } });
    const end = await drain('node-1', '-f', playbook);
    expectExit(end, 3);
    expect(end.stderr).toMatch(new RegExp(`did not end within its timeout; it waited for: .*${shop}/web-`));
    expect(await cordonOf('node-1')).toEqual({ cordoned: false, mark: undefined });
    const { spec } = await cluster.api.get({ kind: 'Lease', namespace: systemNamespace, name: 'turnus' });
    expect(spec.holderIdentity ?? '').toBe('');
  });
});
