import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { countingUpdate, writePlaybook } from '../playbook.js';
import type { KubeObject } from '../objects.js';
import type { CommandResult } from '../runCommand.js';
import { expectExit, installTurnus, runs, systemNamespace, turnusRequests } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

interface CoverageReport {
  alarms: string[];
  playbooks: {
    playbook: string;
    snapshotOf?: string;
    nodes: {
      node: string;
      verdict: string;
      alarm: boolean;
      lastTurn?: { run: string; knownBy: string; versionsAfter?: { kernel: string }; scriptVersions: object };
    }[];
    currentRun?: { toCome: { node: string; phase: string }[]; joined: string[]; notInRun: string[] };
  }[];
  notSelected: string[];
  notUnderstood: string[];
}

const rbac = 'rbac.authorization.k8s.io';
const group = { apiVersion: 'turnus.dev/v1alpha1' };
const old = 'monthly-2001-01';

let cluster: Cluster;
let hosts: Hosts;
let playbook: string;
let journal: string;
/** Of a user who is bound to turnus-coverage and to nothing else. */
let kubeconfig: string;

/** The default selector, so that pods are asked for who carries the control plane; one ended run is kept. */
const spec = { schedule: { timeZone: 'UTC', coverage: '40d' }, runHistoryLimit: 1 };
/** It says a version too. */
const script = `${countingUpdate}echo version.tool=7 >> "$TURNUS_RESULT"
`;

beforeAll(async () => {
  cluster = await startCluster({
    nodes: 3,
    customize: (node, number) => {
      if (number === 1) node.metadata.labels = { ...node.metadata.labels, 'node-role.kubernetes.io/control-plane': '' };
    },
  });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 2 })]);
  playbook = await writePlaybook({ cluster, hosts, spec, script });
  journal = join(cluster.directory, 'monthly.ndjson');
  kubeconfig = await cluster.kubeconfigFor('operator');
});

afterAll(async () => {
  await cluster.stop();
});

async function run(...args: string[]): Promise<CommandResult> {
  return await runTurnus(['run', '-f', playbook, '--yes', ...args], { kubeconfig: cluster.kubeconfigPath });
}

async function coverage(args: string[], exitCode: number): Promise<CoverageReport> {
  const result = await runTurnus(['coverage', '-o', 'json', ...args], { kubeconfig });
  expectExit(result, exitCode);
  return JSON.parse(result.stdout) as CoverageReport;
}

/** `node verdict run knownBy`, alarms with an exclamation mark. */
function verdicts({ playbooks }: CoverageReport): string[] {
  return playbooks
    .flatMap(({ nodes }) => nodes)
    .map(({ node, verdict, alarm, lastTurn }) =>
      [
        `${node} ${verdict}${alarm ? '!' : ''}`,
        ...(lastTurn === undefined ? [] : [lastTurn.run, lastTurn.knownBy]),
      ].join(' '),
    )
    .sort();
}

async function turnsOfRun(name: string): Promise<number> {
  const labelSelector = `turnus.dev/run=${name}`;
  return (await cluster.api.list({ kind: 'NodeTurn', namespace: systemNamespace, labelSelector })).length;
}

async function monthlyRun(): Promise<string> {
  const [found] = (await runs(cluster)).filter(({ spec: { rehearsal }, name }) => !rehearsal && name !== old);
  if (found === undefined) throw new Error('there is no run');
  return found.name;
}

/** A run as it was completed long ago, with a turn of a node. */
async function createOldRun(node: string, daysAgo: number): Promise<void> {
  const [rehearsal] = await cluster.api.list({ kind: 'MaintenanceRun', namespace: systemNamespace });
  const { metadata } = await cluster.api.get({ kind: 'Node', name: node });
  const made: KubeObject = await cluster.api.create({
    ...group,
    kind: 'MaintenanceRun',
    metadata: { name: old, namespace: systemNamespace },
    spec: { ...(rehearsal?.spec as object), requester: 'observer', rehearsal: false, desired: { state: 'Run' } },
  });
  const owner = { ...group, kind: 'MaintenanceRun', name: old, uid: made.metadata.uid ?? '', controller: true };
  await cluster.api.create({
    ...group,
    kind: 'NodeTurn',
    metadata: {
      name: `${old}-a`,
      namespace: systemNamespace,
      labels: { 'turnus.dev/run': old },
      ownerReferences: [owner],
    },
    spec: { run: old, node, nodeUid: metadata.uid, rehearsal: false },
  });
  const finishedAt = new Date(Date.now() - daysAgo * 86_400_000).toISOString();
  await cluster.api.patch(
    { kind: 'NodeTurn', namespace: systemNamespace, name: `${old}-a` },
    { subresource: 'status', body: { status: { phase: 'Done', finishedAt } } },
  );
  await cluster.api.patch(
    { kind: 'MaintenanceRun', namespace: systemNamespace, name: old },
    { subresource: 'status', body: { status: { phase: 'Completed', order: [node], finishedAt } } },
  );
}

/** A node like node-2, without a host. */
async function createNode(name: string): Promise<void> {
  const { metadata, status } = await cluster.api.get({ kind: 'Node', name: 'node-2' });
  const labels = { ...metadata.labels, 'kubernetes.io/hostname': name };
  await cluster.api.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {}, status });
}

async function untilOperatorMay(path: string): Promise<void> {
  await waitFor({
    what: `the operator to be let to ${path}`,
    probe: async () => (await cluster.apiAs('operator').request({ method: 'GET', path })).status === 200,
  });
}

describe('the coverage of a cluster', { timeout: 180_000 }, () => {
  it('is told to nobody who may not look, and the missing permissions are', async () => {
    const result = await runTurnus(['coverage'], { kubeconfig });
    expectExit(result, 2);
    expect(result.stderr).toContain('maintenanceruns.turnus.dev');
    await cluster.api.create({
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'operator' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'turnus-coverage' },
      subjects: [{ kind: 'User', apiGroup: rbac, name: 'operator' }],
    });
    await untilOperatorMay('/api/v1/nodes');
    await untilOperatorMay(`/apis/turnus.dev/v1alpha1/namespaces/${systemNamespace}/nodeturns`);
  });

  it('does not come from rehearsals, of which as many are kept as of runs', async () => {
    for (let number = 1; number <= 2; number += 1) expectExit(await run('--rehearse'), 0);
    const rehearsals = await runs(cluster);
    expect(rehearsals.map(({ name }) => name)).toEqual([expect.stringMatching(/^monthly-\d{4}-\d{2}-rehearsal-2$/)]);
    const [first = ''] = rehearsals.map(({ name }) => name.replace(/2$/, '1'));
    await waitFor({
      what: `the turns of ${first} to be collected`,
      probe: async () => (await turnsOfRun(first)) === 0,
    });

    const report = await coverage(['-f', playbook], 0);
    expect(verdicts(report)).toEqual(['node-2 never', 'node-3 never']);
    expect(report.notSelected).toEqual(['node-1']);
    const byRuns = await runTurnus(['coverage'], { kubeconfig });
    expectExit(byRuns, 2);
    expect(byRuns.stderr).toContain('-f PLAYBOOK');
  });

  it('is an alarm where a turn is too long ago', async () => {
    await createOldRun('node-2', 50);
    const report = await coverage([], 3);
    expect(verdicts(report)).toEqual([`node-2 overdue! ${old} turn`, 'node-3 never']);
    expect(report).toMatchObject({ alarms: ['node-2'], playbooks: [{ playbook: 'monthly', snapshotOf: old }] });
    const text = await runTurnus(['coverage'], { kubeconfig });
    expectExit(text, 3);
    expect(text.stdout).toMatch(/^node-2 +OVERDUE +50 d /m);
    expect(text.stdout.trimEnd().split('\n').at(-1)).toMatch(/^1 of 2 nodes is overdue: node-2\. Next: turnus run -f/);
  });

  it('says where an unfinished run stands, and which node is not in it', async () => {
    const hold = async (reason: string | null) => {
      const body = { metadata: { annotations: { 'turnus.dev/hold': reason } } };
      await cluster.api.patch({ kind: 'Node', name: 'node-3' }, { body });
    };
    await hold('disk is being replaced');
    expectExit(await run('--journal', journal), 3);
    const name = await monthlyRun();
    // The old run is the only one that has ended.
    expect((await runs(cluster)).map((one) => one.name)).toContain(old);
    await createNode('node-4');
    const report = await coverage([], 0);
    expect(verdicts(report)).toEqual([`node-2 covered ${name} turn`, 'node-3 never', 'node-4 never']);
    expect(report.playbooks[0]?.currentRun).toMatchObject({
      toCome: [{ node: 'node-3', phase: 'Blocked' }],
      joined: [],
      notInRun: ['node-4'],
    });
    await cluster.api.delete({ kind: 'Node', name: 'node-4' });
    await hold(null);
  });

  it('is complete after the run, which deletes the old one with its turns and records that', async () => {
    expect(await turnsOfRun(old)).toBe(1);
    const end = await run('--journal', journal);
    expectExit(end, 0);
    expect(end.stderr).toContain(`Deleted, as spec.runHistoryLimit is 1: ${old}.`);
    const name = await monthlyRun();
    expect((await runs(cluster)).map((one) => one.name).filter((one) => !one.includes('rehearsal'))).toEqual([name]);
    await waitFor({ what: 'its turn to be collected', probe: async () => (await turnsOfRun(old)) === 0 });

    const report = await coverage([], 0);
    expect(verdicts(report)).toEqual([`node-2 covered ${name} turn`, `node-3 covered ${name} turn`]);
    const { status } = await cluster.api.get({ kind: 'Node', name: 'node-3' });
    const { kernelVersion: kernel } = status.nodeInfo;
    for (const { lastTurn } of report.playbooks[0]?.nodes ?? []) {
      expect(lastTurn).toMatchObject({ versionsAfter: { kernel }, scriptVersions: { tool: '7' } });
    }
    expect(report.playbooks[0]).not.toHaveProperty('currentRun');

    const types = (await readFile(journal, 'utf8')).split('\n').filter((line) => line.includes('"runs.deleting"'));
    expect(types).toHaveLength(1);
    expect(types[0]).toContain(`"runs":["${old}"]`);
    const verified = await runTurnus(['journal', 'verify', journal, '--run', name], {
      kubeconfig: cluster.kubeconfigPath,
    });
    expectExit(verified, 0);
  });

  it('knows a node that is added, and that one was registered anew', async () => {
    const name = await monthlyRun();
    await cluster.api.delete({ kind: 'Node', name: 'node-3' });
    for (const added of ['node-3', 'node-4']) await createNode(added);
    expect(verdicts(await coverage([], 0))).toEqual([`node-2 covered ${name} turn`, 'node-3 never', 'node-4 never']);
    // The record of the machine before is still there.
    expect(await turnsOfRun(name)).toBe(2);
  });

  it('outlives the run on the node, and then needs the playbook to be named', async () => {
    const name = await monthlyRun();
    await cluster.api.delete({ kind: 'MaintenanceRun', namespace: systemNamespace, name });
    await waitFor({ what: 'its turns to be collected', probe: async () => (await turnsOfRun(name)) === 0 });
    expect(verdicts(await coverage(['-f', playbook], 0))).toEqual([
      `node-2 covered ${name} annotation`,
      'node-3 never',
      'node-4 never',
    ]);
    expectExit(await runTurnus(['coverage'], { kubeconfig }), 2);
  });

  it('is an alarm by the playbook of the call, when its time is over', async () => {
    const quick = await writePlaybook({
      cluster,
      hosts,
      spec: { ...spec, schedule: { timeZone: 'UTC', coverage: '1s' } },
    });
    await waitFor({
      what: 'every node to be overdue',
      probe: async () => {
        const result = await runTurnus(['coverage', '-f', quick, '-o', 'json'], { kubeconfig });
        return (JSON.parse(result.stdout) as CoverageReport).alarms.length === 3 && result.exitCode === 3;
      },
    });
  });

  it('was only read', async () => {
    const asked = (await turnusRequests(cluster)).filter(({ user }) => user === 'operator');
    const verbs = asked
      .filter(({ code }) => code < 400)
      .map(({ verb, resource }) => (resource === '' ? 'get of no object' : `${verb} ${resource}`));
    expect([...new Set(verbs)].sort()).toEqual([
      'create selfsubjectaccessreviews',
      'get customresourcedefinitions',
      'get namespaces',
      'get of no object',
      'list maintenanceruns',
      'list nodes',
      'list nodeturns',
      'list pods',
    ]);
  });
});
