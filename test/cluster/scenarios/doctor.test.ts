import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Check, DoctorReport } from '../../../src/doctor/check.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import {
  expectExit,
  expectNoMarks,
  installTurnus,
  systemNamespace,
  turnusRequests,
  turnusWrites,
} from '../runReport.js';
import { startOnTerminal } from '../terminal.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

const rbac = 'rbac.authorization.k8s.io';

let cluster: Cluster;
let hosts: Hosts;
let playbook: string;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 6 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 3 })]);
  playbook = await writePlaybook({ cluster, hosts });
});

afterAll(async () => {
  await cluster.stop();
});

async function doctor(exitCode: number, options: { args?: string[]; kubeconfig?: string } = {}): Promise<string> {
  const { args = [], kubeconfig = cluster.kubeconfigPath } = options;
  const result = await runTurnus(['doctor', '-f', playbook, ...args], { kubeconfig });
  expectExit(result, exitCode);
  expect(result.stderr).toBe('');
  return result.stdout;
}

async function reported(
  exitCode: number,
  options: { args?: string[]; kubeconfig?: string } = {},
): Promise<DoctorReport> {
  const { args = [], ...rest } = options;
  return JSON.parse(await doctor(exitCode, { args: ['-o', 'json', ...args], ...rest })) as DoctorReport;
}

/** `subject check` of whatever is in this state. */
function inState({ checks }: DoctorReport, state: Check['state']): string[] {
  return checks
    .filter((check) => check.state === state)
    .map(({ subject, check }) => `${subject.kind === 'host' ? subject.node : 'cluster'} ${check}`);
}

/** No request of Turnus has changed anything since `before`, and no host has anything of it. */
async function expectNothingWritten(before: { requests: number; writes: number }): Promise<void> {
  expect((await turnusWrites(cluster)).slice(before.writes)).toEqual([]);
  const asked = (await turnusRequests(cluster)).slice(before.requests);
  expect(asked.length).toBeGreaterThan(10);
  expect(
    [...new Set(asked.map(({ verb, resource }) => (verb === 'create' ? `create ${resource}` : verb)))].sort(),
  ).toEqual(['create selfsubjectaccessreviews', 'create selfsubjectreviews', 'get', 'list']);
  for (const host of hosts.all()) {
    expect(await readdir(host.pathOnDisk('/var/lib/turnus')), host.node).toEqual([]);
    expect(host.bootIds).toHaveLength(1);
  }
}

async function requestsSoFar(): Promise<{ requests: number; writes: number }> {
  return { requests: (await turnusRequests(cluster)).length, writes: (await turnusWrites(cluster)).length };
}

/** Binds a ClusterRole, and the Role `turnus` of these namespaces, to a user; returns when they count. */
async function bind(
  user: 'operator' | 'approver',
  roles: { clusterRole: string; namespaces: string[] },
): Promise<void> {
  const binding = (kind: 'ClusterRole' | 'Role', name: string, namespace?: string) =>
    cluster.api.create({
      apiVersion: `${rbac}/v1`,
      kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
      metadata: { name: user, ...(namespace === undefined ? {} : { namespace }) },
      roleRef: { apiGroup: rbac, kind, name },
      subjects: [{ kind: 'User', apiGroup: rbac, name: user }],
    });
  await binding('ClusterRole', roles.clusterRole);
  for (const namespace of roles.namespaces) await binding('Role', 'turnus', namespace);
  const paths = ['/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1', '/api/v1/nodes?limit=1'];
  await waitFor({
    what: `the roles of ${user} to count`,
    probe: async () => {
      const answers = await Promise.all(paths.map((path) => cluster.apiAs(user).request({ method: 'GET', path })));
      return answers.every(({ status }) => status === 200);
    },
  });
}

describe('turnus doctor', () => {
  it('says before the installation that it is missing, and looks at the hosts all the same; exit 3', async () => {
    const report = await reported(3);
    expect(inState(report, 'failed')).toEqual(['cluster custom-resources']);
    expect(report.checks.find(({ check }) => check === 'custom-resources')?.hint).toContain('turnus install');
    expect(report.checks.filter(({ check }) => check === 'same-machine')).toHaveLength(6);
    await installTurnus(cluster);
  });

  it('finds nothing in the way of a run where all is well, and changes nothing; exit 0', async () => {
    const before = await requestsSoFar();
    const report = await reported(0);
    expect(report).toMatchObject({
      schemaVersion: 1,
      playbook: 'monthly',
      clusterUid: cluster.uid,
      verdict: 'ok',
      counts: { warning: 0, failed: 0, skipped: 0 },
    });
    const codes = report.checks.flatMap(({ subject, check }) => (subject.kind === 'cluster' ? [check] : []));
    expect(codes).toEqual([
      'api-reachable',
      'api-ready',
      'server-version',
      'cluster-uid',
      'server-clock',
      'custom-resources',
      'namespace',
      'permission',
      'eviction-webhook',
      'other-rebooter',
      'lease',
      'nodes',
    ]);
    const text = await doctor(0);
    expect(text).toMatch(/\nok +permission +admin has (\d+) of the \1 permissions that a run needs\.\n/);
    expect(text).toMatch(/\nok +server-version +The server is v1\.\d+/);
    for (const name of cluster.nodeNames) expect(text).toMatch(new RegExp(`\\nok +${name} +127\\.\\S+ +12 ok\\n`));
    await expectNothingWritten(before);
    await expectNoMarks(cluster, { lastTurn: [] });
  });

  it('names each permission that is missing, and asks the hosts where nodes may be listed; exit 3', async () => {
    const installed = await cluster.api.get({ kind: 'ClusterRole', name: 'turnus' });
    const all = installed['rules'] as { resources: string[]; verbs: string[] }[];
    const rules = all
      .filter(({ resources }) => !resources.includes('pods/eviction') && !resources.includes('services'))
      .map((rule) => (rule.resources.includes('nodes') ? { ...rule, verbs: ['get', 'list', 'watch'] } : rule));
    const metadata = { name: 'operator' };
    await cluster.api.create({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules });
    await bind('operator', { clusterRole: 'operator', namespaces: [systemNamespace, 'kube-node-lease'] });

    const before = await requestsSoFar();
    const report = await reported(3, { kubeconfig: await cluster.kubeconfigFor('operator') });
    expect(inState(report, 'failed')).toEqual(Array.from({ length: 3 }, () => 'cluster permission'));
    expect(
      report.checks
        .filter(({ check, state }) => check === 'permission' && state === 'failed')
        .map(({ message }) => message),
    ).toEqual([
      'operator may not patch nodes.',
      'operator may not create pods/eviction.',
      'operator may not create events in namespace default.',
    ]);
    expect(report.checks.filter(({ check, state }) => check === 'same-machine' && state === 'ok')).toHaveLength(6);
    await expectNothingWritten(before);
  });

  it('says of a user without any permission what could not be looked at; exit 3', async () => {
    const report = await reported(3, { kubeconfig: await cluster.kubeconfigFor('approver') });
    const failed = inState(report, 'failed');
    expect(failed).toEqual(
      expect.arrayContaining([
        'cluster cluster-uid',
        'cluster custom-resources',
        'cluster permission',
        'cluster nodes',
      ]),
    );
    expect(report.checks.every(({ subject }) => subject.kind === 'cluster')).toBe(true);
    expect(inState(report, 'skipped')).toContain('cluster eviction-webhook');
  });

  it('needs no more than the roles that are installed for a run; exit 0', async () => {
    const before = await requestsSoFar();
    const namespaces = [systemNamespace, 'default', 'kube-node-lease'];
    await bind('approver', { clusterRole: 'turnus', namespaces });
    const report = await reported(0, { kubeconfig: await cluster.kubeconfigFor('approver') });
    expect(report.counts).toMatchObject({ warning: 0, failed: 0, skipped: 0 });
    const asked = (await turnusRequests(cluster)).slice(before.requests);
    expect(asked.filter(({ code }) => code === 403).map(({ uri }) => uri)).toEqual([]);
  });

  it('names a webhook that would refuse every eviction it is asked about; exit 3', async () => {
    await cluster.api.create({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'guard' },
      webhooks: [
        {
          name: 'guard.example.com',
          clientConfig: { service: { namespace: 'default', name: 'guard' } },
          // Without the scope it would be asked about what has no namespace too, the reviews among it.
          rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'], scope: 'Namespaced' }],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'nowhere' } },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    });
    const report = await reported(3);
    expect(inState(report, 'failed')).toEqual(['cluster eviction-webhook']);
    expect(report.checks.find(({ check }) => check === 'eviction-webhook')?.message).toMatch(
      /guard\.example\.com \(ValidatingWebhookConfiguration guard\) is asked about some evictions.*Service default\/guard is not there/,
    );
    await cluster.api.delete({ kind: 'ValidatingWebhookConfiguration', name: 'guard' });
  });

  it('tells what is wrong with each host, and prints the line of a key to be added once it is compared; exit 3', async () => {
    const before = await requestsSoFar();
    const known = join(cluster.directory, 'some_known_hosts');
    const [unknown, ...others] = hosts.all();
    await writeFile(known, others.map(({ knownHostsLine }) => `${knownHostsLine}\n`).join(''));
    playbook = await writePlaybook({ cluster, hosts, spec: { host: { ssh: { knownHosts: { path: known } } } } });
    await hosts.host('node-2').setLogin('refused');
    await hosts.host('node-3').setSudo('password-required');
    await hosts.host('node-4').setJobDisk('full');
    await hosts.host('node-5').setJobDisk('read-only');

    const report = await reported(3);
    expect(inState(report, 'failed')).toEqual([
      'node-1 host-key',
      'node-2 login',
      'node-3 sudo',
      'node-4 disk',
      'node-5 job-directory',
    ]);
    const key = report.checks.find(({ check, state }) => check === 'host-key' && state === 'failed');
    const line = unknown?.knownHostsLine.split(' ').slice(0, 3).join(' ') ?? '';
    expect(key).toMatchObject({ knownHostsLine: line, fingerprint: expect.stringMatching(/^SHA256:/) as string });
    expect((await doctor(3)).split('\n')).toContain(line);

    // The line as it was printed is the one that makes the host known.
    await writeFile(known, `${key?.knownHostsLine ?? ''}\n`);
    expect(inState(await reported(0, { args: ['--node', 'node-1'] }), 'failed')).toEqual([]);

    await hosts.host('node-2').setLogin('accepted');
    await hosts.host('node-3').setSudo('works');
    for (const name of ['node-4', 'node-5']) await hosts.host(name).setJobDisk('normal');
    await expectNothingWritten(before);
  });

  it('shows on a terminal which host has not answered, and ends at once at Ctrl-C; exit 130', async () => {
    playbook = await writePlaybook({ cluster, hosts });
    hosts.host('node-3').freeze();
    const terminal = startOnTerminal(['doctor', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    onTestFinished(terminal.close);
    await waitFor({
      what: 'the line that says who is waited for',
      probe: () => terminal.output().includes('Hosts: 5 of 6 have answered, waiting for node-3'),
    });
    terminal.pressCtrlC();
    expect(await terminal.exited).toBe(130);
    expect(terminal.output()).not.toContain('CLUSTER');
    hosts.host('node-3').thaw();
  });

  it('does not wait longer for a host that is off, and knows one that is another machine; exit 3', async () => {
    playbook = await writePlaybook({ cluster, hosts, nodes: ['node-1', 'node-2'] });
    await cluster.api.patch(
      { kind: 'Node', name: 'node-2' },
      { type: 'strategic', subresource: 'status', body: { status: { nodeInfo: { bootID: 'another' } } } },
    );
    await hosts.host('node-1').powerCut();
    const report = await reported(3);
    expect(inState(report, 'failed')).toEqual(['node-1 reachable', 'node-2 same-machine']);
  });
});
