import { copyFile, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { startChildProcess } from '../childProcess.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import type { Deployment, PodDisruptionBudget } from '../objects.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { runCommand, runCommandOk } from '../runCommand.js';
import type { CommandResult } from '../runCommand.js';
import { evictions, expectExit, expectNoMarks, installTurnus, runs, systemNamespace } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';

const shipped = fileURLToPath(new URL('../../../playbooks', import.meta.url));
const names = ['node-1', 'node-2', 'node-3', 'node-4'];

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
let agentSocket: string;
let playbooks: string;
let bootIdsBefore: string[];

/** As many workers and zones as kind-config.yaml has, the workload of docs/kind.md, and an SSH agent with the key. */
beforeAll(async () => {
  cluster = await startCluster({ nodes: 4, zones: 3 });
  hosts = await startHosts({ cluster });
  bootIdsBefore = hosts.all().map(({ bootId }) => bootId);
  const [deployment, budget] = await workload();
  await createReady(cluster.api, [deployment, budget]);
  watcher = await startReadyWatcher({ api: cluster.api, workloads: [deployment] });
  agentSocket = await startAgent();
  playbooks = await copyOfPlaybooks();
});

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

/** The objects of playbooks/kind/workload.yaml. */
async function workload(): Promise<[Deployment, PodDisruptionBudget]> {
  const documents = parseAllDocuments(await readFile(join(shipped, 'kind', 'workload.yaml'), 'utf8'));
  const [deployment, budget] = documents.map((document) => document.toJS() as unknown);
  return [deployment as Deployment, budget as PodDisruptionBudget];
}

/** An agent that holds the key, as `ssh-add` leaves it; answers its socket. */
async function startAgent(): Promise<string> {
  const socket = join(cluster.directory, 'agent');
  const agent = await startChildProcess({
    name: 'ssh-agent',
    command: 'ssh-agent',
    args: ['-D', '-a', socket],
    logPath: join(cluster.directory, 'agent.log'),
  });
  cluster.onStop(() => agent.stop());
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  await waitFor({
    what: 'the SSH agent',
    probe: async () => (await runCommand('ssh-add', ['-l'], { env })).exitCode === 1, // it answers, and has no key
  });
  await runCommandOk('ssh-add', ['-q', hosts.identityPath], { env });
  return socket;
}

/** `playbooks/` as shipped; of kind.yaml only the port is another one, and the host keys are those of these hosts. */
async function copyOfPlaybooks(): Promise<string> {
  const directory = join(cluster.directory, 'playbooks');
  await cp(shipped, directory, { recursive: true });
  await copyFile(hosts.knownHostsPath, join(directory, 'kind', 'known_hosts'));
  const playbook = join(directory, 'kind.yaml');
  const text = await readFile(playbook, 'utf8');
  const changed = text.replace(/^( +)user: maintenance .*$/m, `$&\n$1port: ${String(hosts.port)}`);
  expect(changed).not.toBe(text);
  await writeFile(playbook, changed);
  return directory;
}

/** `turnus COMMAND -f kind.yaml --context testbed ARGS`; with the agent only where hosts may be asked. */
async function turnus(command: string, args: string[] = [], agent = true): Promise<CommandResult> {
  return await runTurnus([command, '-f', join(playbooks, 'kind.yaml'), '--context', 'testbed', ...args], {
    kubeconfig: cluster.kubeconfigPath,
    ...(agent ? { env: { SSH_AUTH_SOCK: agentSocket } } : {}),
  });
}

/** How often the update of kind.yaml was executed on each host. */
async function executions(): Promise<number[]> {
  const logs = await Promise.all(hosts.all().map((host) => host.readFile('/var/lib/kind-update.log')));
  return logs.map((log) => (log ?? '').split('\n').filter((line) => line !== '').length);
}

describe('the way of docs/kind.md, on the test cluster', { timeout: 240_000 }, () => {
  it('plans without SSH and with nothing installed, and with SSH asks the hosts too', async () => {
    const rehearsal = await turnus('plan', ['--rehearse'], false);
    expectExit(rehearsal, 0);
    const hostsToo = await turnus('plan');
    expectExit(hostsToo, 0);
    for (const name of names) expect(hostsToo.stdout).toContain(name);

    expectExit(await turnus('plan', [], false), 2); // no key, no agent
  });

  it('plans that no node with the workload can go while its budget lets no pod go', async () => {
    const budget = { kind: 'PodDisruptionBudget', namespace: 'default', name: 'web' } as const;
    const allow = async (maxUnavailable: number) => {
      await cluster.api.patch(budget, { body: { spec: { maxUnavailable } } });
    };
    await allow(0);
    const result = await turnus('plan', ['--rehearse'], false);
    await allow(1);

    expectExit(result, 3);
    expect(result.stdout).toContain('PodDisruptionBudget default/web');
  });

  it('rehearses: pods move, no host is asked for anything', async () => {
    await installTurnus(cluster);
    const result = await turnus('run', ['--rehearse', '--yes'], false);

    expectExit(result, 0);
    expect(await executions()).toEqual([0, 0, 0, 0]);
    expect((await evictions(cluster)).length).toBeGreaterThan(0);
    expect((await runs(cluster)).map(({ spec, status }) => [spec.rehearsal, status.phase])).toEqual([
      [true, 'Completed'],
    ]);
  });

  it('runs for real: the update once on each host, no reboot, the workload never below its budget', async () => {
    const result = await turnus('run', ['--yes']);

    expectExit(result, 0);
    const run = (await runs(cluster)).find(({ spec }) => !spec.rehearsal);
    expect(run?.status).toMatchObject({ phase: 'Completed', counts: { total: 4, done: 4 } });
    expect(await executions()).toEqual([1, 1, 1, 1]);
    expect(hosts.all().map(({ bootIds }) => bootIds)).toEqual(bootIdsBefore.map((bootId) => [bootId]));
    expect(watcher.workload('web').minimumReady).toBeGreaterThanOrEqual(2);
    await expectNoMarks(cluster, { lastTurn: names });
  });

  it('does nothing more in the same month, until the run and the marks of its turns are taken away', async () => {
    expectExit(await turnus('run', ['--yes']), 0);
    expect(await executions()).toEqual([1, 1, 1, 1]);

    const name = (await runs(cluster)).find(({ spec }) => !spec.rehearsal)?.name ?? '';
    expect(name).toMatch(/^kind-\d{4}-\d{2}$/);
    await cluster.api.delete({ kind: 'MaintenanceRun', namespace: systemNamespace, name });
    await waitFor({
      what: 'the turns of the run to be gone with it',
      probe: async () => {
        const turns = await cluster.api.list({ kind: 'NodeTurn', namespace: systemNamespace });
        return turns.every(({ metadata }) => metadata.labels?.['turnus.dev/run'] !== name);
      },
    });
    const body = { metadata: { annotations: { 'turnus.dev/last-turn': null } } };
    for (const node of names) await cluster.api.patch({ kind: 'Node', name: node }, { body });

    expectExit(await turnus('run', ['--yes', '--node', 'node-1']), 5); // three nodes are left
    expect(await executions()).toEqual([2, 1, 1, 1]);
  });
});
