import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCustom, createCustomKinds } from '../budgets/customKinds.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import {
  evictions,
  expectExit,
  installTurnus,
  phasesOf,
  systemNamespace,
  turnsOf,
  turnusRequests,
  turnusWrites,
} from '../runReport.js';
import type { CommandResult } from '../runCommand.js';
import { runTurnus } from '../turnus.js';
import type { TurnusOptions } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { barePod, daemonSet, deployment } from '../workloads.js';

interface PlannedNode {
  node: string;
  verdict: string;
  findings: { code: string; severity: string; objects: string[]; message: string; hint: string }[];
}

const quick = { health: { consecutive: 1, interval: '200ms' }, settle: { time: '200ms' } };

let cluster: Cluster;
let hosts: Hosts;
let playbook: string;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 3, spread: { over: 'node', mode: 'prefer' } })]);
  playbook = await writePlaybook({ cluster, hosts, spec: quick });
});

afterAll(async () => {
  await cluster.stop();
});

async function turnus(args: string[], options: TurnusOptions = {}): Promise<CommandResult> {
  const [command = '', ...more] = args;
  return await runTurnus([command, '-f', playbook, ...more], { kubeconfig: cluster.kubeconfigPath, ...options });
}

/** The nodes in their order, with their findings; expects this exit code. */
async function planned(exitCode: number, args: string[] = [], options: TurnusOptions = {}): Promise<PlannedNode[]> {
  const result = await turnus(['plan', '-o', 'json', ...args], options);
  expectExit(result, exitCode);
  return (JSON.parse(result.stdout) as { nodes: PlannedNode[] }).nodes;
}

/** `node verdict` of each, in their order. */
function verdicts(nodes: PlannedNode[]): string[] {
  return nodes.map(({ node, verdict }) => `${node} ${verdict}`);
}

/** `node: severity objects` of each finding with this code. */
function given(nodes: PlannedNode[], code: string): string[] {
  return nodes.flatMap(({ node, findings }) =>
    findings
      .filter((finding) => finding.code === code)
      .map(({ severity, objects }) => `${node}: ${severity} ${objects.join()}`),
  );
}

describe('the node that Turnus itself runs on', () => {
  const env = { TURNUS_NODE_NAME: 'node-1' };

  async function setBootId(name: string, bootID: string): Promise<void> {
    await cluster.api.patch(
      { kind: 'Node', name },
      { body: { status: { nodeInfo: { bootID } } }, subresource: 'status' },
    );
  }

  it('is the last in the plan, and blocked, where the environment names it', async () => {
    const nodes = await planned(3, [], { env });
    expect(verdicts(nodes)).toEqual(['node-2 goes', 'node-3 goes', 'node-1 blocked']);
    expect(given(nodes, 'own-node')).toEqual(['node-1: block Node node-1']);
  });

  it('is found by the boot id of this machine, where exactly one node reports it', async () => {
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    await setBootId('node-2', bootId);
    const nodes = await planned(3, ['--rehearse']);
    expect(verdicts(nodes)).toEqual(['node-1 goes', 'node-3 goes', 'node-2 blocked']);
    expect(given(nodes, 'own-node')).toEqual(['node-2: block Node node-2']);

    await setBootId('node-3', bootId);
    expect(verdicts(await planned(0, ['--rehearse']))).toEqual(['node-1 goes', 'node-2 goes', 'node-3 goes']);
    for (const node of ['node-2', 'node-3']) await setBootId(node, hosts.host(node).bootId);
    expect(verdicts(await planned(0))).toEqual(['node-1 goes', 'node-2 goes', 'node-3 goes']);
  });

  it('stays in service in a run, which takes the others and exits 3', async () => {
    const pods = await cluster.api.list({ kind: 'Pod', fieldSelector: 'spec.nodeName=node-1' });
    expect(pods.length).toBeGreaterThan(0);
    const result = await turnus(['run', '--yes'], { env });
    expectExit(result, 3);
    expect(await phasesOf(cluster)).toEqual(['node-2 Done', 'node-3 Done', 'node-1 Blocked']);
    expect((await turnsOf(cluster)).at(-1)?.message).toContain('Turnus itself runs on node node-1');
    const onNode = (await turnusWrites(cluster)).filter(
      ({ resource, name }) => resource === 'nodes' && name === 'node-1',
    );
    expect(onNode).toEqual([]);
    const evicted = (await evictions(cluster)).map(({ pod }) => pod);
    for (const { metadata } of pods) expect(evicted).not.toContain(`default/${metadata.name}`);
    expect(await hosts.host('node-1').counter('updates')).toBe(0);
    expect(hosts.host('node-1').bootIds).toHaveLength(1);
  });

  it('has its turn in the same run when that goes on from another machine', async () => {
    expectExit(await turnus(['run', '--yes'], { env: { TURNUS_NODE_NAME: 'a-node-of-another-cluster' } }), 0);
    expect(await phasesOf(cluster)).toEqual(['node-2 Done', 'node-3 Done', 'node-1 Done']);
    for (const host of hosts.all()) expect(await host.counter('updates')).toBe(1);
  });
});

describe('a namespace in the context of the kubeconfig', () => {
  it('changes nothing: objects and lease stay in the namespace of Turnus', async () => {
    await cluster.createNamespace('elsewhere');
    const config = JSON.parse(await readFile(cluster.kubeconfigPath, 'utf8')) as {
      contexts: { context: Record<string, string> }[];
    };
    for (const { context } of config.contexts) context['namespace'] = 'elsewhere';
    const kubeconfig = join(cluster.directory, 'kubeconfig-elsewhere');
    await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
    const before = (await turnusRequests(cluster)).length;
    expectExit(await turnus(['run', '--yes', '--rehearse', '--node', 'node-1'], { kubeconfig }), 5);

    const requests = (await turnusRequests(cluster)).slice(before);
    expect(requests.filter(({ namespace }) => namespace === 'elsewhere')).toEqual([]);
    const ours = requests.filter(({ resource }) => ['maintenanceruns', 'nodeturns'].includes(resource));
    const leases = requests.filter(({ resource, verb }) => resource === 'leases' && verb !== 'get');
    expect(ours.length).toBeGreaterThan(0);
    expect(leases.length).toBeGreaterThan(0);
    expect(new Set([...ours, ...leases].map(({ namespace }) => namespace))).toEqual(new Set([systemNamespace]));
  });

  it('is no option of run', async () => {
    const result = await turnus(['run', '--yes', '--namespace', 'elsewhere']);
    expectExit(result, 2);
    expect(result.stderr).toContain("unknown option '--namespace'");
  });
});

describe('pods of a custom kind', () => {
  it('are as many as its scale says, not as many as there are', async () => {
    const namespace = 'fleet';
    await createCustomKinds(cluster.api);
    await cluster.createNamespace(namespace);
    const fleet = { kind: 'Fleet', namespace, name: 'crawler' } as const;
    const owner = await createCustom(cluster.api, { ...fleet, replicas: 4 });
    for (const nodeName of ['node-1', 'node-2']) {
      const pod = barePod({ name: `crawler-${nodeName}`, namespace, startMs: 50, podSpec: { nodeName } });
      pod.metadata.ownerReferences = [{ ...owner }];
      await createReady(cluster.api, [pod]);
    }
    expect(given(await planned(3), 'replica-spread').sort()).toEqual([
      'node-1: block Fleet fleet/crawler',
      'node-2: block Fleet fleet/crawler',
    ]);

    const path = '/apis/test.example.com/v1/namespaces/fleet/fleets/crawler/scale';
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'crawler', namespace } };
    const { status } = await cluster.api.request({ method: 'PUT', path, body: { ...scale, spec: { replicas: 2 } } });
    expect(status).toBe(200);
    expect(given(await planned(0), 'replica-spread')).toEqual([]);
    await cluster.api.delete({ kind: 'Namespace', name: namespace });
  });
});

/** A kind that the API server serves with whatever is written into its objects. */
async function serve(kind: { group: string; version: string; name: string; plural: string }): Promise<void> {
  const { group, version, name, plural } = kind;
  await cluster.api.create({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: name, plural, singular: name.toLowerCase(), listKind: `${name}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  });
  await waitFor({
    what: `${plural}.${group} to be served`,
    probe: async () =>
      (await cluster.api.request({ method: 'GET', path: `/apis/${group}/${version}/${plural}` })).status === 200,
  });
}

async function createIn(path: string, object: Record<string, unknown>): Promise<void> {
  const { status, body } = await cluster.api.request({ method: 'POST', path, body: object });
  expect(status, JSON.stringify(body)).toBe(201);
}

describe('others that take nodes down', () => {
  const machineChecks = { group: 'cluster.x-k8s.io', version: 'v1beta1', plural: 'machinehealthchecks' };
  const openShiftChecks = { group: 'machine.openshift.io', version: 'v1beta1', plural: 'machinehealthchecks' };
  const upgradePlans = { group: 'upgrade.cattle.io', version: 'v1', plural: 'plans' };
  const expected = ['node-1', 'node-2', 'node-3'].flatMap((node) => [
    `${node}: caution DaemonSet kube-system/kured`,
    ...(node === 'node-2' ? ['node-2: caution Plan default/agents'] : []),
    `${node}: caution MachineHealthCheck default/workers`,
  ]);

  beforeAll(async () => {
    playbook = await writePlaybook({ cluster, hosts, name: 'others', spec: { ...quick, nodes: { order: ['name'] } } });
  });

  it('are not spoken of where there are none', async () => {
    expect(given(await planned(0), 'other-rebooter')).toEqual([]);
  });

  it('are caution in the plan, which exits 0', async () => {
    await createReady(cluster.api, [daemonSet({ name: 'kured', namespace: 'kube-system' })]);
    await serve({ ...machineChecks, name: 'MachineHealthCheck' });
    await createIn('/apis/cluster.x-k8s.io/v1beta1/namespaces/default/machinehealthchecks', {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'MachineHealthCheck',
      metadata: { name: 'workers' },
      spec: { unhealthyConditions: [{ type: 'Ready', status: 'Unknown', timeout: '30s' }] },
    });
    await serve({ ...openShiftChecks, name: 'MachineHealthCheck' });
    await serve({ ...upgradePlans, name: 'Plan' });
    await createIn('/apis/upgrade.cattle.io/v1/namespaces/default/plans', {
      apiVersion: 'upgrade.cattle.io/v1',
      kind: 'Plan',
      metadata: { name: 'agents' },
      spec: { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'node-2' } } },
    });
    const nodes = await planned(0);
    expect(given(nodes, 'other-rebooter').sort()).toEqual([...expected].sort());
    const text = await turnus(['plan']);
    expectExit(text, 0);
    expect(text.stdout).toMatch(/caution other-rebooter \(node-1, node-2, node-3\)\n.*kube-system\/kured/);
    expect(text.stdout).toMatch(/not Ready for 30 s, and spec.host.reboot.timeout gives a boot 1 min/);
  });

  it('are kept with the turn in a run, which goes on', async () => {
    expectExit(await turnus(['run', '--yes', '--rehearse']), 0);
    const turns = await turnsOf(cluster, 'others');
    expect(
      turns.map(({ node, findings = [] }) => ({
        node,
        cautions: findings.filter(({ code, severity }) => code === 'other-rebooter' && severity === 'caution').length,
      })),
    ).toEqual([
      { node: 'node-1', cautions: 2 },
      { node: 'node-2', cautions: 3 },
      { node: 'node-3', cautions: 2 },
    ]);
  });

  it('are shown to a user with the installed role, and are unknown, for the record, to one with an older role', async () => {
    const rbac = 'rbac.authorization.k8s.io';
    const installed = await cluster.api.get({ kind: 'ClusterRole', name: 'turnus' });
    const rules = installed['rules'] as { apiGroups: string[] }[];
    const older = rules.filter(({ apiGroups }) =>
      apiGroups.every((group) => group !== upgradePlans.group && group !== machineChecks.group),
    );
    expect(older).toHaveLength(rules.length - 2);
    const metadata = { name: 'operator' };
    await cluster.api.create({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules: older });
    const bindTo = async (role: string): Promise<void> => {
      await cluster.api.create({
        apiVersion: `${rbac}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name: `operator-${role}` },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'User', apiGroup: rbac, name: 'operator' }],
      });
    };
    const untilMayList = async (path: string): Promise<void> => {
      await waitFor({
        what: `the operator may list ${path}`,
        probe: async () => (await cluster.apiAs('operator').request({ method: 'GET', path })).status === 200,
      });
    };
    const kubeconfig = await cluster.kubeconfigFor('operator');

    await bindTo('operator');
    await untilMayList('/api/v1/nodes?limit=1');
    const [first, ...more] = await planned(0, [], { kubeconfig });
    const unknown = (first?.findings ?? []).filter(
      ({ code, severity }) => code === 'other-rebooter' && severity === 'info',
    );
    expect(unknown.flatMap(({ objects }) => objects).sort()).toEqual([
      'machinehealthchecks.cluster.x-k8s.io',
      'machinehealthchecks.machine.openshift.io',
      'plans.upgrade.cattle.io',
    ]);
    expect(unknown[0]?.hint).toContain('turnus install');
    expect(more).toHaveLength(2);

    await bindTo('turnus');
    await untilMayList('/apis/upgrade.cattle.io/v1/plans?limit=1');
    expect(given(await planned(0, [], { kubeconfig }), 'other-rebooter').sort()).toEqual([...expected].sort());
  });
});
