import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { installTurnus } from '../runReport.js';
import { troubleOn } from '../trouble.js';
import type { LeftBehind, Trouble } from '../trouble.js';
import { createReady } from '../waitForReady.js';
import { daemonSet, deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 6, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [
    deployment({ name: 'web', replicas: 6, spread: { over: 'node', mode: 'prefer' } }),
    daemonSet({ name: 'agent' }),
  ]);
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

async function rebootOf(name: string, nodes: [string, string]): Promise<Trouble> {
  return await troubleOn(
    { cluster, hosts, attempts },
    {
      name,
      nodes,
      spec: { host: { reboot: { timeout: '15s' } }, health: { consecutive: 1, timeout: '20s' } },
    },
  );
}

/** The host was asked to reboot, and its node stays cordoned. */
const leftRebooting: Omit<LeftBehind, 'says' | 'boots'> = {
  code: 'boot-not-proved',
  phase: 'Rebooting',
  node: 'cordoned',
  host: 'touched',
};

describe('a host that was asked to reboot', () => {
  it('and does not come back is left cordoned; once it is switched on, retry finishes without another reboot', async () => {
    const trouble = await rebootOf('dark', ['node-1', 'node-2']);
    await trouble.host.setOnReboot('never-returns');
    await trouble.expectFailed(trouble.start(), { ...leftRebooting, says: /did not come back within 15 ?s/, boots: 1 });
    expect(trouble.host.isOn).toBe(false);

    await trouble.host.setOnReboot('normal');
    await trouble.host.powerOn();
    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 2 });
  });

  it('and comes back with its old boot id is left cordoned; retry takes the boot that a person made', async () => {
    const trouble = await rebootOf('same', ['node-3', 'node-4']);
    await trouble.host.setOnReboot('same-boot-id');
    await trouble.expectFailed(trouble.start(), { ...leftRebooting, says: /still answers from the boot/, boots: 1 });

    await trouble.host.setOnReboot('normal');
    await trouble.host.powerCut();
    await trouble.host.powerOn();
    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 2 });
  });

  it('and says yes but does nothing is left cordoned; retry asks it to reboot once more', async () => {
    const trouble = await rebootOf('ignored', ['node-5', 'node-6']);
    await trouble.host.setOnReboot('ignored');
    await trouble.expectFailed(trouble.start(), { ...leftRebooting, says: /still answers from the boot/, boots: 1 });

    await trouble.host.setOnReboot('normal');
    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 2 });
  });
});
