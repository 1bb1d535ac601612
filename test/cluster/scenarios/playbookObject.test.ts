import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { clusterFiles } from '../../../src/cli/playbookFiles.js';
import type { ApiObject, ClusterPort } from '../../../src/cluster/clusterPort.js';
import { connect } from '../../../src/kubernetes/connect.js';
import type { PlaybookAnswer } from '../../../src/playbook/loadPlaybook.js';
import { formatMistake } from '../../../src/playbook/mistake.js';
import { loadPlaybookObject } from '../../../src/playbook/objectPlaybook.js';
import { planHash } from '../../../src/run/planHash.js';
import { systemClock } from '../../../src/systemClock.js';
import type { UserName } from '../accounts.js';
import { ensureKubectl } from '../binaries.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { runCommand, type CommandResult } from '../runCommand.js';
import { expectExit, installTurnus, systemNamespace } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';

/** admin and observer may do everything; operator and approver what these tests let them. */
type Person = Extract<UserName, 'admin' | 'observer' | 'operator' | 'approver'>;

const playbooks = `/apis/turnus.dev/v1alpha1/namespaces/${systemNamespace}/playbooks`;
const rbac = 'rbac.authorization.k8s.io';
const { signal } = new AbortController();

let cluster: Cluster;
let kubectlPath: string;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 });
  kubectlPath = await ensureKubectl();
  await installTurnus(cluster, ['--with', 'serve']);
  const forged = { 'turnus.dev/trigger-id': '1', 'turnus.dev/trigger-by': 'nobody' };
  await waitFor({
    what: 'the admission policy to be enforced',
    probe: async () => (await write('POST', '', playbookNamed('probe', { annotations: forged }))).status === 403,
  });
  // operator writes playbooks, approver serves.
  await bind({ person: 'operator', role: { kind: 'ClusterRole', name: 'turnus-playbook-editor' } });
  await bind({ person: 'approver', role: { kind: 'Role', name: 'turnus-serve' } });
});

afterAll(async () => {
  await cluster.stop();
});

/** In Turnus' namespace; the CRDs, which are in none, are for everybody to see. */
async function bind({ person, role }: { person: Person; role: { kind: string; name: string } }): Promise<void> {
  const subjects = [{ kind: 'User', apiGroup: rbac, name: person }];
  const roleRef = { apiGroup: rbac, ...role };
  const metadata = { name: person };
  const inNamespace = { ...metadata, namespace: systemNamespace };
  await cluster.api.create({
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: inNamespace,
    roleRef,
    subjects,
  });
  await cluster.api.create({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'turnus-view' },
    subjects,
  });
}

async function kubectl(args: string[], stdin = ''): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'], HOME: cluster.directory, KUBECONFIG: cluster.kubeconfigPath };
  return await runCommand(kubectlPath, args, { env, stdin });
}

function playbookNamed(name: string, changes: { annotations?: Record<string, string>; spec?: object } = {}): ApiObject {
  const { annotations, spec = { host: { ssh: { user: 'ops' } } } } = changes;
  return {
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'Playbook',
    metadata: { name, namespace: systemNamespace, ...(annotations === undefined ? {} : { annotations }) },
    spec,
  };
}

async function write(
  method: 'POST' | 'PUT' | 'PATCH',
  path: string,
  body: unknown,
  user: Person = 'admin',
): Promise<{ status: number; message: string }> {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const url = `${playbooks}${path}?fieldValidation=Strict`;
  const answer = await cluster.apiAs(user).request({ method, path: url, body, contentType });
  const { body: said } = answer;
  const message = typeof said === 'object' && said !== null && 'message' in said ? String(said.message) : '';
  return { status: answer.status, message };
}

async function annotate(name: string, annotations: Record<string, string | null> | null, user: Person) {
  return await write('PATCH', `/${name}`, { metadata: { annotations } }, user);
}

async function read(name: string): Promise<ApiObject> {
  const object = await cluster.api.get({ kind: 'Playbook', namespace: systemNamespace, name });
  return { ...object, metadata: { ...object.metadata } };
}

describe('a playbook that is applied to the cluster', () => {
  it.each(['debian.yaml', 'rhel.yaml', 'kind.yaml'])('%s stands there as it was written', async (file) => {
    const text = await readFile(new URL(`../../../playbooks/${file}`, import.meta.url), 'utf8');
    const applied = await kubectl(['-n', systemNamespace, 'apply', '-f', '-'], text);
    expect({ ...applied, stdout: '' }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const written = parse(text) as ApiObject;
    const there = await read(written.metadata.name ?? '');
    // Neither a default is filled in nor a field lost.
    expect(there['spec']).toEqual(written['spec']);
  });

  it('keeps what is misspelt, at every level, and is judged by Turnus with a sentence', async () => {
    const text = [
      'apiVersion: turnus.dev/v1alpha1',
      'kind: Playbook',
      'metadata: {name: misspelt}',
      'sepc: {}',
      'spec:',
      '  drian: {timeout: 5m}',
      '  drain: {timout: 15m, overrides: [{selector: a=b, du: evict}]}',
      '  nodes: {maxUnavailable: 10%, steer: tiant}',
      '  host: {ssh: {user: ops, bastion: [{hots: jump}], fingerprints: {node-1: abc}}}',
    ].join('\n');
    const applied = await kubectl(['-n', systemNamespace, 'apply', '-f', '-'], text);
    expect(applied).toMatchObject({ exitCode: 0, stderr: '' });
    const there = await read('misspelt');
    const { metadata: _metadata, ...written } = parse(text) as ApiObject;
    expect(there).toMatchObject(written);
    const answer = await loadPlaybookObject({
      object: there,
      readFile: () => Promise.resolve({ kind: 'missing', message: '' }),
      now: Date.now(),
    });
    expect(mistakesOf(answer)).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`Playbook ${systemNamespace}/misspelt sepc: unknown field`),
        expect.stringContaining('spec.drian: unknown field; did you mean drain?'),
        expect.stringContaining('spec.drain.overrides[0].du: unknown field'),
        expect.stringContaining('spec.nodes.steer: expected taint or off, not "tiant"; did you mean taint?'),
        expect.stringContaining('spec.host.ssh.bastion[0].hots: unknown field; did you mean host?'),
      ]),
    );
  });

  it('is refused at once where a value has another type than its field', async () => {
    const answer = await write('POST', '', playbookNamed('typed', { spec: { drain: { attempts: 'two' } } }));
    expect(answer.status).toBe(422);
    expect(answer.message).toContain('spec.drain.attempts');
  });

  it('is explained by kubectl, and shown with what the actor says of it', async () => {
    const explained = await kubectl(['explain', 'playbook.spec.drain']);
    expect(explained.stderr).toBe('');
    expect(explained.stdout).toMatch(/timeout\s+<string>\s+One hard bound for the whole drain\..*Default: 15m\./s);
    expect((await kubectl(['explain', 'pb.spec.nodes'])).stdout).toMatch(
      /maxUnavailable\s+<Object>.*?A whole\s+number\s+or\s+a\s+text\./s,
    );
    expect((await write('POST', '', playbookNamed('shown'))).status).toBe(201);
    const lastTransitionTime = '2026-11-30T10:00:00Z';
    const status = {
      nextWindow: { opensAt: '2026-12-08T22:00:00+01:00' },
      lastRun: { name: 'shown-2026-11', phase: 'Completed' },
      coverage: { nodes: 6, overdue: 2 },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Unhindered', message: 'm', lastTransitionTime },
        { type: 'Valid', status: 'False', reason: 'Mistakes', message: 'm', lastTransitionTime },
      ],
    };
    expect((await write('PATCH', '/shown/status', { status })).status).toBe(200);
    const table = await kubectl(['-n', systemNamespace, 'get', 'pb', 'shown']);
    expect(table.stdout).toMatch(/NAME\s+READY\s+VALID\s+NEXT WINDOW\s+LAST RUN\s+PHASE\s+OVERDUE\s+AGE/);
    expect(table.stdout).toMatch(/shown\s+True\s+False\s+2026-12-08T22:00:00\+01:00\s+shown-2026-11\s+Completed\s+2\s/);
    const wrong = await write('PATCH', '/shown/status', { status: { ...status, colour: 'red' } });
    expect(wrong).toMatchObject({ status: 422, message: expect.stringContaining('unknown field') as string });
  });
});

function mistakesOf(answer: PlaybookAnswer): string[] {
  return answer.kind === 'invalid' ? answer.mistakes.map(formatMistake) : [];
}

describe('the files of a playbook in the cluster', () => {
  const spec = {
    host: {
      ssh: {
        user: 'ops',
        knownHosts: { configMapKeyRef: { name: 'files', key: 'known_hosts' } },
        identity: { secretKeyRef: { name: 'login', key: 'id' } },
      },
      update: { script: { configMapKeyRef: { name: 'files', key: 'update.sh' } } },
    },
  };
  const script = '#!/bin/sh\necho reboot=no >>"$TURNUS_RESULT"\n';
  const ports: ClusterPort[] = [];

  beforeAll(async () => {
    const metadata = { namespace: systemNamespace };
    const secret = Buffer.from('hush-hush\n').toString('base64');
    await cluster.api.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, name: 'files' },
      data: { 'update.sh': script, known_hosts: '' },
    });
    await cluster.api.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata, name: 'login' },
      data: { id: secret },
    });
    expect((await write('POST', '', playbookNamed('filed', { spec }))).status).toBe(201);
  });

  afterAll(() => {
    for (const port of ports) port.close();
  });

  async function loadAs(person: Person, changes: { spec?: object } = {}): Promise<PlaybookAnswer> {
    const port = await connect({
      kubeconfigPath: await cluster.kubeconfigFor(person),
      inCluster: false,
      userAgent: 'turnus/test',
      clock: systemClock,
      requestTimeoutMs: 10_000,
    });
    ports.push(port);
    const { readFile: read } = clusterFiles({ cluster: port, namespace: systemNamespace }, signal);
    const object = { ...(await readPlaybook()), ...changes };
    return await loadPlaybookObject({ object, readFile: read, now: Date.now() });
  }

  async function readPlaybook(): Promise<ApiObject> {
    return await read('filed');
  }

  it('are read by whoever serves, and a change of a script changes the plan hash', async () => {
    const hash = async () => {
      const answer = await loadAs('approver');
      expect(mistakesOf(answer)).toEqual([]);
      if (answer.kind === 'invalid') throw new Error('not reached');
      return planHash({ clusterUid: cluster.uid, playbook: answer.playbook });
    };
    const before = await hash();
    expect(await hash()).toBe(before);
    const body = { data: { 'update.sh': `${script}# mended\n` } };
    await cluster.api.patch({ kind: 'ConfigMap', namespace: systemNamespace, name: 'files' }, { body });
    expect(await hash()).not.toBe(before);
  });

  it('that are not there are told from those that may not be read, and nothing is quoted', async () => {
    const changed = {
      spec: {
        host: {
          ssh: { ...spec.host.ssh, knownHosts: { configMapKeyRef: { name: 'none', key: 'a' } } },
          update: { script: { configMapKeyRef: { name: 'files', key: 'updat.sh' } } },
          join: { script: { secretKeyRef: { name: 'login', key: 'id' } } },
        },
      },
    };
    const name = `Playbook ${systemNamespace}/filed`;
    const seen = mistakesOf(await loadAs('approver', changed));
    expect(seen.sort()).toEqual([
      `${name} spec.host.join.script.secretKeyRef: key id of Secret login does not begin with a #! line; begin it with one such as #!/bin/sh`,
      `${name} spec.host.ssh.knownHosts.configMapKeyRef: there is no ConfigMap none in namespace ${systemNamespace}`,
      `${name} spec.host.update.script.configMapKeyRef: ConfigMap files in namespace ${systemNamespace} has no key updat.sh; it has known_hosts, update.sh`,
    ]);
    const refused = mistakesOf(await loadAs('operator'));
    expect(refused).toHaveLength(3);
    for (const mistake of refused) {
      expect(mistake).toMatch(/cannot be read: .*User "operator" cannot get resource .*turnus install --with serve/);
      expect(mistake).not.toContain('hush');
    }
  });
});

describe('who triggers a run', () => {
  const id = 'turnus.dev/trigger-id';
  const by = 'turnus.dev/trigger-by';
  const reason = 'turnus.dev/trigger-reason';
  const freezes = 'turnus.dev/trigger-override-freeze';
  const byAdmin = { [id]: '1', [by]: 'admin', [reason]: 'flood' };
  const all = { [id]: null, [by]: null, [reason]: null, [freezes]: null };
  let created = 0;
  let name = '';

  /** A playbook that admin has triggered. */
  beforeEach(async () => {
    created += 1;
    name = `triggered-${String(created)}`;
    expect(await write('POST', '', playbookNamed(name, { annotations: byAdmin }))).toMatchObject({ status: 201 });
  });

  it.each<{ title: string; annotations: Record<string, string | null> | null }>([
    { title: 'does so under their own name', annotations: { [id]: '2', [by]: 'operator', [reason]: 'fire' } },
    { title: 'names freezes too', annotations: { [id]: '2', [by]: 'operator', [reason]: 'fire', [freezes]: '["a"]' } },
    { title: 'takes it all away', annotations: all },
    { title: 'takes every annotation away', annotations: null },
    { title: 'annotates something else', annotations: { note: 'x' } },
  ])('may write it who $title', async ({ annotations }) => {
    expect(await annotate(name, annotations, 'operator')).toMatchObject({ status: 200 });
  });

  const ownName = 'annotation turnus.dev/trigger-by must be operator, who changes turnus.dev/trigger-id';
  const onlyWithId = 'the annotations of a trigger change only with a new turnus.dev/trigger-id';
  it.each<{ title: string; annotations: Record<string, string | null>; says: string }>([
    { title: 'leaves the name of another there', annotations: { [id]: '2' }, says: ownName },
    { title: 'writes the name of another', annotations: { [id]: '2', [by]: 'anna' }, says: ownName },
    { title: 'writes no name', annotations: { [id]: '2', [by]: null }, says: ownName },
    { title: 'changes the name alone, to their own', annotations: { [by]: 'operator' }, says: onlyWithId },
    { title: 'changes the reason alone', annotations: { [reason]: 'fire' }, says: onlyWithId },
    { title: 'adds freezes alone', annotations: { [freezes]: '["Year end"]' }, says: onlyWithId },
    { title: 'takes the reason away', annotations: { [reason]: null }, says: onlyWithId },
    { title: 'takes the id alone away', annotations: { [id]: null }, says: 'take them away with it' },
  ])('may not who $title', async ({ annotations, says }) => {
    const answer = await annotate(name, annotations, 'operator');
    expect(answer.status).toBe(403);
    expect(answer.message).toContain(says);
    expect((await read(name)).metadata.annotations).toEqual(byAdmin);
  });

  it('is held to it with a new playbook too', async () => {
    for (const annotations of [byAdmin, { [by]: 'operator' }]) {
      expect(await write('POST', '', playbookNamed('new', { annotations }), 'operator')).toMatchObject({ status: 403 });
    }
    const own = { ...byAdmin, [by]: 'operator' };
    expect(await write('POST', '', playbookNamed(`own-${name}`, { annotations: own }), 'operator')).toMatchObject({
      status: 201,
    });
  });

  it('does not keep others from editing what the playbook says, nor the actor from its status', async () => {
    const patched = await write('PATCH', `/${name}`, { spec: { drain: { timeout: '1m' } } }, 'operator');
    expect(patched).toMatchObject({ status: 200 });
    const status = { trigger: { id: '1', time: '2026-11-30T10:00:00Z', answer: 'started' } };
    expect(await write('PATCH', `/${name}/status`, { status }, 'approver')).toMatchObject({ status: 200 });
  });

  it('is asked by a policy that has no expression that the API server warns of', async () => {
    const checked = await waitFor({
      what: 'the type check of the policy',
      probe: async () => {
        const policy = await cluster.api.get({ kind: 'ValidatingAdmissionPolicy', name: 'trigger.turnus.dev' });
        return (policy as { status?: { typeChecking?: unknown } }).status?.typeChecking;
      },
    });
    expect(checked).toEqual({});
  });
});

describe('the roles', () => {
  it.each<{ person: Person; method: string; path: string; status: number }>([
    { person: 'operator', method: 'GET', path: playbooks, status: 200 },
    { person: 'operator', method: 'GET', path: `/api/v1/namespaces/${systemNamespace}/secrets/login`, status: 403 },
    { person: 'approver', method: 'GET', path: `/api/v1/namespaces/${systemNamespace}/secrets/login`, status: 200 },
    { person: 'approver', method: 'GET', path: `/api/v1/namespaces/${systemNamespace}/secrets`, status: 403 },
    { person: 'approver', method: 'GET', path: '/api/v1/namespaces/default/configmaps', status: 403 },
    { person: 'approver', method: 'DELETE', path: `${playbooks}/shown`, status: 403 },
  ])('answer $person $status to $method $path', async ({ person, method, path, status }) => {
    expect((await cluster.apiAs(person).request({ method, path })).status).toBe(status);
  });

  it('let whoever serves write the status of a playbook alone', async () => {
    expect((await write('PATCH', '/shown', { spec: { drain: {} } }, 'approver')).status).toBe(403);
    expect((await write('PATCH', '/shown', { metadata: { annotations: { a: 'b' } } }, 'approver')).status).toBe(403);
  });
});

describe('turnus trigger', () => {
  async function trigger(...args: string[]): Promise<CommandResult> {
    return await runTurnus(['trigger', ...args], { kubeconfig: await cluster.kubeconfigFor('operator') });
  }

  beforeAll(async () => {
    await write('POST', '', playbookNamed('by-command'));
  });

  it('records under the own name, and says that nobody serves and how to take it back', async () => {
    const result = await trigger('by-command', '--reason', 'a fix', '--override-freeze', 'Year end');
    expectExit(result, 0);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain('Recorded: a run of playbook by-command is to start, asked for by operator.');
    expect(result.stderr).toContain('no `turnus serve` is at work at the moment');
    const { annotations } = (await read('by-command')).metadata;
    expect(annotations).toEqual({
      'turnus.dev/trigger-id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      'turnus.dev/trigger-by': 'operator',
      'turnus.dev/trigger-reason': 'a fix',
      'turnus.dev/trigger-override-freeze': '["Year end"]',
      'turnus.dev/trigger-start-before': expect.stringMatching(/^20\d\d-.*Z$/) as string,
    });
    const takeBack = /kubectl (.*annotate .*-)$/m.exec(result.stderr)?.[1] ?? '';
    expect(await kubectl(takeBack.split(' '))).toMatchObject({ exitCode: 0 });
    expect((await read('by-command')).metadata).not.toHaveProperty('annotations');
  });

  it.each([
    {
      answer: 'started',
      run: 'by-command-2026-11',
      exitCode: 0,
      says: /See it with: turnus status by-command-2026-11/,
    },
    {
      answer: 'refused: the freeze Year end holds',
      run: undefined,
      exitCode: 2,
      says: /Answered: refused: the freeze/,
    },
  ])('says what the actor answers: $answer', async ({ answer, run, exitCode, says }) => {
    const before = (await read('by-command')).metadata.annotations?.['turnus.dev/trigger-id'];
    const asked = trigger('by-command', '--reason', 'another fix');
    // The actor.
    const id = await waitFor({
      what: 'the trigger',
      probe: async () => {
        const written = (await read('by-command')).metadata.annotations?.['turnus.dev/trigger-id'];
        return written === before ? undefined : written;
      },
    });
    const status = { trigger: { id, time: '2026-11-30T10:00:00Z', answer, run: run ?? null } };
    expect(await write('PATCH', '/by-command/status', { status }, 'approver')).toMatchObject({ status: 200 });
    const result = await asked;
    expectExit(result, exitCode);
    expect(result.stderr).toMatch(says);
    expect(result.stderr).not.toContain('no `turnus serve`');
  });

  it('names the playbooks that there are where it is given another', async () => {
    for (const unknown of ['none', '../secrets/login']) {
      const result = await trigger(unknown, '--reason', 'a fix');
      expectExit(result, 2);
      expect(result.stderr).toContain(
        `There is no Playbook ${JSON.stringify(unknown)} in namespace ${systemNamespace}`,
      );
      expect(result.stderr).toMatch(/There are: by-command, /);
    }
  });

  it('is refused by name to whoever may not write playbooks', async () => {
    const kubeconfig = await cluster.kubeconfigFor('approver');
    const result = await runTurnus(['trigger', 'by-command', '--reason', 'x'], { kubeconfig });
    expectExit(result, 2);
    expect(result.stderr).toContain('patch playbooks.turnus.dev in namespace turnus-system');
  });
});
