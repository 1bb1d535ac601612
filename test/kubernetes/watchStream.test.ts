import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WatchEvent } from '../../src/cluster/clusterPort.js';
import { watchEventsOf } from '../../src/kubernetes/watchStream.js';

async function* chunked(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    yield await Promise.resolve(bytes.subarray(at, at + size));
    at += size;
  }
}

async function eventsOf(text: string, sizes: readonly number[] = [1 << 20]): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of watchEventsOf(chunked(Buffer.from(text), sizes))) events.push(event);
  return events;
}

const object = (name: string) => ({ metadata: { name, resourceVersion: '7' } });
const line = (type: string, content: unknown) => `${JSON.stringify({ type, object: content })}\n`;

describe('the body of a watch', () => {
  it('is one event a line', async () => {
    const text =
      line('ADDED', object('a')) +
      line('MODIFIED', object('a')) +
      line('BOOKMARK', { metadata: { resourceVersion: '9' } }) +
      line('DELETED', object('a'));
    expect((await eventsOf(text)).map(({ type }) => type)).toEqual(['added', 'modified', 'bookmark', 'deleted']);
    expect((await eventsOf(text))[2]).toEqual({ type: 'bookmark', resourceVersion: '9' });
  });

  it('reads the same however it is cut, also in the middle of a character', async () => {
    const text = line('ADDED', object('zürich-😀')) + line('DELETED', object('日本'));
    const whole = await eventsOf(text);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (sizes) => {
        expect(await eventsOf(text, sizes)).toEqual(whole);
      }),
    );
  });

  it('ends with the failure of an ERROR event', async () => {
    const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (300)' };
    const events = await eventsOf(line('ADDED', object('a')) + line('ERROR', expired) + line('ADDED', object('b')));
    expect(events).toEqual([
      { type: 'added', object: object('a') },
      { type: 'failed', failure: { kind: 'gone', message: 'too old resource version: 1 (300)' } },
    ]);
    const other = await eventsOf(line('ERROR', { kind: 'Status', code: 500, message: 'etcd' }));
    expect(other).toEqual([{ type: 'failed', failure: { kind: 'refused', status: 500, message: 'etcd' } }]);
  });

  it('passes over types that are not known, and fails for what is no event', async () => {
    expect(await eventsOf(line('SOMETHING', object('a')) + '\n')).toEqual([]);
    expect(await eventsOf('<html>\n')).toMatchObject([{ type: 'failed', failure: { kind: 'unreachable' } }]);
    expect(await eventsOf(line('ADDED', 'text'))).toMatchObject([{ type: 'failed' }]);
  });
});
