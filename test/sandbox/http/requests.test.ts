import { describe, expect, it } from 'vitest';
import { resources } from '../../../src/cluster/resources.js';
import { ask } from './ask.js';
import { put, putBudget, putReadyPod, serveApi } from './servedApi.js';

const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } };
const json = { 'content-type': 'application/json' };

describe('the API of the sandbox over HTTPS', () => {
  it('creates, patches, replaces and deletes objects with the codes of an API server', async () => {
    const { server, client } = await serveApi();
    const create = { method: 'POST', path: '/api/v1/nodes', headers: json, body: JSON.stringify(node) };
    expect(await ask(server, create)).toMatchObject({ status: 201, body: node });
    expect(await ask(server, create)).toMatchObject({ status: 409, body: { kind: 'Status', reason: 'AlreadyExists' } });

    const named = { kind: 'Node', name: 'node-1' } as const;
    await client.patch(named, { body: { metadata: { labels: { a: 'merge' } } } });
    await client.patch(named, { type: 'json', body: [{ op: 'add', path: '/metadata/labels/b', value: 'json' }] });
    const patched = await client.patch(named, { type: 'strategic', body: { spec: { unschedulable: true } } });
    expect(patched).toMatchObject({ metadata: { labels: { a: 'merge', b: 'json' } }, spec: { unschedulable: true } });

    const replace = { method: 'PUT', path: '/api/v1/nodes/node-1', headers: json };
    const first = { ...patched, metadata: { ...patched.metadata, labels: { c: 'put' } } };
    expect(await ask(server, { ...replace, body: JSON.stringify(first) })).toMatchObject({
      status: 200,
      body: { metadata: { labels: { c: 'put' } } },
    });
    expect(await ask(server, { ...replace, body: JSON.stringify(patched) })).toMatchObject({ status: 409 });
    await client.delete(named);
    expect(await client.find(named)).toBeUndefined();
  });

  it('applies what is written in YAML', async () => {
    const { server, client } = await serveApi();
    const applied = await ask(server, {
      method: 'PATCH',
      path: '/api/v1/namespaces/default/configmaps/settings?fieldManager=test&force=true',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n',
    });
    expect(applied).toMatchObject({ status: 200, body: { data: { a: 'b' } } });
    expect(await client.list({ kind: 'ConfigMap' })).toHaveLength(1);
  });

  it('lists by namespace, selector and page, and its continue tokens expire', async () => {
    const { api, server, client } = await serveApi();
    for (const name of ['a', 'b', 'c']) putReadyPod(api, name);
    put(api, resources.pods, { metadata: { name: 'd', namespace: 'kube-system' }, spec: { containers: [] } });
    const names = async (path: string) =>
      ((await ask(server, { path })).body as { items: { metadata: { name: string } }[] }).items.map(
        ({ metadata }) => metadata.name,
      );
    expect(await names('/api/v1/pods')).toEqual(['a', 'b', 'c', 'd']);
    expect(await names('/api/v1/namespaces/default/pods')).toEqual(['a', 'b', 'c']);
    expect(await names('/api/v1/pods?labelSelector=app%3Dweb&fieldSelector=metadata.name%3Db')).toEqual(['b']);

    const page = await ask(server, { path: '/api/v1/pods?limit=3' });
    expect(page.body).toMatchObject({ kind: 'PodList', apiVersion: 'v1' });
    const token = (page.body as { metadata: { continue: string } }).metadata.continue;
    const next = `/api/v1/pods?limit=3&continue=${encodeURIComponent(token)}`;
    expect(await names(next)).toEqual(['d']);
    putReadyPod(api, 'e');
    api.compact();
    expect(await ask(server, { path: next })).toMatchObject({ status: 410, body: { kind: 'Status', code: 410 } });
    expect(await client.list({ kind: 'Pod' })).toHaveLength(5);
  });

  it('evicts within the budget and says by which budget it refuses', async () => {
    const { api, server, client } = await serveApi();
    const pod = putReadyPod(api, 'web-0');
    putBudget(api, 0);
    expect(await client.evict({ name: 'web-0', uid: String(pod.metadata.uid) })).toMatchObject({
      status: 429,
      body: {
        kind: 'Status',
        reason: 'TooManyRequests',
        details: { causes: [{ reason: 'DisruptionBudget', message: expect.stringContaining('web') as string }] },
      },
    });
    setAllowed(api);
    expect(await client.evict({ name: 'web-0', uid: 'another' })).toMatchObject({ status: 409 });
    setAllowed(api);
    expect(await client.evict({ name: 'web-0', dryRun: true })).toMatchObject({ status: 201 });
    expect((await client.get({ kind: 'Pod', name: 'web-0' })).metadata.deletionTimestamp).toBeUndefined();
    expect(await client.evict({ name: 'web-0' })).toMatchObject({ status: 201, body: { status: 'Success' } });
    expect((await client.get({ kind: 'Pod', name: 'web-0' })).metadata.deletionTimestamp).toBeDefined();
    expect(await client.evict({ name: 'web-1' })).toMatchObject({ status: 404 });
    expect(
      await ask(server, {
        method: 'POST',
        path: '/api/v1/namespaces/default/pods/web-0/eviction',
        headers: json,
        body: JSON.stringify({ apiVersion: 'policy/v2', kind: 'Eviction', metadata: { name: 'web-0' } }),
      }),
    ).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
  });

  it('deletes with the options of the body or of the query', async () => {
    const { api, server, client } = await serveApi();
    for (const name of ['a', 'b', 'c']) putReadyPod(api, name);
    const path = (name: string, query = '') => `/api/v1/namespaces/default/pods/${name}${query}`;
    await client.delete({ kind: 'Pod', name: 'a' }, { gracePeriodSeconds: 0 });
    await ask(server, { method: 'DELETE', path: path('b', '?gracePeriodSeconds=0') });
    await ask(server, { method: 'DELETE', path: path('c', '?gracePeriodSeconds=0&dryRun=All') });
    const body = JSON.stringify({ preconditions: { uid: 'another' } });
    const answer = await ask(server, { method: 'DELETE', path: path('c'), headers: json, body });
    expect(answer).toMatchObject({ status: 409 });
    expect((await client.list({ kind: 'Pod' })).map(({ metadata }) => metadata.name)).toEqual(['c']);
  });

  it('scales by the subresource', async () => {
    const { api, client } = await serveApi();
    put(api, resources.deployments, {
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } } },
      },
    });
    const scale = { body: { spec: { replicas: 5 } }, subresource: 'scale' };
    const answer = await client.patch({ kind: 'Deployment', name: 'web' }, scale);
    expect(answer).toMatchObject({ kind: 'Scale', spec: { replicas: 5 } });
    expect((await client.get({ kind: 'Deployment', name: 'web' })).spec.replicas).toBe(5);
  });

  it('says who one is and what one may do', async () => {
    const { server } = await serveApi({ tokens: new Map([['secret', 'jane']]) });
    const review = (group: string, kind: string) =>
      ask(server, {
        method: 'POST',
        path: `/apis/${group}/v1/${kind.toLowerCase()}s`,
        headers: json,
        body: JSON.stringify({ apiVersion: `${group}/v1`, kind, metadata: {}, spec: {} }),
      });
    expect(await review('authorization.k8s.io', 'SelfSubjectAccessReview')).toMatchObject({
      status: 201,
      body: { status: { allowed: true } },
    });
    expect(await review('authentication.k8s.io', 'SelfSubjectReview')).toMatchObject({
      body: { status: { userInfo: { username: 'jane' } } },
    });
  });

  it.each([
    ['a path that is none of the API', 'GET', '/metrics'],
    ['a group that nobody serves', 'GET', '/apis/example.com/v1'],
    ['a resource that nobody serves', 'GET', '/api/v1/widgets'],
    ['a subresource that nobody serves', 'GET', '/api/v1/nodes/node-1/proxy'],
    ['an object of a namespaced resource without its namespace', 'GET', '/api/v1/pods/web-0'],
    ['a resource without namespaces inside one', 'GET', '/api/v1/namespaces/default/nodes'],
    ['a path with a broken escape', 'GET', '/api/v1/nodes/%E0%A4%A'],
    ['a path with an empty part', 'GET', '/api/v1//nodes'],
    ['a way out of the API', 'GET', '/api/v1/../../etc/passwd'],
    ['an object that does not exist', 'DELETE', '/api/v1/nodes/none'],
  ])('answers 404 with a Status to %s', async (_what, method, path) => {
    const { server } = await serveApi();
    expect(await ask(server, { method, path })).toMatchObject({
      status: 404,
      body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 },
    });
  });

  const big = JSON.stringify({ ...node, data: 'x'.repeat(4 * 1024 * 1024) });
  it.each([
    [400, 'a body that is no JSON', { body: '{' }],
    [400, 'a body without metadata', { body: '{"kind":"Node","apiVersion":"v1"}' }],
    [400, 'a body of another kind', { body: JSON.stringify({ ...node, kind: 'Pod' }) }],
    [400, 'a body for another namespace', inDefault({ metadata: { name: 'a', namespace: 'other' } })],
    [400, 'a patch that is no list of operations', patchOf('json-patch', '{"op":"add"}')],
    [400, 'a patch that is no object', patchOf('merge-patch', '"text"')],
    [405, 'a deletion of everything', { method: 'DELETE' }],
    [405, 'a method that HTTP does not know for it', { method: 'POST', path: '/api/v1/nodes/node-1' }],
    [406, 'a representation that it has not', { method: 'GET', headers: { accept: 'application/yaml' } }],
    [413, 'a body that is too large', { body: big }],
    [415, 'protobuf', { headers: { 'content-type': 'application/vnd.kubernetes.protobuf' }, body: 'k8s' }],
    [415, 'a patch of an unknown type', patchOf('best-patch', '{}')],
  ])('answers %i with a Status to %s', async (code, _what, question) => {
    const { server } = await serveApi();
    const answer = await ask(server, { method: 'POST', path: '/api/v1/nodes', headers: json, ...question });
    expect(answer).toMatchObject({ status: code, body: { kind: 'Status', status: 'Failure', code } });
  });

  it('answers 401 with a Status to whoever has no token, or another one, wherever they ask', async () => {
    const { server } = await serveApi();
    for (const path of ['/version', '/api/v1/nodes', '/nothing']) {
      for (const token of ['', 'another']) {
        const answer = await ask(server, { path, token });
        expect(answer).toMatchObject({ status: 401, body: { kind: 'Status', reason: 'Unauthorized', code: 401 } });
      }
    }
  });
});

function inDefault(object: object) {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', ...object });
  return { path: '/api/v1/namespaces/default/configmaps', body };
}

function patchOf(type: string, body: string) {
  return {
    method: 'PATCH',
    path: '/api/v1/namespaces/default',
    headers: { 'content-type': `application/${type}+json` },
    body,
  };
}

function setAllowed(api: Parameters<typeof putBudget>[0]): void {
  api.delete({ resource: resources.budgets, namespace: 'default', name: 'web' }, 'test');
  putBudget(api, 1);
}
