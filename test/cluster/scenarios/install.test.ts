import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import type { OtherObject } from '../objects.js';
import { writePlaybook } from '../playbook.js';
import { knownKind } from '../resourcePaths.js';
import { expectExit, installTurnus, runs, systemNamespace, turnusWrites } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';

const runsPath = `/apis/turnus.dev/v1alpha1/namespaces/${systemNamespace}/maintenanceruns`;

let cluster: Cluster;
let hosts: Hosts;
let printed: OtherObject[];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  const result = await runTurnus(['install', '--print']);
  expectExit(result, 0);
  printed = parseAllDocuments(result.stdout).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as OtherObject;
  });
  await installTurnus(cluster);
  await waitFor({
    what: 'the admission policy to be enforced',
    probe: async () => (await create(someRun('probe', { requester: 'nobody' }))).status !== 201,
  });
});

afterAll(async () => {
  await cluster.stop();
});

async function installed(): Promise<OtherObject[]> {
  return await Promise.all(
    printed.map(async ({ kind, metadata: { name, namespace } }) => {
      return (await cluster.api.get({ kind: knownKind(kind), name, namespace })) as OtherObject;
    }),
  );
}

function someRun(name: string, spec: Record<string, unknown> = {}): OtherObject {
  return {
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'MaintenanceRun',
    metadata: { name, namespace: systemNamespace },
    spec: {
      playbook: { name: 'by-hand', snapshot: '{}' },
      planHash: 'a'.repeat(64),
      clusterUid: cluster.uid,
      requester: 'admin',
      rehearsal: false,
      reason: 'a test',
      ...spec,
    },
  };
}

/** Creates as admin, whatever the answer; asks for no dry run so that it is what a person would do. */
async function create(body: OtherObject): Promise<{ status: number; message: string }> {
  const path = `${runsPath}?fieldValidation=Strict`;
  return said(await cluster.apiAs('admin').request({ method: 'POST', path, body }));
}

async function patch(name: string, body: unknown, subresource = ''): Promise<{ status: number; message: string }> {
  const path = `${runsPath}/${name}${subresource}?fieldValidation=Strict`;
  const contentType = 'application/merge-patch+json';
  return said(await cluster.apiAs('admin').request({ method: 'PATCH', path, body, contentType }));
}

function said({ status, body }: { status: number; body: unknown }): { status: number; message: string } {
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '';
  return { status, message };
}

describe('turnus install', () => {
  it('applies what --print prints', async () => {
    const objects = await installed();
    expect(objects).toHaveLength(printed.length);
    for (const [index, object] of objects.entries()) {
      const { kind, metadata } = printed[index] ?? object;
      expect(object, `${kind} ${metadata.name}`).toMatchObject(printed[index] ?? {});
    }
    expect(new Set(printed.map(({ kind }) => kind))).toEqual(
      new Set([
        ...['Namespace', 'CustomResourceDefinition', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role'],
        ...['RoleBinding', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
      ]),
    );
  });

  it('changes nothing the second time', async () => {
    // Who applied which field, and when, is bookkeeping of the API server.
    const content = async (): Promise<unknown> =>
      (await installed()).map(({ metadata: { resourceVersion: _version, ...metadata }, ...object }) => ({
        ...object,
        metadata: { ...metadata, managedFields: undefined },
      }));
    const before = await content();
    await installTurnus(cluster);
    expect(await content()).toEqual(before);
  });

  it('grants no right to read Secrets or to delete anything but runs of ours, and no wildcard but reading scales', () => {
    // Bound to nobody: whoever writes playbooks deletes them too.
    const roles = printed.filter(({ metadata }) => metadata.name !== 'turnus-playbook-editor');
    const rules = roles.flatMap((object) => (object['rules'] as Record<string, string[]>[] | undefined) ?? []);
    expect(rules.length).toBeGreaterThan(5);
    for (const { verbs = [], resources = [], apiGroups = [] } of rules) {
      if (verbs.some((verb) => verb === '*' || verb.startsWith('delete'))) {
        expect({ verbs, resources, apiGroups }).toEqual({
          verbs: ['delete'],
          resources: ['maintenanceruns'],
          apiGroups: ['turnus.dev'],
        });
      }
      expect(resources.filter((resource) => resource === '*' || resource === 'secrets')).toEqual([]);
      if (apiGroups.includes('*')) expect({ verbs, resources }).toEqual({ verbs: ['get'], resources: ['*/scale'] });
    }
  });
});

describe('the installed schemas and policies', () => {
  it('refuse a run that says somebody else asked for it', async () => {
    const answer = await create(someRun('forged', { requester: 'somebody-else' }));
    expect(answer.status).toBe(403);
    expect(answer.message).toContain('spec.requester must be admin');
    expect((await runs(cluster)).map(({ name }) => name)).not.toContain('forged');
  });

  it('keep the spec of a run as it was, except for what is desired of it', async () => {
    expect((await create(someRun('kept'))).status).toBe(201);
    for (const spec of [
      { reason: 'another' },
      { reason: null },
      { change: 'added later' },
      { requester: 'somebody-else' },
      { planHash: 'b'.repeat(64) },
      { rehearsal: true },
      { playbook: { name: 'another', snapshot: '{}' } },
    ]) {
      const answer = await patch('kept', { spec });
      expect(answer.status, JSON.stringify(spec)).toBe(422);
      expect(answer.message).toContain('spec is fixed');
    }
    expect((await patch('kept', { spec: { desired: { state: 'Pause' } } })).status).toBe(200);
  });

  it('refuse a status field that they do not know, instead of losing it', async () => {
    expect((await create(someRun('strict'))).status).toBe(201);
    const answer = await patch('strict', { status: { phase: 'Running', colour: 'red' } }, '/status');
    expect(answer.status).toBe(422);
    expect(answer.message).toContain('unknown field "status.colour"');
  });
});

describe('turnus run', () => {
  it('writes every object of ours with strict field validation', async () => {
    const playbook = await writePlaybook({ cluster, hosts });
    expectExit(await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath }), 0);
    const writes = (await turnusWrites(cluster)).filter(({ resource }) =>
      ['maintenanceruns', 'nodeturns'].includes(resource),
    );
    expect(writes.length).toBeGreaterThan(10);
    expect(writes.filter(({ uri }) => !uri.includes('fieldValidation=Strict'))).toEqual([]);
  });

  it('refuses to start where the installed schema is older than its own; exit 2', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'older' });
    const definition = { kind: 'CustomResourceDefinition', name: 'nodeturns.turnus.dev' } as const;
    const setSchema = async (schema: string | null): Promise<void> => {
      await cluster.api.patch(definition, { body: { metadata: { annotations: { 'turnus.dev/schema': schema } } } });
    };
    const before = await turnusWrites(cluster);
    for (const schema of ['0', null]) {
      await setSchema(schema);
      const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
      expectExit(result, 2);
      expect(result.stderr).toContain('nodeturns.turnus.dev has schema 0');
      expect(result.stderr).toContain('turnus install');
    }
    expect(await turnusWrites(cluster)).toEqual(before);
    await installTurnus(cluster);
    expectExit(await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath }), 0);
  });
});
