import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import { evictions, expectExit, expectNoMarks, installTurnus, phasesOf, runOf, untilTurn } from '../runReport.js';
import type { TurnReport } from '../runReport.js';
import { runTurnus, startTurnus } from '../turnus.js';
import { createReady } from '../waitForReady.js';
import { daemonSet, deployment, disruptionBudget } from '../workloads.js';

/** A step that has just begun, or that is in the middle of what must not be done twice. */
const moments: { what: string; isThere: (turn: TurnReport) => boolean }[] = [
  { what: 'Checking', isThere: hasBegun('Checking') },
  { what: 'Cordoning', isThere: hasBegun('Cordoning') },
  { what: 'Draining', isThere: hasBegun('Draining') },
  { what: 'Draining, with the displaced owners recorded', isThere: ({ displaced }) => displaced !== undefined },
  { what: 'Updating', isThere: hasBegun('Updating') },
  { what: 'Updating, with the job recorded', isThere: ({ jobs }) => jobs?.['update'] !== undefined },
  { what: 'Rebooting', isThere: hasBegun('Rebooting') },
  { what: 'Rebooting, with the reboot recorded', isThere: ({ rebootRequestedAt }) => rebootRequestedAt !== undefined },
  { what: 'Verifying', isThere: hasBegun('Verifying') },
  { what: 'Uncordoning', isThere: hasBegun('Uncordoning') },
  { what: 'Settling', isThere: hasBegun('Settling') },
];
const web = deployment({ name: 'web', replicas: 4, spread: { over: 'node', mode: 'prefer' } });

let cluster: Cluster;
let hosts: Hosts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
  hosts = await startHosts({ cluster, bootDelayMs: 1000 });
  await installTurnus(cluster);
  await createReady(cluster.api, [
    web,
    disruptionBudget({ name: 'web', maxUnavailable: 1 }),
    daemonSet({ name: 'agent' }),
  ]);
});

afterAll(async () => {
  await cluster.stop();
});

describe('a run that is killed in every phase', () => {
  it('is finished all the same: one update and one boot a host, no pod evicted twice, the journal intact', async () => {
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [web] });
    // An actor that dies in the middle of an eviction may leave it allowed and not carried out: the budget counts the pod
    // as gone for two minutes (DeletionTimeout, pkg/controller/disruption/disruption.go).
    const playbook = await writePlaybook({ cluster, hosts, name: 'killed', spec: { drain: { timeout: '5m' } } });
    const journal = join(cluster.directory, 'journal.ndjson');
    const start = (): ReturnType<typeof startTurnus> =>
      startTurnus(['run', '-f', playbook, '--yes', '--journal', journal], { kubeconfig: cluster.kubeconfigPath });
    for (const { what, isThere } of moments) {
      const turnus = start();
      await untilTurn({ cluster, playbook: 'killed', node: 'node-1', what, timeoutMs: 200_000 }, isThere);
      expect(turnus.isRunning(), turnus.stderr()).toBe(true);
      turnus.kill('SIGKILL');
      await turnus.exited;
    }
    const { uid, name } = await runOf(cluster, 'killed');
    const last = start();
    expectExit({ exitCode: await last.exited, stdout: last.stdout(), stderr: last.stderr() }, 0);
    await watcher.stop();

    expect((await runOf(cluster, 'killed')).uid).toBe(uid);
    expect(await phasesOf(cluster, 'killed')).toEqual(['node-1 Done', 'node-2 Done']);
    for (const host of hosts.all()) {
      expect(await host.counter('updates'), host.node).toBe(1);
      expect(host.bootIds, host.node).toHaveLength(2);
    }
    const evicted = (await evictions(cluster)).map(({ pod }) => pod);
    expect(new Set(evicted).size).toBe(evicted.length);
    expect(watcher.nodes().maximumCordoned).toBe(1);
    expect(watcher.workload('web').minimumReady).toBeGreaterThanOrEqual(3);
    await expectNoMarks(cluster, { lastTurn: ['node-1', 'node-2'] });
    const verdict = await runTurnus(['journal', 'verify', journal, '--run', name], {
      kubeconfig: cluster.kubeconfigPath,
    });
    expectExit(verdict, 0);
    expect(verdict.stdout).toContain('The end is proved');
  }, 600_000);
});

function hasBegun(phase: string): (turn: TurnReport) => boolean {
  return ({ steps = [] }) => steps.some((step) => step.phase === phase);
}
