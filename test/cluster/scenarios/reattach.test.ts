import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, expectEnd, letGo, untilScriptRuns, waitingScript } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import type { Host } from '../hosts/host.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { installTurnus, phasesOf, turnsOf, untilTurn } from '../runReport.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
  hosts = await startHosts({ cluster, bootDelayMs: 1000 });
  await installTurnus(cluster);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 2 })]);
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

/** Cuts the connections to the host, and waits until there is a new one. */
async function cutAndComeBack(host: Host): Promise<void> {
  const before = await host.logins();
  host.dropConnections();
  await waitFor({ what: `a new login on ${host.node}`, probe: async () => (await host.logins()) > before });
}

async function journalTypes(path: string): Promise<string[]> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { type: string }).type);
}

describe('a connection to the host that is cut', () => {
  it('again and again during the job is made anew: one execution, whose end and output are read whole', async () => {
    const host = hosts.host('node-1');
    const script = waitingScript.replace('until', 'echo begun\nuntil').replace('done\n', 'done\necho ended\n');
    const playbook = await writePlaybook({ cluster, hosts, name: 'job', nodes: ['node-1'], script });
    const journal = join(cluster.directory, 'job.ndjson');
    const turnus = attempts.start(playbook, ['--journal', journal]);
    await untilScriptRuns(host);
    for (let cut = 1; cut <= 3; cut += 1) await cutAndComeBack(host);
    expect(await phasesOf(cluster, 'job')).toEqual(['node-1 Updating']);
    host.dropConnections();
    await letGo(host); // it ends while nobody is connected
    await expectEnd(turnus, 0);

    const [turn] = await turnsOf(cluster, 'job');
    expect(turn).toMatchObject({
      phase: 'Done',
      jobs: { update: { execution: 1, state: 'exited', exitCode: 0, outputTail: 'begun\nended\n' } },
    });
    expect(await host.counter('updates')).toBe(1);
    expect(host.bootIds).toHaveLength(2);
    const types = await journalTypes(journal);
    expect(types.filter((type) => type === 'job.started')).toHaveLength(1);
    expect(types.filter((type) => type === 'job.finished')).toHaveLength(1);
  });

  it('while the reboot is asked for, and again when the host is back, leaves it at one reboot', async () => {
    const host = hosts.host('node-2');
    const playbook = await writePlaybook({ cluster, hosts, name: 'reboot', nodes: ['node-2'] });
    const journal = join(cluster.directory, 'reboot.ndjson');
    const turnus = attempts.start(playbook, ['--journal', journal]);
    await untilTurn(
      { cluster, playbook: 'reboot', node: 'node-2', what: 'the reboot recorded' },
      ({ rebootRequestedAt }) => rebootRequestedAt !== undefined,
    );
    host.dropConnections();
    await waitFor({ what: 'node-2 back', timeoutMs: 60_000, probe: () => host.isOn && host.bootIds.length === 2 });
    host.dropConnections();
    await expectEnd(turnus, 0);

    const [turn] = await turnsOf(cluster, 'reboot');
    expect(turn).toMatchObject({ phase: 'Done', bootIdAfter: host.bootId, jobs: { update: { execution: 1 } } });
    expect(host.bootIds).toHaveLength(2);
    expect(await host.counter('updates')).toBe(1);
    const types = await journalTypes(journal);
    expect(types.filter((type) => type === 'reboot.requested')).toHaveLength(1);
    expect(types.filter((type) => type === 'boot.proved')).toHaveLength(1);
  });
});
