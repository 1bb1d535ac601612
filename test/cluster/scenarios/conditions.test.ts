import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { attemptsOn, expectEnd, letGo, untilScriptRuns, waitingScript } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import type { PlaybookOptions } from '../playbook.js';
import {
  expectExit,
  expectNoMarks,
  installTurnus,
  phasesOf,
  runOf,
  runs,
  systemNamespace,
  turnsOf,
  turnusRequests,
  turnusWrites,
  untilTurn,
} from '../runReport.js';
import { runTurnus, startTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

const rbac = 'rbac.authorization.k8s.io';
const store = { apiVersion: 'sim.test/v1', kind: 'Store', namespace: 'storage', name: 'main' };
const health = { ...store, path: '.status.health', in: ['OK', 'WARN'] };
const ready = {
  apiVersion: 'sim.test/v1',
  kind: 'Store',
  path: '.status.conditions[?(@.type=="Ready")].status',
  in: ['True'],
};
const well = { health: 'OK', conditions: [{ type: 'Ready', status: 'True' }] };

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  attempts = attemptsOn(cluster);
  await cluster.createNamespace('storage');
  await define('Store', 'stores', 'Namespaced');
  await define('Zone', 'zones', 'Cluster');
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 2 })]);
  const path = '/apis/sim.test/v1/namespaces/storage/stores';
  const body = { apiVersion: 'sim.test/v1', kind: 'Store', metadata: { name: 'main' }, status: well };
  expect((await cluster.api.request({ method: 'POST', path, body })).status).toBe(201);
});

beforeEach(async () => {
  await setStatus(well);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

/** A kind of the group sim.test without a schema; returns when it is served. */
async function define(kind: string, plural: string, scope: 'Namespaced' | 'Cluster'): Promise<void> {
  await cluster.api.create({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.sim.test` },
    spec: {
      group: 'sim.test',
      scope,
      names: { kind, plural, singular: plural.slice(0, -1) },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  });
  const path = `/apis/sim.test/v1/${plural}`;
  await waitFor({
    what: `${plural} to be served`,
    probe: async () => (await cluster.api.request({ method: 'GET', path })).status === 200,
  });
}

async function setStatus(status: Record<string, unknown>): Promise<void> {
  const { status: code } = await cluster.api.request({
    method: 'PATCH',
    path: '/apis/sim.test/v1/namespaces/storage/stores/main',
    body: { status },
    contentType: 'application/merge-patch+json',
  });
  expect(code).toBe(200);
}

/** A playbook with these conditions, whose turns neither reboot nor try again. */
async function playbookOf(
  name: string,
  gate: { conditions: unknown[]; wait?: string },
  options: Pick<PlaybookOptions, 'nodes' | 'script'> = {},
): Promise<string> {
  const spec = { gates: { clusterHealth: gate }, drain: { attempts: 1 }, host: { reboot: { when: 'never' } } };
  return await writePlaybook({ cluster, hosts, name, spec, ...options });
}

async function plan(name: string, conditions: unknown[]): ReturnType<typeof runTurnus> {
  const playbook = await playbookOf(name, { conditions });
  return await runTurnus(['plan', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
}

async function nodePatches(): Promise<{ name: string; time: Date }[]> {
  return (await turnusWrites(cluster)).filter(({ resource }) => resource === 'nodes');
}

async function isCordoned(name: string): Promise<boolean> {
  return (await cluster.api.get({ kind: 'Node', name })).spec.unschedulable ?? false;
}

describe('turnus plan', () => {
  it('says nothing of conditions that hold', async () => {
    const result = await plan('holds', [health, ready]);
    expectExit(result, 0);
    expect(result.stdout).not.toContain('cluster-not-healthy');
  });

  it('names object, path, value and what is wanted, once for all nodes, and exits 3 at once', async () => {
    await setStatus({ health: 'DEGRADED', conditions: [{ type: 'Ready', status: 'False' }] });
    const result = await plan('degraded', [health, ready]);
    expectExit(result, 3);
    expect(result.stdout.split('Store storage/main has .status.health DEGRADED; wanted is OK or WARN.')).toHaveLength(
      2,
    );
    expect(result.stdout).toContain(`Store storage/main has ${ready.path} False; wanted is True.`);
    expect(result.stdout).toContain('block cluster-not-healthy (node-1, node-2)');
    expect(result.stdout).toContain('kubectl -n storage describe stores.sim.test main');
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    [
      'an object that is not there',
      { ...health, name: 'other' },
      'cluster-not-healthy',
      'There is no Store storage/other.',
    ],
    [
      'a kind of which there is none in the namespace',
      { ...ready, namespace: 'default' },
      'cluster-not-healthy',
      'There is no Store in namespace default.',
    ],
    [
      'a field that is not there',
      { ...health, path: '.status.healht' },
      'cluster-not-healthy',
      'Store storage/main has no .status.healht; wanted is OK or WARN.',
    ],
    [
      'a kind that is not served',
      { ...health, kind: 'Stroe' },
      'condition-unreadable',
      'The API server serves no kind Stroe in sim.test/v1.',
    ],
    [
      'a group that is not served',
      { ...health, apiVersion: 'ceph.rook.io/v1' },
      'condition-unreadable',
      'The API server serves no kind Store in ceph.rook.io/v1.',
    ],
    [
      'a name without its namespace',
      { ...ready, name: 'main' },
      'condition-unreadable',
      'A Store is in a namespace, and the condition on Store main names none.',
    ],
    [
      'a namespace of a kind that has none',
      { ...ready, kind: 'Zone', namespace: 'storage' },
      'condition-unreadable',
      'A Zone is in no namespace, and the condition on Zone in namespace storage names one.',
    ],
    [
      'a kind that cannot be listed',
      { ...ready, apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' },
      'condition-unreadable',
      'SelfSubjectAccessReview cannot be read: ',
    ],
  ])('makes a finding of %s', async (_, condition, code, message) => {
    const result = await plan('mistaken', [condition]);
    expectExit(result, 3);
    expect(result.stdout).toContain(`block ${code} (node-1, node-2)\n  ${message}`);
    expect(result.stderr).not.toMatch(/unexpected|defect/);
  });
});

describe('a run whose conditions do not hold', () => {
  it('waits with the node in service, says for what, until when and who can end it, and goes on when they do', async () => {
    await setStatus({ health: 'DEGRADED' });
    const playbook = await playbookOf('waits', { conditions: [health, ready], wait: '2m' });
    const before = await nodePatches();
    const turnus = attempts.start(playbook);
    const { waitingFor, phase } = await untilTurn(
      { cluster, playbook: 'waits', node: 'node-1', what: 'waiting for the store' },
      (turn) => turn.waitingFor?.what.includes('DEGRADED') ?? false,
    );
    expect(phase).toBe('Checking');
    expect(waitingFor?.what).toBe(
      'the cluster to be well: Store storage/main has .status.health DEGRADED; wanted is OK or WARN',
    );
    expect(waitingFor?.who).toBe('whoever looks after Store storage/main');
    const waited = Date.parse(waitingFor?.until ?? '') - Date.parse(waitingFor?.since ?? '');
    expect(waited).toBeGreaterThan(110_000);
    expect(waited).toBeLessThan(150_000);
    expect(await isCordoned('node-1')).toBe(false);
    expect(await nodePatches()).toEqual(before);

    await setStatus({ health: 'WARN' });
    const wellAt = new Date();
    await expectEnd(turnus, 0);
    expect(await phasesOf(cluster, 'waits')).toEqual(['node-1 Done', 'node-2 Done']);
    const [cordon] = (await nodePatches()).slice(before.length);
    expect(cordon?.name).toBe('node-1');
    // Within the interval of the poll.
    expect(cordon?.time.getTime()).toBeGreaterThan(wellAt.getTime());
    expect((await turnsOf(cluster, 'waits'))[0]?.waitingFor).toBeUndefined();
    expect(turnus.stderr()).toContain('the cluster to be well: Store storage/main');
  });

  it('defers the node when the wait is over, never cordons it, and exits 3', async () => {
    await setStatus({ health: 'LOST' });
    const playbook = await playbookOf('never', { conditions: [health], wait: '6s' }, { nodes: ['node-1'] });
    const before = await nodePatches();
    const turnus = attempts.start(playbook);
    await expectEnd(turnus, 3);
    const [turn] = await turnsOf(cluster, 'never');
    expect(turn?.phase).toBe('Deferred');
    expect(turn?.findings?.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'cluster-not-healthy' },
    ]);
    expect(turn?.message).toContain('Store storage/main has .status.health LOST; wanted is OK or WARN.');
    expect(turn?.waitingFor).toBeUndefined();
    expect(await nodePatches()).toEqual(before);
    expect(await hosts.host('node-1').counter('updates')).toBe(1); // of the run above
    await expectNoMarks(cluster, { lastTurn: ['node-1', 'node-2'] });
  });

  it('does not wait where waiting cannot help, and is stopped in its wait by Ctrl-C at once', async () => {
    await setStatus({ health: 'LOST' });
    const unreadable = { ...health, kind: 'Stroe' };
    const hopeless = await playbookOf('hopeless', { conditions: [health, unreadable], wait: '2m' });
    await expectEnd(attempts.start(hopeless), 3, 40_000);
    expect(await phasesOf(cluster, 'hopeless')).toEqual(['node-1 Blocked', 'node-2 Blocked']);

    const turnus = attempts.start(await playbookOf('interrupted', { conditions: [health], wait: '2m' }));
    await untilTurn(
      { cluster, playbook: 'interrupted', node: 'node-1', what: 'waiting for the store' },
      (turn) => turn.waitingFor?.what.includes('LOST') ?? false,
    );
    turnus.kill('SIGINT');
    await expectEnd(turnus, 130, 10_000);
    expect(await phasesOf(cluster, 'interrupted')).toEqual(['node-1 Pending', 'node-2 Pending']);
    await expectNoMarks(cluster, { lastTurn: ['node-1', 'node-2'] });
  });

  it('lets a turn finish that is past its cordon, and does not begin the next', async () => {
    const playbook = await playbookOf('between', { conditions: [health], wait: '6s' }, { script: waitingScript });
    for (const host of hosts.all()) await host.ssh('rm -f /srv/host/updates', { user: 'root' });
    const before = await nodePatches();
    const turnus = attempts.start(playbook);
    await untilScriptRuns(hosts.host('node-1'));
    await setStatus({ health: 'DEGRADED' });
    await letGo(hosts.host('node-1'));
    await expectEnd(turnus, 3);
    expect(await phasesOf(cluster, 'between')).toEqual(['node-1 Done', 'node-2 Deferred']);
    expect((await nodePatches()).slice(before.length).map(({ name }) => name)).toEqual(['node-1', 'node-1']);
    expect(await hosts.host('node-2').counter('updates')).toBe(0);
  });
});

describe('the roles that conditions need', () => {
  const conditions = [health, ready];
  const role = 'turnus-conditions-rights';

  it('are missed by name where only `turnus install` was run, made by `install -f`, and enough for a run', async () => {
    const playbook = await playbookOf('rights', { conditions }, { nodes: ['node-1'] });
    await bindInstalled();
    const kubeconfig = await cluster.kubeconfigFor('operator');
    for (const command of [['plan'], ['run', '--yes']]) {
      const refused = await runTurnus([...command, '-f', playbook], { kubeconfig });
      expectExit(refused, 2);
      expect(refused.stderr).toContain(
        'operator may not: get stores.sim.test main in namespace storage; list stores.sim.test.',
      );
      expect(refused.stderr).toContain('turnus install -f PLAYBOOK');
    }
    expect((await runs(cluster)).map(({ name }) => name).filter((name) => name.startsWith('rights-'))).toEqual([]);

    const installed = await runTurnus(['install', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expectExit(installed, 0);
    expect(installed.stderr).toContain(`applied Role storage/${role}`);
    expect(installed.stderr).toContain(`bind them to Role ${role} in storage, ClusterRole ${role} as well`);
    await bind('ClusterRoleBinding', 'operator-conditions', { kind: 'ClusterRole', name: role });
    await bind('RoleBinding', 'operator-conditions', { kind: 'Role', name: role }, 'storage');
    await untilAllowed('/apis/sim.test/v1/stores');
    await untilAllowed('/apis/sim.test/v1/namespaces/storage/stores/main');

    const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig });
    expectExit(result, 0);
    expect(await phasesOf(cluster, 'rights')).toEqual(['node-1 Done']);
    expect((await runOf(cluster, 'rights')).spec.requester).toBe('operator');
    const refusals = (await turnusRequests(cluster)).filter(({ code, user }) => code === 403 && user === 'operator');
    expect(refusals.map(({ uri }) => uri).filter((uri) => uri.includes('sim.test'))).toEqual([]);
  });

  it('are missed by name too when they are taken away while a run waits, which then waits no longer', async () => {
    await setStatus({ health: 'DEGRADED' });
    const playbook = await playbookOf('revoked', { conditions: [health], wait: '2m' }, { nodes: ['node-1'] });
    const kubeconfig = await cluster.kubeconfigFor('operator');
    const turnus = startTurnus(['run', '-f', playbook, '--yes'], { kubeconfig });
    await untilTurn(
      { cluster, playbook: 'revoked', node: 'node-1', what: 'waiting for the store' },
      (turn) => turn.waitingFor?.what.includes('DEGRADED') ?? false,
    );
    await cluster.api.delete({ kind: 'RoleBinding', namespace: 'storage', name: 'operator-conditions' });
    await expectEnd(turnus, 3, 40_000);
    const [turn] = await turnsOf(cluster, 'revoked');
    expect(turn).toMatchObject({ phase: 'Blocked', findings: [{ code: 'condition-unreadable' }] });
    expect(turn?.message).toMatch(/^Store storage\/main may not be read: .*"operator" cannot get resource "stores"/);
  });

  it('let the ServiceAccount of Turnus read exactly what the conditions name', async () => {
    const user = `system:serviceaccount:${systemNamespace}:turnus`;
    const may = async (attributes: Record<string, string>): Promise<boolean> => {
      const { body } = await cluster.api.request({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: { user, resourceAttributes: { group: 'sim.test', resource: 'stores', ...attributes } },
        },
      });
      return (body as { status: { allowed: boolean } }).status.allowed;
    };
    expect(await may({ verb: 'get', namespace: 'storage', name: 'main' })).toBe(true);
    expect(await may({ verb: 'list' })).toBe(true);
    expect(await may({ verb: 'get', namespace: 'storage', name: 'other' })).toBe(false);
    expect(await may({ verb: 'get', namespace: 'default', name: 'main' })).toBe(false);
    expect(await may({ verb: 'watch' })).toBe(false);
    expect(await may({ verb: 'patch', namespace: 'storage', name: 'main' })).toBe(false);
  });

  it('are printed as they are applied', async () => {
    const playbook = await playbookOf('rights', { conditions });
    const result = await runTurnus(['install', '--print', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 0);
    const printed = parseAllDocuments(result.stdout)
      .map((document) => document.toJS() as { kind: string; metadata: { name: string }; rules?: unknown })
      .filter(({ metadata }) => metadata.name === role);
    expect(printed.map(({ kind }) => kind)).toEqual(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);
    const installed = await cluster.api.get({ kind: 'Role', namespace: 'storage', name: role });
    expect(installed).toMatchObject(printed[0] ?? {});
  });

  it('are refused for a kind that is not served, before anything is applied', async () => {
    const playbook = await playbookOf('unserved', { conditions: [health, { ...health, kind: 'Stroe' }] });
    const before = await turnusWrites(cluster);
    const result = await runTurnus(['install', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 2);
    expect(result.stderr).toContain('The API server serves no kind Stroe in sim.test/v1. Nothing was installed.');
    expect(result.stderr).toContain('spec.gates.clusterHealth.conditions[1]');
    expect(await turnusWrites(cluster)).toEqual(before);
  });

  it('are refused for a playbook that is for another cluster', async () => {
    const spec = { gates: { clusterHealth: { conditions } }, cluster: { uid: '6f1c0a52-1111-4222-8333-444455556666' } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'foreign', spec });
    const before = await turnusWrites(cluster);
    const result = await runTurnus(['install', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 2);
    expect(result.stderr).toContain('spec.cluster.uid');
    expect(await turnusWrites(cluster)).toEqual(before);
  });

  /** Binds the operator to what `turnus install` made, as docs/install.md says. */
  async function bindInstalled(): Promise<void> {
    await bind('ClusterRoleBinding', 'operator', { kind: 'ClusterRole', name: 'turnus' });
    for (const namespace of [systemNamespace, 'default', 'kube-node-lease']) {
      await bind('RoleBinding', 'operator', { kind: 'Role', name: 'turnus' }, namespace);
    }
    await untilAllowed('/api/v1/nodes?limit=1');
    await untilAllowed(`/apis/turnus.dev/v1alpha1/namespaces/${systemNamespace}/nodeturns`);
  }

  async function bind(
    kind: 'RoleBinding' | 'ClusterRoleBinding',
    name: string,
    to: { kind: string; name: string },
    namespace?: string,
  ): Promise<void> {
    await cluster.api.create({
      apiVersion: `${rbac}/v1`,
      kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      roleRef: { apiGroup: rbac, ...to },
      subjects: [{ kind: 'User', apiGroup: rbac, name: 'operator' }],
    });
  }

  async function untilAllowed(path: string): Promise<void> {
    await waitFor({
      what: `the operator to be allowed ${path}`,
      probe: async () => (await cluster.apiAs('operator').request({ method: 'GET', path })).status === 200,
    });
  }
});
