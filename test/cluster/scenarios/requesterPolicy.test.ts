import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UserName } from '../accounts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { installTurnus, systemNamespace } from '../runReport.js';
import { waitFor } from '../waitFor.js';

/** Both may do everything: what is refused here is refused by the policy alone. */
type Person = Extract<UserName, 'admin' | 'observer'>;

interface Desired {
  state: string;
  by?: string | null;
  reason?: string | null;
  requests?: Record<string, string>[] | null;
}

const runs = `/apis/turnus.dev/v1alpha1/namespaces/${systemNamespace}/maintenanceruns`;
const asked = { id: '1', verb: 'retry', node: 'node-1', by: 'admin', reason: 'r' };
const byHand = { id: '2', verb: 'skip', node: 'node-2' };

let cluster: Cluster;
let runName: string;
let created = 0;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 });
  await installTurnus(cluster);
  await waitFor({
    what: 'the admission policy to be enforced',
    probe: async () => (await create('probe', 'admin', { state: 'Run', by: 'nobody' })).status === 403,
  });
});

afterAll(async () => {
  await cluster.stop();
});

/** A run of which admin wants what `desired` says; observer is somebody else. */
beforeEach(async () => {
  created += 1;
  runName = `run-${String(created)}`;
  const desired = { state: 'Pause', by: 'admin', reason: 'flood', requests: [asked, byHand] };
  expect(await create(runName, 'admin', desired)).toMatchObject({ status: 201 });
});

async function create(name: string, user: Person, desired?: Desired): Promise<{ status: number; message: string }> {
  const body = {
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'MaintenanceRun',
    metadata: { name, namespace: systemNamespace },
    spec: {
      playbook: { name: 'monthly', snapshot: '{}' },
      planHash: 'a'.repeat(64),
      clusterUid: cluster.uid,
      requester: user,
      rehearsal: false,
      ...(desired === undefined ? {} : { desired }),
    },
  };
  return said(await cluster.apiAs(user).request({ method: 'POST', path: `${runs}?fieldValidation=Strict`, body }));
}

/** A JSON merge patch, as of `kubectl patch --type=merge`. */
async function patch(user: Person, body: unknown, subresource = ''): Promise<{ status: number; message: string }> {
  const path = `${runs}/${runName}${subresource}?fieldValidation=Strict`;
  const contentType = 'application/merge-patch+json';
  return said(await cluster.apiAs(user).request({ method: 'PATCH', path, body, contentType }));
}

async function change(user: Person, desired: Partial<Desired> | null): ReturnType<typeof patch> {
  return await patch(user, { spec: { desired } });
}

function said({ status, body }: { status: number; body: unknown }): { status: number; message: string } {
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '';
  return { status, message };
}

describe('who asks for a state', () => {
  it.each<{ title: string; user: Person; desired: Partial<Desired> | null }>([
    { title: 'by their own name', user: 'observer', desired: { state: 'Abort', by: 'observer', reason: null } },
    { title: 'without a name, as by hand', user: 'observer', desired: { state: 'Abort', by: null } },
    { title: 'with an empty name', user: 'observer', desired: { state: 'Abort', by: '' } },
    { title: 'who asked before, once more', user: 'admin', desired: { state: 'Run' } },
    { title: 'by taking all of it away', user: 'observer', desired: null },
    { title: 'by nonsense, which counts as Pause', user: 'observer', desired: { state: 'Stop', by: null } },
  ])('may do so $title', async ({ user, desired }) => {
    expect(await change(user, desired)).toMatchObject({ status: 200 });
  });

  it.each<{ title: string; desired: Partial<Desired> }>([
    { title: 'in the name of another', desired: { state: 'Abort', by: 'anna' } },
    { title: 'under the name that stands there', desired: { state: 'Abort' } },
    { title: 'with another reason under the name that stands there', desired: { reason: 'no flood' } },
    { title: 'by changing the name alone', desired: { by: 'anna' } },
  ])('may not do so $title', async ({ desired }) => {
    const answer = await change('observer', desired);
    expect(answer.status).toBe(403);
    expect(answer.message).toContain('spec.desired.by must be observer, who asks for the state, or absent');
  });

  it('is held to it at the creation of a run too', async () => {
    expect(await create('forged-state', 'observer', { state: 'Pause', by: 'admin' })).toMatchObject({ status: 403 });
    const requests = [{ id: '1', verb: 'resume', by: 'admin' }];
    expect(await create('forged-request', 'observer', { state: 'Run', requests })).toMatchObject({ status: 403 });
    expect(await create('nothing-desired', 'observer')).toMatchObject({ status: 201 });
  });
});

describe('who asks for a turn', () => {
  it.each<{ title: string; requests: Record<string, string>[] | null }>([
    {
      title: 'adds a request by their own name',
      requests: [asked, byHand, { id: '3', verb: 'resume', by: 'observer' }],
    },
    { title: 'adds one without a name', requests: [asked, byHand, { id: '3', verb: 'resume' }] },
    { title: 'removes one', requests: [byHand] },
    { title: 'removes one and adds one', requests: [byHand, { id: '3', verb: 'resume', by: 'observer' }] },
    { title: 'removes all', requests: null },
    { title: 'changes their order', requests: [byHand, asked] },
  ])('$title', async ({ requests }) => {
    expect(await change('observer', { requests })).toMatchObject({ status: 200 });
  });

  it('adds one to a run of which nothing was desired', async () => {
    expect(await change('admin', null)).toMatchObject({ status: 200 });
    const requests = [{ id: '3', verb: 'resume', by: 'observer' }];
    expect(await change('observer', { state: 'Run', requests })).toMatchObject({ status: 200 });
  });

  it.each<{ title: string; requests: Record<string, string>[]; says: string }>([
    {
      title: 'add one in the name of another',
      requests: [asked, byHand, { id: '3', verb: 'resume', by: 'admin' }],
      says: 'the field by of a new request in spec.desired.requests must be observer, who adds it, or absent',
    },
    {
      title: 'add one with the name of another to one by their own',
      requests: [
        { id: '3', verb: 'resume', by: 'observer' },
        { id: '4', verb: 'resume', by: 'anna' },
      ],
      says: 'must be observer, who adds it',
    },
    {
      title: 'alter what another asked for',
      requests: [{ ...asked, node: 'node-2' }, byHand],
      says: 'may be removed, but not altered',
    },
    {
      title: 'alter it and put their own name to it',
      requests: [{ ...asked, verb: 'skip', by: 'observer' }, byHand],
      says: 'may be removed, but not altered',
    },
    {
      title: 'put a name to what nobody put a name to',
      requests: [asked, { ...byHand, by: 'observer' }],
      says: 'may be removed, but not altered',
    },
    {
      title: 'add one under an id that stands there',
      requests: [asked, byHand, { ...byHand, node: 'node-3' }],
      says: 'may be removed, but not altered',
    },
  ])('may not $title', async ({ requests, says }) => {
    const answer = await change('observer', { requests });
    expect(answer.status).toBe(403);
    expect(answer.message).toContain(says);
  });
});

describe('an actor who is another user than those who ask', () => {
  it('writes status, finalizers and other metadata, whatever is desired of the run', async () => {
    const status = { phase: 'Paused', handledRequests: [{ id: '1', result: 'done: x', time: '2026-11-10T22:00:00Z' }] };
    expect(await patch('observer', { status }, '/status')).toMatchObject({ status: 200 });
    for (const finalizers of [['turnus.dev/turn-in-work'], null]) {
      expect(await patch('observer', { metadata: { finalizers } })).toMatchObject({ status: 200 });
    }
    expect(await patch('observer', { metadata: { annotations: { note: 'x' } } })).toMatchObject({ status: 200 });
  });

  it('does so too while as many requests stand there as the schema holds, and another one asks', async () => {
    const requests = Array.from({ length: 100 }, (_, place) => ({
      ...asked,
      id: `${String(place).padStart(3, '0')}-${'x'.repeat(90)}`,
      node: 'n'.repeat(253),
      reason: 'r'.repeat(1000),
    }));
    expect(await change('admin', { requests })).toMatchObject({ status: 200 });
    expect(await patch('observer', { metadata: { finalizers: ['turnus.dev/turn-in-work'] } })).toMatchObject({
      status: 200,
    });
    const own = { id: 'own', verb: 'resume', by: 'observer' };
    expect(await change('observer', { requests: [...requests.slice(1), own] })).toMatchObject({ status: 200 });
    expect(await change('observer', { requests: [own, { ...requests[2], by: 'observer' }] })).toMatchObject({
      status: 403,
    });
  });
});

describe('the policy', () => {
  it('has no expression that the API server warns of', async () => {
    const checked = await waitFor({
      what: 'the type check of the policy',
      probe: async () => {
        const policy = await cluster.api.get({ kind: 'ValidatingAdmissionPolicy', name: 'requester.turnus.dev' });
        const { status } = policy as { status?: { typeChecking?: unknown } };
        return status?.typeChecking;
      },
    });
    expect(checked).toEqual({});
  });
});
