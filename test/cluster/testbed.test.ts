import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from './cluster.js';
import type { Cluster } from './cluster.js';
import type { Host } from './hosts/host.js';
import { startHosts } from './hosts/startHosts.js';
import type { Hosts } from './hosts/startHosts.js';
import { isTrue } from './objects.js';
import { startReadyWatcher } from './readyWatcher.js';
import { waitFor } from './waitFor.js';
import { createReady } from './waitForReady.js';
import { createWorkDirectory } from './workDirectory.js';
import { daemonSet, deployment, disruptionBudget, job, statefulSet } from './workloads.js';

let cluster: Cluster;
let hosts: Hosts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
  hosts = await startHosts({ cluster });
});

afterAll(async () => {
  await cluster.stop();
});

/** The node has booted with the boot id its host has now. */
async function untilNodeIsHost(host: Host): Promise<void> {
  await waitFor({
    what: `node ${host.node} Ready with the host's boot id`,
    probe: async () => {
      const node = await cluster.api.get({ kind: 'Node', name: host.node });
      return host.isOn && isTrue(node, 'Ready') && node.status.nodeInfo.bootID === host.bootId;
    },
  });
}

async function untilBooted(host: Host, boots: number): Promise<void> {
  await waitFor({
    what: `${host.node} booted ${boots} times`,
    probe: () => host.isOn && host.bootIds.length === boots,
  });
}

describe('the control plane', () => {
  it('has all nodes Ready, each with an address of its own, in alternating zones', async () => {
    const nodes = await cluster.api.list({ kind: 'Node' });
    expect(nodes.map((node) => node.metadata.name)).toEqual(['node-1', 'node-2', 'node-3']);
    expect(nodes.every((node) => isTrue(node, 'Ready'))).toBe(true);
    expect(new Set(nodes.map((node) => node.status.addresses[0]?.address)).size).toBe(3);
    const zones = nodes.map((node) => node.metadata.labels?.['topology.kubernetes.io/zone']);
    expect(zones).toEqual(['zone-a', 'zone-b', 'zone-c']);
  });

  it('runs Deployments, StatefulSets, DaemonSets and Jobs', async () => {
    await createReady(cluster.api, [
      deployment({ name: 'web', replicas: 3, spread: { over: 'node', mode: 'require' }, startMs: 200 }),
      statefulSet({ name: 'queue', replicas: 2, startMs: 200, onePerNode: true }),
      daemonSet({ name: 'agent', startMs: 200 }),
      job({ name: 'report', startMs: 200, runForMs: 60_000 }),
    ]);
    const web = await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=web' });
    expect(new Set(web.map((pod) => pod.spec.nodeName)).size).toBe(3);
  });

  it('refuses an eviction that a disruption budget forbids, and names the budget as the cause', async () => {
    await createReady(cluster.api, [
      disruptionBudget({ name: 'kept', minAvailable: 1 }),
      deployment({ name: 'kept', replicas: 1, startMs: 200 }),
    ]);
    const [pod] = await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=kept' });
    const answer = await cluster.api.evict({ name: pod?.metadata.name ?? '' });
    expect(answer.status).toBe(429);
    expect(answer.body).toMatchObject({ details: { causes: [{ reason: 'DisruptionBudget' }] } });
  });

  it('writes who asked for what into the audit log', async () => {
    const admin = cluster.apiAs('admin');
    await admin.get({ kind: 'Node', name: 'node-2' });
    const refused = await cluster.apiAs('operator').request({ method: 'GET', path: '/api/v1/nodes' });
    expect(refused.status).toBe(403);
    const log = await cluster.auditLog();
    expect(log).toContainEqual(
      expect.objectContaining({
        user: 'admin',
        userAgent: 'testbed/admin',
        verb: 'get',
        resource: 'nodes',
        name: 'node-2',
        code: 200,
      }),
    );
    expect(log).toContainEqual(
      expect.objectContaining({ user: 'operator', verb: 'list', resource: 'nodes', code: 403 }),
    );
    expect(log.some(({ user }) => user.startsWith('system:kube'))).toBe(false);
  });

  it('answers again after its API server was restarted, and goes silent while it is paused', async () => {
    await cluster.restartApiServer();
    expect(await cluster.api.list({ kind: 'Node' })).toHaveLength(3);
    cluster.pause('kube-apiserver');
    const request = cluster.api.request({ method: 'GET', path: '/readyz', timeoutMs: 500 });
    await expect(request).rejects.toThrow(/no answer|hang up/);
    cluster.resume('kube-apiserver');
    await waitFor({
      what: 'an answer of the resumed API server',
      probe: async () =>
        (await cluster.api.request({ method: 'GET', path: '/readyz', timeoutMs: 2000 })).status === 200,
    });
  });

  it('is watched independently: Ready pods and cordons over time', async () => {
    const single = deployment({ name: 'single', replicas: 1, startMs: 300, stopMs: 100 });
    await createReady(cluster.api, [single]);
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [single] });
    await cluster.api.patch({ kind: 'Node', name: 'node-3' }, { body: { spec: { unschedulable: true } } });
    const [pod] = await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=single' });
    expect((await cluster.api.evict({ name: pod?.metadata.name ?? '' })).status).toBe(201);
    await waitFor({
      what: 'the replacement of the evicted pod',
      probe: () =>
        watcher
          .workload('single')
          .timeline.map(({ ready }) => ready)
          .join() === '1,0,1',
    });
    await cluster.api.patch({ kind: 'Node', name: 'node-3' }, { body: { spec: { unschedulable: null } } });
    await waitFor({ what: 'the uncordon', probe: () => watcher.nodes().timeline.length === 2 });
    expect(watcher.workload('single')).toMatchObject({
      minimumReady: 0,
      outages: [{ until: expect.any(Date) as Date }],
    });
    expect(watcher.nodes().timeline.map(({ node, change }) => `${node} ${change}`)).toEqual([
      'node-3 cordoned',
      'node-3 uncordoned',
    ]);
    expect(watcher.nodes().maximumCordoned).toBe(1);
    await watcher.stop();
  });
});

describe('a host', () => {
  it('is the node: same boot id, reachable over SSH with a verified key', async () => {
    const host = hosts.host('node-1');
    const node = await cluster.api.get({ kind: 'Node', name: 'node-1' });
    const result = await host.ssh('cat /proc/sys/kernel/random/boot_id; hostname');
    expect(result.stdout).toBe(`${node.status.nodeInfo.bootID}\nnode-1\n`);
  });

  it('gives an unprivileged user root through sudo only as far as it is told to', async () => {
    const host = hosts.host('node-1');
    const asUser = (command: string) => host.ssh(command, { user: 'maintenance' });
    expect((await asUser('id -un; touch /var/lib/turnus/mine')).exitCode).not.toBe(0);
    expect((await asUser('sudo -n sh -c "id -un; touch /var/lib/turnus/mine"')).stdout).toBe('root\n');
    expect(existsSync(host.pathOnDisk('/var/lib/turnus/mine'))).toBe(true);
    await host.setSudo('password-required');
    expect(await asUser('sudo -n true')).toMatchObject({ exitCode: 1, stderr: 'sudo: a password is required\n' });
    await host.setSudo('missing');
    expect((await asUser('sudo -n true')).exitCode).toBe(127);
    await host.setSudo('works');
  });

  it('cannot change the machine it runs on', async () => {
    const host = hosts.host('node-1');
    expect((await host.ssh('touch /etc/turnus-testbed')).stderr).toMatch(/Read-only file system/);
    expect(existsSync('/etc/turnus-testbed')).toBe(false);
  });

  it.each(['reboot', 'systemctl reboot', 'shutdown -r now', '/sbin/reboot'])(
    'changes its boot id, on the host and on the node, by "%s" over SSH, and keeps its disk',
    async (command) => {
      const host = hosts.host('node-2');
      const before = host.bootId;
      const boots = host.bootIds.length;
      await host.ssh(`echo once >> /srv/host/boots; echo x > /run/forgotten; ${command}; sleep 20`);
      await untilBooted(host, boots + 1);
      await untilNodeIsHost(host);
      const after = (await host.ssh('cat /proc/sys/kernel/random/boot_id')).stdout.trim();
      expect(after).not.toBe(before);
      const node = await cluster.api.get({ kind: 'Node', name: 'node-2' });
      expect(node.status.nodeInfo.bootID).toBe(after);
      expect(await host.counter('boots')).toBe(boots);
      expect((await host.ssh('cat /run/forgotten')).exitCode).toBe(1);
    },
  );

  it('starts the containers of its pods anew with the boot', async () => {
    const host = hosts.host('node-2');
    const agent = async () => {
      const fieldSelector = 'spec.nodeName=node-2';
      const [pod] = await cluster.api.list({ kind: 'Pod', labelSelector: 'app=agent', fieldSelector });
      return pod;
    };
    const restarts = (await agent())?.status?.containerStatuses?.[0]?.restartCount ?? 0;
    const boots = host.bootIds.length;
    await host.ssh('reboot');
    await untilBooted(host, boots + 1);
    const pod = await waitFor({
      what: 'the agent on node-2 Ready again',
      probe: async () => {
        const found = await agent();
        const container = found?.status?.containerStatuses?.[0];
        return found !== undefined && isTrue(found, 'Ready') && container?.restartCount === restarts + 1 && found;
      },
    });
    expect(pod.status?.containerStatuses?.[0]).toMatchObject({ ready: true, state: { running: {} } });
    await untilNodeIsHost(host);
  });

  it('loses a detached job in a power cut, and comes back with another boot id', async () => {
    const host = hosts.host('node-3');
    await host.ssh(
      'setsid sh -c "while :; do echo x >> /srv/host/ticks; sleep 0.05; done" </dev/null >/dev/null 2>&1 &',
    );
    await waitFor({
      what: 'the job to work without its session',
      probe: async () => (await host.counter('ticks')) > 3,
    });
    host.dropConnections();
    const dropped = await host.counter('ticks');
    await waitFor({
      what: 'the job to survive dropped connections',
      probe: async () => (await host.counter('ticks')) > dropped,
    });
    const before = host.bootId;
    await host.powerCut();
    const ticks = await host.counter('ticks');
    await waitFor({
      what: 'node-3 NotReady',
      probe: async () => !isTrue(await cluster.api.get({ kind: 'Node', name: 'node-3' }), 'Ready'),
    });
    expect((await host.ssh('true')).exitCode).toBe(255);
    await host.powerOn();
    await untilNodeIsHost(host);
    expect(host.bootId).not.toBe(before);
    expect((await host.ssh('pgrep -f [t]icks')).stdout).toBe('');
    expect(await host.counter('ticks')).toBe(ticks);
  });

  it('reboots as badly as a test wants it to', async () => {
    const host = hosts.host('node-1');
    const { bootId } = host;
    await host.setOnReboot('refused');
    expect((await host.ssh('systemctl reboot')).exitCode).toBe(1);
    await host.setOnReboot('ignored');
    expect((await host.ssh('systemctl reboot')).exitCode).toBe(0);
    await host.setOnReboot('same-boot-id');
    await host.ssh('systemctl reboot; sleep 20');
    await waitFor({ what: 'the host back', probe: async () => host.isOn && (await host.ssh('true')).exitCode === 0 });
    expect(host.bootId).toBe(bootId);
    await host.setOnReboot('never-returns');
    await host.ssh('systemctl reboot; sleep 20');
    await waitFor({ what: 'the host off', probe: () => !host.isOn });
    await host.setOnReboot('normal');
    await host.powerOn();
    await untilNodeIsHost(host);
    expect(host.bootId).not.toBe(bootId);
  });
});

describe('two clusters at the same time', () => {
  it('do not meet, and stop() leaves no process and no file', async () => {
    const second = await startCluster({ nodes: 1, zones: 1 });
    const [host] = (await startHosts({ cluster: second })).all();
    expect(second.server).not.toBe(cluster.server);
    const sleeper = `sleep 3600.${process.pid}`;
    await host?.ssh(`${sleeper} >/dev/null 2>&1 &`);
    const root = dirname(second.directory);
    expect(processesNaming(root)).not.toEqual([]);
    expect(processesNaming(sleeper)).not.toEqual([]);
    await second.stop();
    expect(processesNaming(root)).toEqual([]);
    expect(processesNaming(sleeper)).toEqual([]);
    expect(existsSync(root)).toBe(false);
    expect(await cluster.api.list({ kind: 'Node' })).toHaveLength(3);
  });

  it('leave no process when the one who started them is killed', async () => {
    const script = fileURLToPath(new URL('start.ts', import.meta.url));
    const starter = spawn(process.execPath, ['--import', 'tsx', script, '--nodes', '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    starter.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const root = await waitFor({
      what: 'the start script to be ready',
      timeoutMs: 60_000,
      probe: () =>
        said.includes('Ctrl-C') ? /^export KUBECONFIG=(.*)\/kubeconfig-admin$/m.exec(said)?.[1] : undefined,
    });
    expect(processesNaming(root)).not.toEqual([]);
    const exited = once(starter, 'exit');
    starter.kill('SIGKILL');
    await exited;
    await waitFor({ what: 'the end of its processes', probe: () => processesNaming(root).length === 0 });
    const next = await createWorkDirectory(); // also clears away what was left behind
    expect(existsSync(root)).toBe(false);
    await next.remove();
  });
});

/** The processes on whose command line or in whose environment the text stands. */
function processesNaming(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const described = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
      return described.some((content) => content.replaceAll('\0', ' ').includes(text));
    } catch {
      return false; // it has just ended
    }
  });
}
