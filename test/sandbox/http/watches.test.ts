import { describe, expect, it, onTestFinished } from 'vitest';
import { resources } from '../../../src/cluster/resources.js';
import { waitFor } from '../../cluster/waitFor.js';
import { eventsOf, open } from './ask.js';
import { put, putReadyPod, serveApi, type ServedApi } from './servedApi.js';

describe('a watch over HTTPS', () => {
  it('begins after the version it is asked for, and follows', async () => {
    const served = await serveApi();
    putReadyPod(served.api, 'a');
    const { resourceVersion } = await served.client.listWithVersion({ kind: 'Pod' });
    putReadyPod(served.api, 'b');
    const { next } = await watch(served, `resourceVersion=${resourceVersion}`);
    expect([await next(), await next()]).toEqual(['ADDED b', 'MODIFIED b']);
    served.api.delete({ resource: resources.pods, namespace: 'default', name: 'a', gracePeriodSeconds: 0 }, 'test');
    expect(await next()).toMatch(/^(MODIFIED|DELETED) a$/);
  });

  it('first tells what is there when it is asked for no version, and ends a streamed list with its mark', async () => {
    const served = await serveApi();
    putReadyPod(served.api, 'a');
    const plain = await watch(served, '');
    expect(await plain.next()).toBe('ADDED a');
    const streamed = await watch(served, 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersion=');
    expect([await streamed.next(), await streamed.next()]).toEqual(['ADDED a', 'BOOKMARK initial-events-end']);
  });

  it('tells only what its selectors match', async () => {
    const served = await serveApi();
    const { next } = await watch(served, `resourceVersion=${served.api.version()}&fieldSelector=metadata.name%3Db`);
    putReadyPod(served.api, 'a');
    putReadyPod(served.api, 'b');
    expect(await next()).toBe('ADDED b');
  });

  it('says 410 inside the stream when its version has expired, and closes', async () => {
    const served = await serveApi();
    const version = served.api.version();
    putReadyPod(served.api, 'a');
    served.api.compact();
    const { next } = await watch(served, `resourceVersion=${version}`);
    expect([await next(), await next()]).toEqual(['ERROR 410 Expired', 'closed']);
    expect(served.timeline.waiting()).toBe(0);
  });

  it('sends bookmarks to whoever allows them, and closes when its time is over', async () => {
    const served = await serveApi();
    const query = `resourceVersion=${served.api.version()}&timeoutSeconds=90`;
    const [with_, without] = [await watch(served, `${query}&allowWatchBookmarks=true`), await watch(served, query)];
    put(served.api, resources.nodes, { metadata: { name: 'node-1' } });
    const version = served.api.version();
    served.timeline.advance(60_000);
    expect(await with_.next()).toBe(`BOOKMARK ${version}`);
    served.timeline.advance(30_000);
    expect([await with_.next(), await with_.next(), await without.next()]).toEqual([
      `BOOKMARK ${version}`,
      'closed',
      'closed',
    ]);
    expect(served.timeline.waiting()).toBe(0);
  });

  it('stops when its reader goes away', async () => {
    const served = await serveApi();
    const gone = new AbortController();
    await watch(served, `resourceVersion=${served.api.version()}`, gone.signal);
    expect(served.timeline.waiting()).toBe(2);
    gone.abort();
    await waitFor({ what: 'the watch to stop', probe: () => served.timeline.waiting() === 0, timeoutMs: 5000 });
  });

  it('drops a reader that does not read', async () => {
    const served = await serveApi();
    const message = await open(served.server, { path: `/api/v1/configmaps?watch=1&resourceVersion=0` });
    message.pause();
    const data = { text: 'x'.repeat(1_000_000) };
    const resource = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };
    put(served.api, resource, { metadata: { name: 'big', namespace: 'default' }, data });
    for (let count = 0; count < 100; count += 1) {
      const patch = { type: 'merge', body: { metadata: { labels: { count: String(count) } } } } as const;
      served.api.patch({ resource, namespace: 'default', name: 'big', patch }, 'test');
    }
    expect(served.timeline.waiting()).toBe(0);
    message.destroy();
  });

  it('refuses a resource that is not served, and a selector that cannot be read', async () => {
    const { server } = await serveApi();
    expect((await open(server, { path: '/api/v1/widgets?watch=1' })).statusCode).toBe(404);
    expect((await open(server, { path: '/api/v1/pods?watch=1&labelSelector=!!' })).statusCode).toBe(400);
  });
});

/** Opens a watch of all pods; each `next` answers an event as a text. */
async function watch({ server }: ServedApi, query: string, signal?: AbortSignal) {
  const path = `/api/v1/pods?watch=1&${query}`;
  const message = await open(server, { path, ...(signal === undefined ? {} : { signal }) });
  message.on('error', () => undefined);
  onTestFinished(() => void message.destroy());
  const events = eventsOf(message);
  return {
    next: async () => {
      const event = await events.next();
      return event.done === true ? 'closed' : eventText(event.value);
    },
  };
}

function eventText({ type, object }: { type: string; object: unknown }): string {
  const { metadata, code, reason } = object as {
    metadata: { name?: string; resourceVersion?: string; annotations?: object };
    code?: number;
    reason?: string;
  };
  if (type === 'ERROR') return `ERROR ${String(code)} ${String(reason)}`;
  const mark = metadata.annotations === undefined ? metadata.resourceVersion : 'initial-events-end';
  return `${type} ${metadata.name ?? mark ?? ''}`;
}
