import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import type { Host } from '../hosts/host.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { updateScript } from '../playbook.js';
import { evictions, installTurnus } from '../runReport.js';
import { podsOn, troubleOn } from '../trouble.js';
import type { Trouble } from '../trouble.js';
import { createReady } from '../waitForReady.js';
import { daemonSet, deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

const spec = {
  host: { update: { timeout: '30s' }, reboot: { timeout: '20s' } },
  health: { consecutive: 1, timeout: '20s' },
};

beforeAll(async () => {
  cluster = await startCluster({ nodes: 16, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [
    deployment({ name: 'web', replicas: 16, spread: { over: 'node', mode: 'prefer' } }),
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

/** A run over two nodes; the update of the first does this until its host was mended, that of the second is well. */
async function scriptThat(commands: string, options: { name: string; nodes: [string, string] }): Promise<Trouble> {
  const script = updateScript(`[ -e /srv/host/mended ] || { ${commands}; }`);
  await mend(hosts.host(options.nodes[1]));
  return await troubleOn({ cluster, hosts, attempts }, { ...options, script, spec });
}

async function mend(host: Host): Promise<void> {
  await writeFile(host.pathOnDisk('/srv/host/mended'), '');
}

describe('a script that exits 1', () => {
  it('and says changed=no has its node given back; retry begins the turn anew', async () => {
    const trouble = await scriptThat('echo changed=no > "$TURNUS_RESULT"; echo the mirror is away; exit 1', {
      name: 'unchanged',
      nodes: ['node-1', 'node-2'],
    });
    const pods = await podsOn(cluster, 'node-1');
    const turnus = trouble.start();
    await trouble.expectFailed(turnus, {
      code: 'job-failed',
      phase: 'Updating',
      node: 'in-service',
      host: 'untouched',
      says: /exit code 1.*the mirror is away/,
      boots: 1,
    });
    expect((await trouble.turn()).jobs?.['update']).toMatchObject({ state: 'exited', exitCode: 1, changed: 'no' });
    // It was in the middle of its turn: empty, and then open for pods again.
    expect((await evictions(cluster)).some(({ pod }) => pods.includes(pod))).toBe(true);
    await createReady(cluster.api, [deployment({ name: 'back', replicas: 1, nodes: ['node-1'] })]);

    await mend(trouble.host);
    await trouble.retry();
    await trouble.expectFinished({ updates: 2, boots: 2 });
    expect((await trouble.turn()).jobs?.['update']).toMatchObject({ execution: 2, state: 'exited', exitCode: 0 });
  });

  it('and says changed=yes leaves its node cordoned; retry takes the host as mended and reboots it', async () => {
    const trouble = await scriptThat('echo changed=yes > "$TURNUS_RESULT"; echo half of the packages; exit 1', {
      name: 'changed',
      nodes: ['node-3', 'node-4'],
    });
    await trouble.expectFailed(trouble.start(), {
      code: 'job-failed',
      phase: 'Updating',
      node: 'cordoned',
      host: 'touched',
      says: /exit code 1.*half of the packages/,
      boots: 1,
    });
    expect((await trouble.turn()).jobs?.['update']).toMatchObject({ state: 'exited', exitCode: 1, changed: 'yes' });

    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 2 });
    expect((await trouble.turn()).jobs?.['update']).toMatchObject({ execution: 1, exitCode: 1, vouchedBy: 'admin' });
  });

  it('and says reboot=no is not followed by a reboot where retry takes the host as mended', async () => {
    const trouble = await scriptThat('printf "changed=yes\\nreboot=no\\n" > "$TURNUS_RESULT"; exit 1', {
      name: 'stays',
      nodes: ['node-15', 'node-16'],
    });
    await trouble.expectFailed(trouble.start(), {
      code: 'job-failed',
      phase: 'Updating',
      node: 'cordoned',
      host: 'touched',
      says: /exit code 1/,
      boots: 1,
    });

    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 1 });
  });

  it('is run again on the touched host where a person asks for that with retry --again', async () => {
    const trouble = await scriptThat('echo changed=yes > "$TURNUS_RESULT"; exit 1', {
      name: 'again',
      nodes: ['node-5', 'node-6'],
    });
    await trouble.expectFailed(trouble.start(), {
      code: 'job-failed',
      phase: 'Updating',
      node: 'cordoned',
      host: 'touched',
      says: /exit code 1/,
      boots: 1,
    });

    await mend(trouble.host);
    await trouble.retry(['--again']);
    await trouble.expectFinished({ updates: 2, boots: 2 });
    expect((await trouble.turn()).jobs?.['update']).toMatchObject({ execution: 2, state: 'exited', exitCode: 0 });
  });
});

describe('a script that exits 0', () => {
  it('and does not say whether to reboot leaves its node cordoned; retry reboots', async () => {
    const trouble = await scriptThat('echo changed=yes > "$TURNUS_RESULT"; exit 0', {
      name: 'silent',
      nodes: ['node-7', 'node-8'],
    });
    await trouble.expectFailed(trouble.start(), {
      code: 'no-reboot-answer',
      phase: 'Updating',
      node: 'cordoned',
      host: 'touched',
      says: /reboot=required or reboot=no/,
      boots: 1,
    });

    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 2 });
  });
});

describe('a script that reboots the host by itself', () => {
  it('after it has answered is followed by the checks after a boot, and no second reboot', async () => {
    const trouble = await scriptThat(
      '{ echo changed=yes; echo reboot=required; } > "$TURNUS_RESULT"; reboot; sleep 30',
      {
        name: 'answered',
        nodes: ['node-11', 'node-12'],
      },
    );
    await trouble.expectFinished({ updates: 1, boots: 2 });
    const turn = await trouble.turn();
    expect(turn.jobs?.['update']).toMatchObject({ execution: 1, rebootedUnasked: true });
    expect(turn.rebootRequestedAt).toBeUndefined();
    expect(turn.bootIdAfter).toBe(trouble.host.bootId);
    expect(turn.steps?.map(({ phase }) => phase)).toContain('Verifying');
  });

  it('and has not answered leaves its node cordoned; retry goes on without a second reboot', async () => {
    const trouble = await scriptThat('reboot; sleep 30', { name: 'rebooted', nodes: ['node-13', 'node-14'] });
    await trouble.expectFailed(trouble.start(), {
      code: 'rebooted-by-script',
      phase: 'Updating',
      node: 'cordoned',
      host: 'touched',
      says: /reboot/,
      boots: 2,
    });

    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 2 });
  });
});
