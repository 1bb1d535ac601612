import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, cordonsOf, expectEnd, untilPodsLeave } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import type { Host } from '../hosts/host.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { installTurnus, phasesOf, runOf, turnsOf } from '../runReport.js';
import type { TurnReport } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { cordonOf, expectUntouched, podsOn } from '../trouble.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

const spec = { health: { consecutive: 1, timeout: '20s' }, settle: { time: '200ms', timeout: '30s' } };

function names(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `node-${String(first + index)}`);
}

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;
let watcher: ReadyWatcher;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 12, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [
    deployment({ name: 'web', replicas: 7, spread: { over: 'node', mode: 'prefer' }, nodes: names(1, 7) }),
    deployment({
      name: 'slow',
      replicas: 5,
      stopMs: 2500,
      spread: { over: 'node', mode: 'prefer' },
      nodes: names(8, 12),
    }),
  ]);
  watcher = await startReadyWatcher({ api: cluster.api, workloads: [] });
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

/** An address of the node at which nobody answers. */
async function setAddress(name: string, address: string): Promise<void> {
  const body = { status: { addresses: [{ type: 'InternalIP', address }] } };
  await cluster.api.patch({ kind: 'Node', name }, { type: 'strategic', subresource: 'status', body });
}

describe('a host on which Turnus cannot work', () => {
  /** What is wrong with each, the finding that says so, and what it names. */
  const troubles: { node: string; arise: (host: Host) => Promise<void>; code: string; says: RegExp; phase: string }[] =
    [
      {
        node: 'node-1',
        arise: (host) => host.setLogin('refused'),
        code: 'host-login-refused',
        says: /refused the login of user maintenance.*authorized_keys/,
        phase: 'Blocked',
      },
      {
        node: 'node-2',
        arise: (host) => setAddress(host.node, host.address.replace(/\d+$/, '249')),
        code: 'host-unreachable',
        says: /refused the connection.*Check that sshd answers/,
        phase: 'Deferred',
      },
      {
        node: 'node-3',
        arise: (host) => host.setSudo('password-required'),
        code: 'host-sudo-refused',
        says: /a password is required.*NOPASSWD/,
        phase: 'Blocked',
      },
      {
        node: 'node-4',
        arise: (host) => host.setSudo('missing'),
        code: 'host-sudo-refused',
        says: /sudo.*not found/,
        phase: 'Blocked',
      },
      {
        node: 'node-5',
        arise: (host) => host.setJobDisk('full'),
        code: 'host-not-usable',
        says: /\/var\/lib\/turnus.*full/,
        phase: 'Blocked',
      },
      {
        node: 'node-6',
        arise: (host) => host.setJobDisk('read-only'),
        code: 'host-not-usable',
        says: /\/var\/lib\/turnus.*read-only/,
        phase: 'Blocked',
      },
    ];
  const well = 'node-7';
  let playbook: string;

  it('has its node left in service and named with what to do; the others have their turn; exit 3', async () => {
    const nodes = [...troubles.map(({ node }) => node), well];
    playbook = await writePlaybook({ cluster, hosts, name: 'closed', nodes, spec });
    const pods = new Map<string, string[]>();
    for (const { node, arise } of troubles) {
      pods.set(node, await podsOn(cluster, node));
      await arise(hosts.host(node));
    }
    const turnus = attempts.start(playbook);
    await expectEnd(turnus, 3);
    expect(await phasesOf(cluster, 'closed')).toEqual([
      ...troubles.map(({ node, phase }) => `${node} ${phase}`),
      `${well} Done`,
    ]);
    expect((await runOf(cluster, 'closed')).status.phase).toBe('AwaitingWindow');
    const turns = await turnsOf(cluster, 'closed');
    for (const { node, code, says } of troubles) {
      const turn = turns.find((candidate) => candidate.node === node);
      expect(
        turn?.findings?.map((finding) => finding.code),
        node,
      ).toContain(code);
      expect(turn?.message, node).toMatch(says);
      expect(turnus.stderr(), node).toMatch(says);
      await expectUntouched({ cluster, hosts }, { node, pods: pods.get(node) ?? [] });
    }
  });

  it('has its turn in the same run once it is mended', async () => {
    for (const { node } of troubles) {
      const host = hosts.host(node);
      await host.setLogin('accepted');
      await host.setSudo('works');
      await host.setJobDisk('normal');
      await setAddress(node, host.address);
    }
    await expectEnd(attempts.start(playbook), 0);
    for (const { node } of [...troubles, { node: well }]) {
      expect(await hosts.host(node).counter('updates'), node).toBe(1);
      expect(hosts.host(node).bootIds, node).toHaveLength(2);
    }
    expect(watcher.nodes().maximumCordoned).toBe(1);
  });
});

describe('a host that closes itself while the pods of its node leave', () => {
  /** Starts a run over the node, lets this happen when a pod leaves, and waits for the exit code. */
  async function duringDrain(
    at: { name: string; node: string },
    arise: (host: Host) => Promise<void> | void,
    exitCode: number,
  ): Promise<TurnReport> {
    const { name, node } = at;
    const playbook = await writePlaybook({ cluster, hosts, name, nodes: [node], spec });
    const turnus = attempts.start(playbook);
    await untilPodsLeave(cluster, node);
    await arise(hosts.host(node));
    await expectEnd(turnus, exitCode);
    const [turn] = await turnsOf(cluster, name);
    if (turn === undefined) throw new Error(`no turn of ${node}`);
    expect(turn.evictions).toBeGreaterThan(0);
    return turn;
  }

  async function expectGivenBack(node: string): Promise<void> {
    await waitFor({ what: 'the watcher to see it', probe: () => cordonsOf(watcher, node).length === 2 });
    expect(cordonsOf(watcher, node)).toEqual(['cordoned', 'uncordoned']);
    expect(await cordonOf(cluster, node)).toEqual({});
    expect(await hosts.host(node).counter('updates')).toBe(0);
    expect(hosts.host(node).bootIds).toHaveLength(1);
  }

  it('by refusing the login has its node given back; exit 3', async () => {
    const turn = await duringDrain(
      { name: 'login', node: 'node-8' },
      async (host) => {
        await host.setLogin('refused');
        host.dropConnections();
      },
      3,
    );
    expect(turn).toMatchObject({ phase: 'Blocked', message: expect.stringMatching(/refused the login/) as string });
    await expectGivenBack('node-8');
  });

  it('by asking for a password for sudo has its node given back; exit 3', async () => {
    const turn = await duringDrain({ name: 'sudo', node: 'node-9' }, (host) => host.setSudo('password-required'), 3);
    expect(turn).toMatchObject({ phase: 'Blocked', message: expect.stringMatching(/password is required/) as string });
    await expectGivenBack('node-9');
  });

  it('by running out of disk has its node given back; exit 3', async () => {
    const turn = await duringDrain({ name: 'disk', node: 'node-10' }, (host) => host.setJobDisk('full'), 3);
    expect(turn).toMatchObject({ phase: 'Blocked', message: expect.stringMatching(/full/) as string });
    await expectGivenBack('node-10');
  });

  it('by hanging has its node given back, and its turn later in the same run once it answers', async () => {
    const host = hosts.host('node-11');
    const playbook = await writePlaybook({ cluster, hosts, name: 'hangs', nodes: ['node-11'], spec });
    const turnus = attempts.start(playbook);
    await untilPodsLeave(cluster, 'node-11');
    host.freeze();
    host.dropConnections();
    await waitFor({
      what: 'node-11 given back',
      timeoutMs: 60_000,
      probe: () => cordonsOf(watcher, 'node-11').length === 2,
    });
    expect(await host.counter('updates')).toBe(0);
    host.thaw();
    await expectEnd(turnus, 0);
    expect(await phasesOf(cluster, 'hangs')).toEqual(['node-11 Done']);
    expect(turnus.stderr()).toMatch(/node-11: Deferred.*did not answer in time/);
    expect(await host.counter('updates')).toBe(1);
    expect(host.bootIds).toHaveLength(2);
  });
});

describe('an ssh_config file that the playbook names', () => {
  async function plan(name: string, ssh: Record<string, unknown>): ReturnType<typeof runTurnus> {
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name,
      nodes: ['node-7', 'node-12'],
      spec: { host: { ssh } },
    });
    return await runTurnus(['plan', '-f', playbook, '-o', 'json'], { kubeconfig: cluster.kubeconfigPath });
  }

  it('leads to the hosts, and keeps the one in service that it says something unsupported for; exit 3', async () => {
    const config = join(cluster.directory, 'ssh_config');
    const lines = [
      'Host node-12',
      '  ProxyCommand nc %h %p',
      'Host node-*',
      '  User maintenance',
      `  Port ${String(hosts.port)}`,
      `  IdentityFile ${hosts.identityPath}`,
    ];
    await writeFile(config, lines.join('\n'), { mode: 0o600 });
    const { exitCode, stdout, stderr } = await plan('configured', {
      user: undefined,
      port: undefined,
      identity: undefined,
      config: { path: config },
    });
    expect(exitCode, stderr).toBe(3);
    const { nodes } = JSON.parse(stdout) as {
      nodes: { node: string; findings: { code: string; message: string }[] }[];
    };
    const aboutHost = (name: string) =>
      nodes.find(({ node }) => node === name)?.findings.filter(({ code }) => code.startsWith('host-'));
    expect(aboutHost('node-7')).toEqual([]);
    expect(aboutHost('node-12')).toMatchObject([{ code: 'host-ssh-config' }]);
    expect(aboutHost('node-12')?.[0]?.message).toContain(
      `Nothing was sent to node-12: ${config}:2 has ProxyCommand "nc %h %p", which Turnus does not follow: use ProxyJump`,
    );
  });

  it('is refused where other users may change it, and a key that they may read; exit 2', async () => {
    const open = join(cluster.directory, 'open_key');
    await copyFile(hosts.identityPath, open);
    await chmod(open, 0o644);
    const key = await plan('open-key', { identity: { path: open } });
    expect(key).toMatchObject({ exitCode: 2 });
    expect(key.stderr).toContain(`The private key ${open} is open to other users of this machine (mode 0644)`);
    const config = join(cluster.directory, 'open_config');
    await writeFile(config, '');
    await chmod(config, 0o666);
    const file = await plan('open-config', { config: { path: config } });
    expect(file).toMatchObject({ exitCode: 2 });
    expect(file.stderr).toContain(`Other users of this machine may change the ssh_config file ${config}`);
  });
});
