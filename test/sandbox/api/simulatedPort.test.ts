import { describe, expect, it } from 'vitest';
import type { ClusterPort, WatchEvent } from '../../../src/cluster/clusterPort.js';
import { cordon, uncordon } from '../../../src/cluster/cordon.js';
import { parseNode } from '../../../src/cluster/parseNode.js';
import { resources } from '../../../src/cluster/resources.js';
import { simulatedPort } from '../../../src/sandbox/api/simulatedPort.js';
import type { SimulatedApi } from '../../../src/sandbox/api/simulatedApi.js';
import { apiWith, create, read, runningPod, setStatus, valueOf } from './apiFixture.js';

const { signal } = new AbortController();

function portOn(): { api: SimulatedApi; port: ClusterPort } {
  const { api } = apiWith();
  return { api, port: simulatedPort({ api, caller: 'ada' }) };
}

describe('the port on the simulated API', () => {
  it('understands refusals as those of a real API server', async () => {
    const { api, port } = portOn();
    create(api, resources.nodes, { metadata: { name: 'n' } });
    const object = { metadata: { name: 'n' } };
    const patch = { type: 'merge', body: { metadata: { resourceVersion: '1' } } } as const;
    const test = { type: 'json', operations: [{ op: 'test', path: '/metadata/name', value: 'm' }] } as const;
    const list = {
      resource: resources.nodes,
      continueToken: Buffer.from('{"version":1,"after":"a"}').toString('base64url'),
    };
    api.compact();
    const kinds = [
      port.get({ resource: resources.nodes, name: 'm' }, signal),
      port.create({ resource: resources.nodes, object }, signal),
      port.patch({ resource: resources.nodes, name: 'n', patch }, signal),
      port.patch({ resource: resources.nodes, name: 'n', patch: test }, signal),
      port.list(list, signal),
    ].map(async (answer) => (await answer).kind);
    expect(await Promise.all(kinds)).toStrictEqual(['not-found', 'already-exists', 'conflict', 'invalid', 'gone']);
  });

  it('understands the answers to evictions', async () => {
    const { api, port } = portOn();
    const pod = runningPod(api);
    const request = { namespace: 'default', name: 'web-0', uid: pod.metadata.uid ?? '' };
    const budget = create(api, resources.budgets, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    });
    expect(await port.evict(request, signal)).toMatchObject({ kind: 'budget', budget: 'web', retryAfterMs: 10_000 });
    setStatus(api, resources.budgets, budget, {
      observedGeneration: 1,
      disruptionsAllowed: 0,
      desiredHealthy: 1,
      currentHealthy: 1,
    });
    expect(await port.evict(request, signal)).toStrictEqual({
      kind: 'budget',
      budget: 'web',
      retryAfterMs: undefined,
      message: 'The disruption budget web needs 1 healthy pods and has 1 currently',
    });
    api.delete({ resource: resources.budgets, namespace: 'default', name: 'web' }, 'test');
    expect(await port.evict({ ...request, uid: 'other' }, signal)).toStrictEqual({ kind: 'gone' });
    expect(await port.evict(request, signal)).toStrictEqual({ kind: 'accepted' });
    expect(await port.evict({ ...request, name: 'nobody' }, signal)).toStrictEqual({ kind: 'gone' });
  });

  it('carries a cordon with its mark there and back', async () => {
    const { api, port } = portOn();
    create(api, resources.nodes, { metadata: { name: 'n' } });
    const node = parseNode(read(api, resources.nodes, 'n'));
    const cordoned = await cordon({ cluster: port, node, run: 'monthly', signal });
    expect(cordoned.kind).toBe('cordoned');
    expect(read(api, resources.nodes, 'n')).toMatchObject({
      metadata: { annotations: { 'turnus.dev/cordoned-by': 'monthly' } },
      spec: { unschedulable: true },
    });
    const again = await cordon({ cluster: port, node, run: 'other', signal });
    expect(again).toMatchObject({ kind: 'foreign', by: 'monthly' });
    const marked = parseNode(read(api, resources.nodes, 'n'));
    expect(await uncordon({ cluster: port, node: marked, run: 'monthly', signal })).toMatchObject({
      kind: 'uncordoned',
    });
    expect(read(api, resources.nodes, 'n')['spec']).toStrictEqual({});
    expect(read(api, resources.nodes, 'n').metadata.annotations).toBeUndefined();
  });

  it('sends no members that are undefined', async () => {
    const { api, port } = portOn();
    const object = { metadata: { name: 'n' }, spec: { a: undefined, list: [{ b: undefined, c: 1 }] } };
    await port.create({ resource: resources.nodes, object }, signal);
    expect(read(api, resources.nodes, 'n')['spec']).toStrictEqual({ list: [{ c: 1 }] });
  });

  it('discovers what is served', async () => {
    const { port } = portOn();
    expect(await port.discover({ apiVersion: 'apps/v1', kind: 'Deployment' }, signal)).toStrictEqual({
      kind: 'ok',
      value: { ...resources.deployments, scalable: true },
    });
    expect(await port.discover({ apiVersion: 'v1', kind: 'Node' }, signal)).toStrictEqual({
      kind: 'ok',
      value: { ...resources.nodes, scalable: false },
    });
    expect(await port.discover({ apiVersion: 'v1', kind: 'Pod' }, signal)).toMatchObject({
      value: { evictable: true },
    });
    expect(await port.discover({ apiVersion: 'example.com/v1', kind: 'Thing' }, signal)).toMatchObject({
      kind: 'not-found',
    });
  });

  it('tells the events of a watch as they happen, and ends with the reason of the signal', async () => {
    const { api } = portOn();
    let stops = 0;
    const watch: SimulatedApi['watch'] = (request, listener) => {
      const opened = valueOf(api.watch(request, listener));
      const end = () => {
        stops += 1;
        opened.stop();
      };
      return { kind: 'ok', value: { stop: end } };
    };
    const port = simulatedPort({ api: { ...api, watch }, caller: 'ada' });
    const stop = new AbortController();
    const heard: WatchEvent[] = [];
    const watching = (async () => {
      const request = { resource: resources.nodes, resourceVersion: api.version() };
      for await (const event of port.watch(request, stop.signal)) {
        heard.push(event);
        if (heard.length === 3) stop.abort(new Error('enough'));
      }
    })();
    for (const name of ['one', 'two', 'three']) create(api, resources.nodes, { metadata: { name } });
    await expect(watching).rejects.toThrow('enough');
    expect(heard.map(({ type }) => type)).toStrictEqual(['added', 'added', 'added']);
    expect(stops).toBe(1);
  });

  it('ends a quiet watch when the signal aborts', async () => {
    const { api, port } = portOn();
    const stop = new AbortController();
    const request = { resource: resources.nodes, resourceVersion: api.version() };
    const events = port.watch(request, stop.signal)[Symbol.asyncIterator]();
    const next = events.next();
    stop.abort(new Error('over'));
    await expect(next).rejects.toThrow('over');
  });

  it('yields the failure of a watch whose version has expired, and ends', async () => {
    const { api, port } = portOn();
    const resourceVersion = api.version();
    create(api, resources.nodes, { metadata: { name: 'n' } });
    api.compact();
    const events: WatchEvent[] = [];
    for await (const event of port.watch({ resource: resources.nodes, resourceVersion }, signal)) events.push(event);
    expect(events).toMatchObject([{ type: 'failed', failure: { kind: 'gone' } }]);
  });

  it('does nothing for a caller whose signal has aborted', async () => {
    const { api, port } = portOn();
    const stopped = AbortSignal.abort(new Error('stopped'));
    const version = api.version();
    await expect(
      port.create({ resource: resources.nodes, object: { metadata: { name: 'n' } } }, stopped),
    ).rejects.toThrow('stopped');
    await expect(port.evict({ namespace: 'default', name: 'a', uid: 'a' }, stopped)).rejects.toThrow('stopped');
    expect(api.version()).toBe(version);
  });
});
