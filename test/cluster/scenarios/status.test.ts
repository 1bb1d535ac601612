import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ScreenModel } from '../../console/screenModel.js';
import { attemptsOn, expectEnd, letGo, untilScriptRuns, waitingScript } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { updateScript, writePlaybook } from '../playbook.js';
import { expectExit, installTurnus, phasesOf, runOf, systemNamespace } from '../runReport.js';
import { startOnTerminal } from '../terminal.js';
import type { TurnusOnTerminal } from '../terminal.js';
import { runTurnus, startTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

const rbac = 'rbac.authorization.k8s.io';
const subjects = [{ kind: 'User', apiGroup: rbac, name: 'operator' }];
const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: 'turnus-view' };

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;
/** Of a user who may look and nothing else. */
let kubeconfig: string;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 4 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 4 })]);
  attempts = attemptsOn(cluster);
  kubeconfig = await cluster.kubeconfigFor('operator');
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

async function status(...args: string[]) {
  return await runTurnus(['status', ...args], { kubeconfig });
}

async function untilOperatorMay(path: string, code: number): Promise<void> {
  await waitFor({
    what: `${String(code)} for the operator`,
    probe: async () => (await cluster.apiAs('operator').request({ method: 'GET', path })).status === code,
  });
}

const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/maintenanceruns.turnus.dev';
const runsPath = `/apis/turnus.dev/v1alpha1/namespaces/${systemNamespace}/maintenanceruns`;

/** The rows of the terminal, also those that have scrolled off. */
function seenOn(terminal: TurnusOnTerminal): string[] {
  const screen = new ScreenModel({ columns: 80, rows: 24 });
  screen.write(terminal.output());
  return [...screen.scrolledOff, ...screen.lines()];
}

describe('somebody who may not look', () => {
  it('at anything hears which right is missing, and exit 2', async () => {
    const result = await status();
    expectExit(result, 2);
    expect(result.stderr).toMatch(/maintenanceruns.turnus.dev cannot be read: .*operator.*\n.*turnus-view/);
  });

  it('in the whole cluster hears the same, although the role is bound in the namespace', async () => {
    const metadata = { name: 'operator', namespace: systemNamespace };
    await cluster.api.create({ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata, roleRef, subjects });
    await untilOperatorMay(runsPath, 200);
    const result = await status();
    expectExit(result, 2);
    expect(result.stderr).toContain('turnus-view');
    await cluster.api.delete({ kind: 'RoleBinding', name: 'operator', namespace: systemNamespace });
  });
});

describe('somebody bound to turnus-view alone', () => {
  beforeAll(async () => {
    const metadata = { name: 'operator' };
    await cluster.api.create({ apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects });
    await untilOperatorMay(definition, 200);
    await untilOperatorMay(runsPath, 200);
  });

  it('hears that there is no run yet', async () => {
    const text = await status();
    expectExit(text, 0);
    expect(text.stderr).toContain(`There is no run in namespace ${systemNamespace}`);
    const json = await status('-o', 'json');
    expectExit(json, 0);
    expect(json.stdout).toBe('null\n');
    const unknown = await status('monthly-1999-01');
    expectExit(unknown, 2);
    expect(unknown.stderr).toContain('There is no run "monthly-1999-01"');
  });

  it('sees the run in work, each turn, and who is at work', async () => {
    const playbook = await writePlaybook({ cluster, hosts, nodes: ['node-1', 'node-2'], script: waitingScript });
    const turnus = attempts.start(playbook);
    await untilScriptRuns(hosts.host('node-1'));
    const { name, uid } = await runOf(cluster);

    // Waits are written every five seconds.
    const text = await waitFor({
      what: 'what node-1 waits for',
      probe: async () => {
        const result = await status();
        return result.stdout.includes('waiting:') ? result : undefined;
      },
    });
    expectExit(text, 0);
    expect(text.stderr).toBe('');
    expect(text.stdout).toContain(`Run ${name}: Running (playbook monthly)\n`);
    expect(text.stdout).toMatch(/^node-1 +Updating .* waiting: script update on the host of node-1/m);
    expect(text.stdout).toMatch(/^node-2 +Pending /m);
    expect(text.stdout).toMatch(new RegExp(`^Lease ${systemNamespace}/turnus: \\S+@\\S+ is at work \\(last seen`, 'm'));

    const json = await status(name, '-o', 'json');
    expectExit(json, 0);
    expect(JSON.parse(json.stdout)).toMatchObject({
      name,
      uid,
      spec: { planHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      status: { phase: 'Running', order: ['node-1', 'node-2'] },
      turns: [
        { node: 'node-1', status: { phase: 'Updating' } },
        { node: 'node-2', status: { phase: 'Pending' } },
      ],
      actor: { kind: 'alive' },
      otherRuns: [],
    });

    const unknown = await status('monthly-1999-01');
    expectExit(unknown, 2);
    expect(unknown.stderr).toContain(`There are: ${name}.`);

    const watching = startTurnus(['status', '--watch'], { kubeconfig });
    const watchingJson = startTurnus(['status', '--watch', '-o', 'json'], { kubeconfig });
    for (const watcher of [watching, watchingJson])
      await waitFor({ what: 'the first state', probe: () => watcher.stdout().includes('node-1') });
    await cluster.restartApiServer();
    await letGo(hosts.host('node-1'));
    await letGo(hosts.host('node-2'));
    await expectEnd(turnus, 0);
    await expectEnd(watching, 0);
    await expectEnd(watchingJson, 0);
    const said = watching.stdout();
    expect(said).toMatch(/Z \S+@\S+ is at work/);
    expect(said).toMatch(
      /Z node-1: Updating\n.*Z node-1: Rebooting.*Z node-1: Done\n.*Z node-2: Draining.*Z node-2: Done\n/s,
    );
    expect(said).toMatch(new RegExp(`Z run ${name}: Completed\\n\\nNODE +PHASE +DURATION`));
    const states = watchingJson
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { status: { phase: string }; turns: { status: { phase: string } }[] });
    expect(states.length).toBeGreaterThan(10);
    expect(states[0]?.turns.map((turn) => turn.status.phase)).toEqual(['Updating', 'Pending']);
    expect(states.at(-1)?.status.phase).toBe('Completed');
    expect(states.at(-1)?.turns.map((turn) => turn.status.phase)).toEqual(['Done', 'Done']);
  }, 180_000);

  it('sees a run that has ended at once, and does not go on watching it', async () => {
    const result = await status('--watch');
    expectExit(result, 0);
    expect(result.stdout).toMatch(/run monthly-\S+: Completed/);
    expect((await status()).stdout).toMatch(/^node-2 +Done /m);
  });

  it('watches on a terminal what whoever runs it sees there, and touches nothing with Ctrl-C', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'second', nodes: ['node-3'], script: waitingScript });
    const running = startOnTerminal(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
    onTestFinished(running.close);
    await untilScriptRuns(hosts.host('node-3'));
    const { name } = await runOf(cluster, 'second');
    const watching = startOnTerminal(['status', '--watch'], { kubeconfig });
    onTestFinished(watching.close);
    const wait = /^ {4}waiting: script update on the host of node-3/;
    for (const terminal of [running, watching]) {
      await waitFor({ what: 'the screen', probe: () => seenOn(terminal).some((line) => wait.test(line)) });
      const lines = seenOn(terminal);
      expect(lines).toContain(`Run ${name}: Running (playbook second)`);
      expect(lines.filter((line) => line.startsWith('NODE'))).toHaveLength(1);
      expect(lines.filter((line) => /^node-3 +Updating/.test(line))).toHaveLength(1);
    }
    expect(seenOn(watching)[2]).toMatch(/is at work/);
    watching.pressCtrlC();
    expect(await watching.exited).toBe(130);
    expect(seenOn(watching).filter((line) => line.startsWith('node-3'))).toHaveLength(1);

    await letGo(hosts.host('node-3'));
    expect(await running.exited).toBe(0);
    const text = seenOn(running).join('\n');
    expect(text).toMatch(
      /Run \S+: Completed[^]*node-3 +Done[^]*NODE +PHASE +DURATION[^]*Longest waits:[^]*1 of 1 done/,
    );
    expect((await status('-o', 'json')).stdout).toContain(`"name": "${name}"`);
    expect((await status()).stdout).toMatch(/Other runs:\n {2}monthly-\S+ +Completed/);
  });

  it('reads on one screen what failed, the output of the script, and the commands to run next', async () => {
    const script = updateScript('echo "E: no space left on /var"\necho changed=yes > "$TURNUS_RESULT"\nexit 1');
    const playbook = await writePlaybook({ cluster, hosts, name: 'broken', nodes: ['node-4'], script });
    await expectEnd(attempts.start(playbook), 4);
    const { name } = await runOf(cluster, 'broken');
    const { stdout } = await status(name);
    expect(stdout).toMatch(/^Node node-4 is Failed in step Updating at .*\(job-failed\)$/m);
    expect(stdout).toMatch(/^ {2}Left as: node cordoned by Turnus, host may have been changed/m);
    expect(stdout).toMatch(/^ {2}Script update: execution 1: exited, exit code 1, changed=yes/m);
    expect(stdout).toContain('    | E: no space left on /var\n');
    expect(stdout).toMatch(/^ {2}Boot ids: before [0-9a-f-]{36}, /m);
    expect(stdout).toContain(`turnus retry ${name} node-4`);
    expect(stdout).toMatch(/no actor is at work\.\nTo go on, start `turnus run/);
    const [report = ''] = /^Node node-4[^]*?\n\n/m.exec(stdout) ?? [];
    expect(report.split('\n').length).toBeLessThanOrEqual(24);
  });

  it('sees that the actor has died, and that the run was deleted while it was watched', async () => {
    await cluster.api.patch({ kind: 'Node', name: 'node-4' }, { body: { spec: { unschedulable: false } } });
    const script = updateScript('sleep 600');
    const playbook = await writePlaybook({ cluster, hosts, name: 'orphan', nodes: ['node-4'], script });
    const turnus = attempts.start(playbook);
    await waitFor({
      what: 'the script on node-4',
      timeoutMs: 60_000,
      probe: async () => (await phasesOf(cluster, 'orphan'))[0] === 'node-4 Updating',
    });
    turnus.kill('SIGKILL');
    await turnus.exited;
    const { name } = await runOf(cluster, 'orphan');
    const said = await waitFor({
      what: 'the actor to count as dead',
      timeoutMs: 40_000,
      intervalMs: 1000,
      probe: async () => {
        const { stdout } = await status();
        return stdout.includes('no actor is at work') ? stdout : undefined;
      },
    });
    expect(said).toContain(`Run ${name}: Running`);
    expect(said).toMatch(/Lease .*: no actor is at work: \S+ holds the lease and has not renewed it \(last seen/);
    expect(said).toMatch(/To go on, start `turnus run -f PLAYBOOK` \(playbook orphan\)/);

    const watching = startTurnus(['status', name, '--watch'], { kubeconfig });
    await waitFor({ what: 'the first state', probe: () => watching.stdout().includes('node-4: Updating') });
    const reference = { kind: 'MaintenanceRun', namespace: systemNamespace, name } as const;
    await cluster.api.delete(reference);
    await cluster.api.patch(reference, { body: { metadata: { finalizers: null } } });
    await expectEnd(watching, 0);
    expect(watching.stdout()).toContain(`Run ${name} was deleted.`);
  });

  it('has done nothing but read', async () => {
    const verbs = (await cluster.auditLog()).filter(({ user }) => user === 'operator').map(({ verb }) => verb);
    expect([...new Set(verbs)].sort()).toEqual(['get', 'list', 'watch']);
  });
});
