import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { turnusHostScript } from '../../../src/host/turnusHost.js';
import { defaultHostLayout } from '../../../src/host/jobDirectory.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { countingUpdate, writePlaybook } from '../playbook.js';
import { expectExit, installTurnus, phasesOf } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import type { CommandResult } from '../runCommand.js';

/** Where the hosts have their own disk; on a real one it is /usr/local/sbin and /etc/turnus/scripts. */
const program = '/srv/turnus-host';
const scripts = '/srv/scripts';

let cluster: Cluster;
let hosts: Hosts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 2, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  for (const host of hosts.all()) {
    const text = turnusHostScript({ layout: defaultHostLayout, scripts, owner: 0 });
    await writeFile(host.pathOnDisk(program), text, { mode: 0o755 });
    await mkdir(host.pathOnDisk(scripts));
    await host.restrictLogin(program);
  }
});

afterAll(async () => {
  await cluster.stop();
});

async function run(playbook: string): Promise<CommandResult> {
  return await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
}

describe('a key that may start installed scripts only, by a real sshd', () => {
  it('keeps a node in service whose host has not got the script of the playbook', async () => {
    await writeFile(join(hosts.host('node-1').pathOnDisk(scripts), 'first.sh'), '#!/bin/sh\ntrue\n', { mode: 0o755 });
    const spec = { host: { ssh: { restricted: true } } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'first', nodes: ['node-1'], spec });
    const plan = await runTurnus(['plan', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expectExit(plan, 3);
    expect(plan.stdout).toMatch(/host-not-usable[\s\S]*\/srv\/scripts\/first\.sh is not the one of the playbook/);
    expect(await hosts.host('node-1').counter('updates')).toBe(0);
  });

  it('is all that a whole run needs, with update, reboot and the unprivileged user', async () => {
    for (const host of hosts.all())
      await writeFile(join(host.pathOnDisk(scripts), 'second.sh'), countingUpdate, { mode: 0o755 });
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'second',
      spec: { host: { ssh: { restricted: true } } },
    });
    expectExit(await run(playbook), 0);
    expect((await phasesOf(cluster, 'second')).sort()).toEqual(['node-1 Done', 'node-2 Done']);
    for (const host of hosts.all()) {
      expect(await host.counter('updates')).toBe(1);
      expect(host.bootIds).toHaveLength(2);
    }
  });

  it('runs nothing that a person asks for with it', async () => {
    const host = hosts.host('node-1');
    const asked = await host.ssh('id; touch /srv/host/touched', { user: 'maintenance' });
    expect(asked.stdout).not.toContain('uid=');
    expect(asked.stdout).toContain('this key can only be used by Turnus');
    await expect(readFile(host.pathOnDisk('/srv/host/touched'))).rejects.toThrow();
  });
});
