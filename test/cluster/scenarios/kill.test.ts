import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { updateScript, writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { evictions, expectExit, expectNoMarks, installTurnus, phasesOf, runOf, untilTurn } from '../runReport.js';
import { runTurnus, startTurnus } from '../turnus.js';
import type { RunningTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment, disruptionBudget } from '../workloads.js';

const web = deployment({ name: 'web', replicas: 6, stopMs: 2500, spread: { over: 'node', mode: 'prefer' } });

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
/** Updates and boots of each host before the test. */
let before: Map<string, { updates: number; boots: number }>;
const started: RunningTurnus[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 4 });
  hosts = await startHosts({ cluster, bootDelayMs: 1500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [web, disruptionBudget({ name: 'web', maxUnavailable: 1 })]);
  watcher = await startReadyWatcher({ api: cluster.api, workloads: [web] });
});

beforeEach(async () => {
  const counts = await Promise.all(
    hosts.all().map(async (host) => {
      return [host.node, { updates: await host.counter('updates'), boots: host.bootIds.length }] as const;
    }),
  );
  before = new Map(counts);
});

afterEach(async () => {
  for (const turnus of started.splice(0)) {
    turnus.kill('SIGKILL');
    await turnus.exited;
  }
});

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

interface Attempt {
  playbook: string;
  /** The name of the playbook, by which its run is found. */
  name: string;
}

function start({ playbook, name }: Attempt): RunningTurnus {
  const journal = join(cluster.directory, `${name}.ndjson`);
  const turnus = startTurnus(['run', '-f', playbook, '--yes', '--journal', journal], {
    kubeconfig: cluster.kubeconfigPath,
  });
  started.push(turnus);
  return turnus;
}

async function kill(turnus: RunningTurnus): Promise<void> {
  expect(turnus.isRunning(), turnus.stderr()).toBe(true);
  turnus.kill('SIGKILL');
  await turnus.exited;
}

async function toItsEnd(turnus: RunningTurnus): Promise<void> {
  const exitCode = await turnus.exited;
  expectExit({ exitCode, stdout: turnus.stdout(), stderr: turnus.stderr() }, 0);
}

/** All that must hold after a run that was killed and started again, whatever the moment was. */
async function expectFinishedOnce({ name }: Attempt, run: { uid: string; nodes: string[] }): Promise<void> {
  expect((await runOf(cluster, name)).uid).toBe(run.uid);
  expect(await phasesOf(cluster, name)).toEqual(run.nodes.map((node) => `${node} Done`));
  for (const node of run.nodes) {
    const host = hosts.host(node);
    const { updates = 0, boots = 0 } = before.get(node) ?? {};
    expect(await host.counter('updates'), `updates of ${node}`).toBe(updates + 1);
    expect(host.bootIds.length, `boots of ${node}`).toBe(boots + 1);
  }
  const evicted = (await evictions(cluster)).map(({ pod }) => pod);
  expect(new Set(evicted).size).toBe(evicted.length);
  expect(watcher.nodes().maximumCordoned).toBe(1);
  expect(watcher.workload('web').minimumReady).toBeGreaterThanOrEqual(5);
  const marked = await nodesWithLastTurn();
  expect(marked).toEqual(expect.arrayContaining(run.nodes));
  await expectNoMarks(cluster, { lastTurn: marked });
  const verdict = await runTurnus(
    [
      ...['journal', 'verify', join(cluster.directory, `${name}.ndjson`)],
      ...['--run', (await runOf(cluster, name)).name],
    ],
    { kubeconfig: cluster.kubeconfigPath },
  );
  expectExit(verdict, 0);
  expect(verdict.stdout).not.toContain('not proved');
}

async function nodesWithLastTurn(): Promise<string[]> {
  const nodes = await cluster.api.list({ kind: 'Node' });
  return nodes
    .filter(({ metadata }) => metadata.annotations?.['turnus.dev/last-turn'] !== undefined)
    .map(({ metadata }) => metadata.name);
}

async function terminatingPods(node: string): Promise<string[]> {
  const pods = await cluster.api.list({ kind: 'Pod', fieldSelector: `spec.nodeName=${node}` });
  return pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).map(({ metadata }) => metadata.name);
}

/** Lets scripts that wait for it go on; it stays for later executions on that host. */
async function letGo(node: string): Promise<void> {
  await writeFile(hosts.host(node).pathOnDisk('/srv/host/go'), '');
}

const waitingScript = updateScript('until [ -e /srv/host/go ]; do sleep 0.1; done; echo >> /srv/host/ended ended');

describe('kill -9 and the same command again', () => {
  it('goes on with a drain where it was, and evicts no pod twice', async () => {
    const nodes = ['node-1', 'node-2'];
    const attempt = { name: 'drain', playbook: await writePlaybook({ cluster, hosts, name: 'drain', nodes }) };
    const first = start(attempt);
    await untilTurn(
      { cluster, playbook: 'drain', node: 'node-1', what: 'Draining' },
      ({ phase }) => phase === 'Draining',
    );
    await waitFor({ what: 'a pod that ends', probe: async () => (await terminatingPods('node-1')).length > 0 });
    await kill(first);
    const { uid } = await runOf(cluster, 'drain');
    expect(await phasesOf(cluster, 'drain')).toEqual(['node-1 Draining', 'node-2 Pending']);
    expect(await hosts.host('node-1').counter('updates')).toBe(before.get('node-1')?.updates);

    await toItsEnd(start(attempt));
    await expectFinishedOnce(attempt, { uid, nodes });
  });

  it('finds the job that it had started: one that still runs, and one that ended while nobody watched', async () => {
    const nodes = ['node-2', 'node-3'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'job', nodes, script: waitingScript });
    const attempt = { name: 'job', playbook };
    const updates = (node: string): number => before.get(node)?.updates ?? 0;
    const order = ['node-3', 'node-2']; // node-2 had a turn before

    const first = start(attempt);
    const untilCounted = (node: string): Promise<boolean> =>
      waitFor({
        what: `the script on ${node}`,
        timeoutMs: 60_000,
        probe: async () => (await hosts.host(node).counter('updates')) === updates(node) + 1,
      });
    await untilCounted('node-3');
    await kill(first);
    const { uid } = await runOf(cluster, 'job');
    const actor = (await untilTurn({ cluster, playbook: 'job', node: 'node-3', what: 'there' }, () => true)).actor;

    const second = start(attempt);
    await untilTurn(
      { cluster, playbook: 'job', node: 'node-3', what: 'taken over' },
      (turn) => turn.phase === 'Updating' && turn.actor !== actor,
    );
    await letGo('node-3');
    await untilCounted('node-2');
    await kill(second);
    await letGo('node-2');
    await waitFor({
      what: 'the end of the script on node-2',
      probe: async () => (await hosts.host('node-2').counter('ended')) === 1,
    });

    await toItsEnd(start(attempt));
    await expectFinishedOnce(attempt, { uid, nodes: order });
  });

  it('does not reboot a host twice, whether the request was on its way or the host was down already', async () => {
    const nodes = ['node-1', 'node-4'];
    const attempt = { name: 'reboot', playbook: await writePlaybook({ cluster, hosts, name: 'reboot', nodes }) };
    const order = ['node-4', 'node-1'];
    const first = start(attempt);
    await untilTurn(
      { cluster, playbook: 'reboot', node: 'node-4', what: 'a reboot requested' },
      ({ rebootRequestedAt }) => rebootRequestedAt !== undefined,
    );
    await kill(first);
    const { uid } = await runOf(cluster, 'reboot');

    const second = start(attempt);
    await waitFor({
      what: 'node-1 down',
      timeoutMs: 90_000,
      intervalMs: 10,
      probe: () => !hosts.host('node-1').isOn,
    });
    await kill(second);
    expect(await phasesOf(cluster, 'reboot')).toEqual(['node-4 Done', 'node-1 Rebooting']);

    await toItsEnd(start(attempt));
    await expectFinishedOnce(attempt, { uid, nodes: order });
  });
});
