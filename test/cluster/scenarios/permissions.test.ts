import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import {
  evictions,
  expectExit,
  expectNoMarks,
  installTurnus,
  phasesOf,
  runOf,
  runs,
  systemNamespace,
  turnusRequests,
  turnusWrites,
} from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

const rbac = 'rbac.authorization.k8s.io';
const subjects = [{ kind: 'User', apiGroup: rbac, name: 'operator' }];
const namespaces = [systemNamespace, 'default', 'kube-node-lease'];

let cluster: Cluster;
let hosts: Hosts;
let playbook: string;
let kubeconfig: string;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
  hosts = await startHosts({ cluster });
  await installTurnus(cluster);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 4 })]);
  playbook = await writePlaybook({ cluster, hosts });
  kubeconfig = await cluster.kubeconfigFor('operator');
});

afterAll(async () => {
  await cluster.stop();
});

/** Binds the installed roles to the operator, the ClusterRole without what `keep` leaves out. */
async function bind(options: { keep?: (rule: Rule) => Rule | undefined; inNamespaces?: string[] }): Promise<void> {
  const { keep = (rule: Rule) => rule, inNamespaces = namespaces } = options;
  const installed = await cluster.api.get({ kind: 'ClusterRole', name: 'turnus' });
  const rules = (installed['rules'] as Rule[]).flatMap((rule) => keep(rule) ?? []);
  const metadata = { name: 'operator' };
  await cluster.api.create({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules });
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: 'operator' };
  for (const namespace of inNamespaces) {
    await cluster.api.create({
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'operator', namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'turnus' },
      subjects,
    });
  }
  await cluster.api.create({ apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects });
  await untilOperator('may list nodes', 200);
}

async function untilOperator(what: string, status: number): Promise<void> {
  const path = '/api/v1/nodes?limit=1';
  await waitFor({
    what: `the operator ${what}`,
    probe: async () => (await cluster.apiAs('operator').request({ method: 'GET', path })).status === status,
  });
}

afterEach(async () => {
  for (const kind of ['ClusterRoleBinding', 'ClusterRole'] as const)
    await cluster.api.delete({ kind, name: 'operator' });
  for (const namespace of namespaces) await cluster.api.delete({ kind: 'RoleBinding', namespace, name: 'operator' });
  await untilOperator('may do nothing', 403);
});

const without =
  (resource: string) =>
  (rule: Rule): Rule | undefined =>
    rule.resources.includes(resource) ? undefined : rule;

describe('without a permission', () => {
  it.each([
    {
      name: 'to evict',
      binding: { keep: without('pods/eviction') },
      named: 'create pods/eviction',
    },
    {
      name: 'to cordon',
      binding: {
        keep: (rule: Rule) => (rule.resources.includes('nodes') ? { ...rule, verbs: ['get', 'list', 'watch'] } : rule),
      },
      named: 'patch nodes',
    },
    {
      name: 'to write our objects',
      binding: { inNamespaces: ['default', 'kube-node-lease'] },
      named: `create maintenanceruns.turnus.dev in namespace ${systemNamespace}`,
    },
    {
      name: 'to read budgets',
      binding: { keep: without('poddisruptionbudgets') },
      named: 'list poddisruptionbudgets.policy',
    },
  ])('$name, run refuses before anything is touched and names it', async ({ binding, named }) => {
    await bind(binding);
    const before = await turnusWrites(cluster);
    const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig });
    expectExit(result, 2);
    expect(result.stderr).toContain('operator may not');
    expect(result.stderr).toContain(named);
    expect(await turnusWrites(cluster)).toEqual(before);
    expect(await runs(cluster)).toEqual([]);
    await expectNoMarks(cluster, { lastTurn: [] });
  });

  it('at all, run refuses and says what it could not read', async () => {
    const before = await turnusWrites(cluster);
    const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig });
    expectExit(result, 2);
    expect(result.stderr).toMatch(/kube-system.*(cannot|forbidden)/);
    expect(await turnusWrites(cluster)).toEqual(before);
  });
});

describe('a playbook that surges singletons', () => {
  const patchRules = async (): Promise<Rule[]> => {
    const { rules } = await cluster.api.get({ kind: 'ClusterRole', name: 'turnus' });
    return (rules as Rule[]).filter(
      ({ verbs, resources }) => verbs.includes('patch') && resources.includes('deployments'),
    );
  };

  it('needs the permission of `install --with surge`, and is refused by name without it', async () => {
    const spec = { gates: { replicaSpread: { singletons: 'surge' } } };
    const surging = await writePlaybook({ cluster, hosts, name: 'surging', nodes: ['node-1'], spec });
    await createReady(cluster.api, [deployment({ name: 'mailer', replicas: 1, prefers: 'node-1' })]);
    await bind({});
    const before = await turnusWrites(cluster);
    const refused = await runTurnus(['run', '-f', surging, '--yes'], { kubeconfig });
    expectExit(refused, 2);
    expect(refused.stderr).toContain('operator may not: get deployments.apps; patch deployments.apps.');
    expect(refused.stderr).toContain('turnus install -f PLAYBOOK --with surge');
    expect(await turnusWrites(cluster)).toEqual(before);
    expectExit(await runTurnus(['plan', '-f', surging], { kubeconfig }), 0);
    for (const kind of ['ClusterRoleBinding', 'ClusterRole'] as const)
      await cluster.api.delete({ kind, name: 'operator' });
    for (const namespace of namespaces) await cluster.api.delete({ kind: 'RoleBinding', namespace, name: 'operator' });
    await untilOperator('may do nothing', 403);

    const admin = { kubeconfig: cluster.kubeconfigPath };
    expectExit(await runTurnus(['install', '--with', 'surge'], admin), 0);
    expect(await patchRules()).toHaveLength(1);
    await bind({});
    expectExit(await runTurnus(['run', '-f', surging, '--yes', '--rehearse'], { kubeconfig }), 0);
    const { spec: mailer } = await cluster.api.get({ kind: 'Deployment', name: 'mailer' });
    expect(mailer.template.metadata.annotations?.['turnus.dev/restarted-for']).toMatch(/^surging-.*\/node-1$/);

    expectExit(await runTurnus(['install'], admin), 0);
    expect(await patchRules()).toEqual([]);
    await cluster.api.delete({ kind: 'Deployment', name: 'mailer' }, { propagationPolicy: 'Background' });
  });
});

describe('a rehearsal', () => {
  it('moves the pods of every node, with the installed permissions alone, and runs nothing on a host', async () => {
    await bind({});
    const web = deployment({ name: 'web' });
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [web] });
    const result = await runTurnus(['run', '-f', playbook, '--yes', '--rehearse'], { kubeconfig });
    await watcher.stop();
    expectExit(result, 0);
    expect(result.stderr).toMatch(/rehearsal: real pods are evicted/);
    expect(await phasesOf(cluster)).toEqual(['node-1 Done', 'node-2 Done']);
    const run = await runOf(cluster);
    expect(run.name).toMatch(/^monthly-\d{4}-\d{2}-rehearsal-1$/);
    expect(run).toMatchObject({ spec: { requester: 'operator', rehearsal: true }, status: { phase: 'Completed' } });

    expect(watcher.nodes().timeline.map(({ node, change }) => `${node} ${change}`)).toEqual([
      ...['node-1 cordoned', 'node-1 uncordoned'],
      ...['node-2 cordoned', 'node-2 uncordoned'],
    ]);
    expect((await evictions(cluster)).length).toBeGreaterThanOrEqual(4);
    expect(watcher.workload('web').minimumReady).toBeGreaterThanOrEqual(2);
    for (const host of hosts.all()) {
      expect(await host.counter('updates')).toBe(0);
      expect(host.bootIds).toHaveLength(1);
      expect(await readdir(host.pathOnDisk('/var/lib/turnus'))).toEqual([]);
    }
    // It never counts as a turn.
    await expectNoMarks(cluster, { lastTurn: [] });
    const refused = (await turnusRequests(cluster)).filter(({ code, user }) => code === 403 && user === 'operator');
    expect(refused.map(({ uri }) => uri).filter((uri) => !uri.includes('kube-system'))).toEqual([]);
  });
});
