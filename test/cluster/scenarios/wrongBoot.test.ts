import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { updateScript } from '../playbook.js';
import { installTurnus } from '../runReport.js';
import { troubleOn } from '../trouble.js';
import type { LeftBehind, Trouble } from '../trouble.js';
import { createReady } from '../waitForReady.js';
import { daemonSet, deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 4, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [
    deployment({ name: 'web', replicas: 4, spread: { over: 'node', mode: 'prefer' } }),
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

async function rebootOf(name: string, nodes: [string, string], script?: string): Promise<Trouble> {
  return await troubleOn(
    { cluster, hosts, attempts },
    {
      name,
      nodes,
      ...(script === undefined ? {} : { script }),
      spec: { host: { reboot: { timeout: '20s' } }, health: { consecutive: 1, timeout: '20s' } },
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
  it('and whose kubelet does not come back is left cordoned; once it runs, retry finishes', async () => {
    const trouble = await rebootOf('kubelet', ['node-3', 'node-4']);
    await trouble.host.setOnReboot('kubelet-stays-down');
    await trouble.expectFailed(trouble.start(), { ...leftRebooting, says: /kubelet does not run/, boots: 2 });

    await trouble.host.setOnReboot('normal');
    await trouble.host.releaseKubelet();
    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 2 });
  });
});

describe('a host that boots its old kernel', () => {
  const newKernel = '6.1.0-41-amd64';

  async function bootKernel(node: string): Promise<void> {
    const body = { status: { nodeInfo: { kernelVersion: newKernel } } };
    await cluster.api.patch({ kind: 'Node', name: node }, { body, type: 'strategic', subresource: 'status' });
  }

  it('is left cordoned, with both versions named; retry finishes once a person has booted the new one', async () => {
    const script = updateScript('').replace(
      'echo changed=yes',
      `echo changed=yes; echo version.kernel.after=${newKernel}`,
    );
    await bootKernel('node-2');
    const trouble = await rebootOf('kernel', ['node-1', 'node-2'], script);
    await trouble.expectFailed(trouble.start(), {
      ...leftRebooting,
      code: 'old-kernel',
      says: /6\.1\.0-40-amd64.*6\.1\.0-41-amd64|6\.1\.0-41-amd64.*6\.1\.0-40-amd64/,
      boots: 2,
    });

    await trouble.host.powerCut();
    await bootKernel('node-1');
    await trouble.host.powerOn();
    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 3 });
    expect((await trouble.turn()).bootIdAfter).toBe(trouble.host.bootId);
  });
});
