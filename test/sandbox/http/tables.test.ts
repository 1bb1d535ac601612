import { describe, expect, it } from 'vitest';
import type { ApiObject, Resource } from '../../../src/cluster/clusterPort.js';
import { resources } from '../../../src/cluster/resources.js';
import { manifests } from '../../../src/install/manifests.js';
import { ageText } from '../../../src/sandbox/http/ageText.js';
import { ask, eventsOf, open } from './ask.js';
import { put, putBudget, putReadyPod, serveApi, setStatus, type ServedApi } from './servedApi.js';

const accept =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';
const hourMs = 3_600_000;

interface Table {
  kind: string;
  columnDefinitions: { name: string; priority: number }[] | null;
  rows: { cells: unknown[]; object: ApiObject | null }[];
}

describe('a table, as kubectl get asks for it', () => {
  it('shows nodes', async () => {
    const served = await serveApi();
    const { api } = served;
    const node = put(api, resources.nodes, {
      metadata: { name: 'node-1', labels: { 'node-role.kubernetes.io/worker': '' } },
      spec: { unschedulable: true },
    });
    setStatus(api, resources.nodes, node, {
      conditions: [{ type: 'Ready', status: 'False' }],
      nodeInfo: { kubeletVersion: 'v1.36.3', osImage: 'Debian 12', kernelVersion: '6.1.0' },
      addresses: [{ type: 'InternalIP', address: '127.0.1.1' }],
    });
    put(api, resources.nodes, { metadata: { name: 'node-2' } });
    served.timeline.advance(5 * hourMs);
    expect(await rowsOf(served, '/api/v1/nodes')).toEqual([
      'NAME STATUS ROLES AGE VERSION | INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME',
      'node-1 NotReady,SchedulingDisabled worker 5h v1.36.3 | 127.0.1.1 <none> Debian 12 6.1.0 <unknown>',
      'node-2 Unknown <none> 5h null | <none> <none> <unknown> <unknown> <unknown>',
    ]);
  });

  it('shows pods in the states of their lives', async () => {
    const served = await serveApi();
    const { api } = served;
    putReadyPod(api, 'ready');
    const state = (name: string, status: object) => {
      setStatus(api, resources.pods, putReadyPod(api, name), status);
    };
    const container = { name: 'main', ready: false };
    state('crashing', {
      containerStatuses: [{ ...container, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } }],
    });
    state('done', {
      phase: 'Succeeded',
      containerStatuses: [{ ...container, restartCount: 0, state: { terminated: { reason: 'Completed' } } }],
    });
    state('evicted', { phase: 'Failed', reason: 'Evicted', containerStatuses: [] });
    state('pending', { phase: 'Pending', containerStatuses: null });
    putReadyPod(api, 'stopping');
    api.delete({ resource: resources.pods, namespace: 'default', name: 'stopping' }, 'test');
    const rows = await rowsOf(served, '/api/v1/namespaces/default/pods');
    expect(rows.map((row) => row.replace(/ \|.*/, ''))).toEqual([
      'NAME READY STATUS RESTARTS AGE',
      'crashing 0/1 CrashLoopBackOff 3 0s',
      'done 0/1 Completed 0 0s',
      'evicted 0/1 Evicted 0 0s',
      'pending 0/1 Pending 0 0s',
      'ready 1/1 Running 0 0s',
      'stopping 1/1 Terminating 0 0s',
    ]);
  });

  it('shows budgets, workloads, leases and events', async () => {
    const served = await serveApi();
    const { api } = served;
    putBudget(api, 2);
    const template = { metadata: { labels: { app: 'web' } } };
    const spec = { replicas: 3, selector: { matchLabels: { app: 'web' } }, template };
    const metadata = { name: 'web', namespace: 'default' };
    const status = { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 };
    setStatus(api, resources.deployments, put(api, resources.deployments, { metadata, spec }), status);
    setStatus(api, resources.statefulSets, put(api, resources.statefulSets, { metadata, spec }), status);
    put(api, resources.leases, { metadata, spec: { holderIdentity: 'me' } });
    put(api, resources.events, {
      metadata: { name: 'web.1', namespace: 'default' },
      involvedObject: { kind: 'Node', name: 'node-1' },
      type: 'Normal',
      reason: 'Cordoned',
      message: 'for maintenance',
      lastTimestamp: '2026-11-10T20:58:00Z',
    });
    const row = async (path: string) => (await rowsOf(served, path))[1];
    expect(await row('/apis/policy/v1/poddisruptionbudgets')).toBe('web 1 N/A 2 0s');
    expect(await row('/apis/apps/v1/deployments')).toBe('web 2/3 3 1 0s');
    expect(await row('/apis/apps/v1/statefulsets')).toBe('web 2/3 0s');
    expect(await row('/apis/coordination.k8s.io/v1/leases')).toBe('web me 0s');
    expect(await row('/api/v1/events')).toBe('2m Normal Cordoned node/node-1 for maintenance');
  });

  it('shows custom resources by the columns of their definition, and any other by name and age', async () => {
    const served = await serveApi();
    const { api } = served;
    for (const object of manifests('turnus-system')) put(api, servedAs(served, object), object);
    const turns: Resource = { group: 'turnus.dev', version: 'v1alpha1', plural: 'nodeturns', namespaced: true };
    const turn = put(api, turns, {
      metadata: { name: 'turn-1', namespace: 'turnus-system' },
      spec: { node: 'node-1', run: 'monthly-2026-11' },
    });
    setStatus(api, turns, turn, { phase: 'Draining', startedAt: '2026-11-10T20:56:30Z' });
    expect(await rowsOf(served, '/apis/turnus.dev/v1alpha1/nodeturns')).toEqual([
      'NAME NODE PHASE RUN STARTED FINISHED WAITING FOR | MESSAGE',
      'turn-1 node-1 Draining monthly-2026-11 3m30s null null | null',
    ]);
    expect((await rowsOf(served, '/apis/rbac.authorization.k8s.io/v1/clusterroles'))[0]).toBe('NAME AGE');
  });

  it('holds as much of each object as is asked for', async () => {
    const served = await serveApi();
    put(served.api, resources.nodes, { metadata: { name: 'node-1' }, spec: { unschedulable: true } });
    const shown = async (query: string) =>
      (await tableOf(served, `/api/v1/nodes/node-1${query}`)).rows.map(({ object }) => object);
    expect(await shown('')).toMatchObject([{ kind: 'PartialObjectMetadata', metadata: { name: 'node-1' } }]);
    expect(await shown('?includeObject=Object')).toMatchObject([{ spec: { unschedulable: true } }]);
    expect(await shown('?includeObject=None')).toEqual([null]);
  });

  it('goes on in a watch, with the columns in its first event', async () => {
    const served = await serveApi();
    putReadyPod(served.api, 'a');
    const message = await open(served.server, { path: '/api/v1/pods?watch=1', headers: { accept } });
    const events = eventsOf(message);
    const next = async () => (await events.next()).value as { type: string; object: Table };
    const first = await next();
    expect(first.type).toBe('ADDED');
    expect(first.object.columnDefinitions?.[0]?.name).toBe('Name');
    putReadyPod(served.api, 'b');
    const second = await next();
    expect(second).toMatchObject({ type: 'ADDED', object: { kind: 'Table', columnDefinitions: null } });
    expect(second.object.rows[0]?.cells[0]).toBe('b');
    message.destroy();
  });

  it.each([
    [0, '0s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [200_000, '3m20s'],
    [10 * 60_000, '10m'],
    [179 * 60_000, '179m'],
    [3 * hourMs, '3h'],
    [7.5 * hourMs, '7h30m'],
    [47 * hourMs, '47h'],
    [50 * hourMs, '2d2h'],
    [8 * 24 * hourMs, '8d'],
    [800 * 24 * hourMs, '2y70d'],
    [3000 * 24 * hourMs, '8y'],
    [-5000, '0s'],
  ])('writes an age of %i ms as %s', (ms, text) => {
    expect(ageText(ms)).toBe(text);
  });
});

/** The header, then one text a row; columns of `-o wide` after a bar. */
async function rowsOf(served: ServedApi, path: string): Promise<string[]> {
  const { columnDefinitions, rows } = await tableOf(served, path);
  const columns = columnDefinitions ?? [];
  const line = (cells: readonly unknown[]) => {
    const wide = cells.filter((_cell, index) => columns[index]?.priority === 1);
    const usual = cells.slice(0, cells.length - wide.length);
    return [usual, ...(wide.length === 0 ? [] : [wide])].map((part) => part.map(String).join(' ')).join(' | ');
  };
  return [line(columns.map(({ name }) => name.toUpperCase())), ...rows.map(({ cells }) => line(cells))];
}

async function tableOf({ server }: ServedApi, path: string): Promise<Table> {
  const { body } = await ask(server, { path, headers: { accept } });
  const table = body as Table;
  expect(table.kind).toBe('Table');
  return table;
}

function servedAs({ api }: ServedApi, { apiVersion = '', kind }: ApiObject): Resource {
  const found = api
    .served()
    .find(
      ({ group, version, ...served }) =>
        [group, version].filter(Boolean).join('/') === apiVersion && served.kind === kind,
    );
  if (found === undefined) throw new Error(`nobody serves ${apiVersion} ${String(kind)}`);
  return found;
}
