import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { resources } from '../../../src/cluster/resources.js';
import type { ApiEvent, SimulatedApi } from '../../../src/sandbox/api/simulatedApi.js';
import { apiWith, create, eventTexts, listed, refusalOf, valueOf, watched } from './apiFixture.js';

/** Around the first in the order of keys. */
const namespaces = ['default', 'default-x', 'default0'];

/** A write to one of a few pods in one of these namespaces. */
interface Write {
  readonly what: 'create' | 'label' | 'bind' | 'delete' | 'kill';
  readonly name: string;
  readonly namespace: string;
  readonly value: string;
}

const writes = fc.array(
  fc.record<Write>({
    what: fc.constantFrom('create', 'label', 'bind', 'delete', 'kill'),
    name: fc.constantFrom('a', 'b', 'b-1', 'c', 'd'),
    namespace: fc.constantFrom(...namespaces),
    value: fc.constantFrom('1', '2'),
  }),
  { maxLength: 60 },
);

function apply(api: SimulatedApi, { what, name, namespace, value }: Write): void {
  const place = { resource: resources.pods, namespace };
  const merge = (body: Record<string, unknown>) =>
    api.patch({ ...place, name, patch: { type: 'merge', body } }, 'test');
  switch (what) {
    case 'create':
      api.create({ ...place, object: { metadata: { name, labels: { value } }, spec: { containers: [] } } }, 'test');
      return;
    case 'label':
      merge({ metadata: { labels: { value } } });
      return;
    case 'bind':
      merge({ spec: { nodeName: `worker-${value}` } });
      return;
    case 'delete':
      api.delete({ ...place, name }, 'test');
      return;
    case 'kill':
      api.delete({ ...place, name, gracePeriodSeconds: 0 }, 'test');
  }
}

const selections = [
  {},
  { namespace: 'default' },
  { labelSelector: 'value=1' },
  { namespace: 'default-x', fieldSelector: 'spec.nodeName=worker-1' },
  { labelSelector: 'value!=2', fieldSelector: 'status.phase=Pending,metadata.name!=a' },
  { namespace: 'default', fieldSelector: 'metadata.name=b' },
];

function createNamespaces(api: SimulatedApi): void {
  for (const name of namespaces.slice(1)) create(api, resources.namespaces, { metadata: { name } });
}

/** What somebody knows who has applied these events; fails where an event does not fit. */
function applied(known: Map<string, ApiObject>, events: readonly ApiEvent[]): void {
  for (const event of events) {
    if (event.type === 'bookmark') continue;
    const key = event.object.metadata.uid ?? '';
    expect(known.has(key)).toBe(event.type !== 'added');
    if (event.type === 'deleted') known.delete(key);
    else known.set(key, event.object);
  }
}

function byUid(objects: Iterable<ApiObject>): ApiObject[] {
  return [...objects].sort((a, b) => ((a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1));
}

describe('a watch', () => {
  it('leads from any list, by its events alone, to what a list shows', () => {
    fc.assert(
      fc.property(writes, writes, writes, fc.constantFrom(...selections), (first, between, after, selection) => {
        const { api } = apiWith();
        createNamespaces(api);
        const request = { resource: resources.pods, ...selection };
        for (const write of first) apply(api, write);
        const { items, resourceVersion } = valueOf(api.list(request));
        for (const write of between) apply(api, write);
        const { events } = watched(api, { ...request, resourceVersion });
        for (const write of after) apply(api, write);

        const known = new Map(items.map((item) => [item.metadata.uid ?? '', item]));
        applied(known, events);
        expect(byUid(known.values())).toStrictEqual(byUid(valueOf(api.list(request)).items));
        const versions = events.map((event) =>
          Number(event.type === 'bookmark' ? event.resourceVersion : event.object.metadata.resourceVersion),
        );
        expect(versions).toStrictEqual([...versions].sort((a, b) => a - b));
        expect(new Set(versions).size).toBe(versions.length);
        expect(versions.every((version) => version > Number(resourceVersion))).toBe(true);
      }),
    );
  });

  it('begins with what is there where no version is named', () => {
    fc.assert(
      fc.property(writes, writes, fc.constantFrom('', '0'), (first, after, resourceVersion) => {
        const { api } = apiWith();
        for (const write of first) apply(api, write);
        const { events } = watched(api, { resource: resources.pods, resourceVersion });
        for (const write of after) apply(api, write);
        const known = new Map<string, ApiObject>();
        applied(known, events);
        expect(byUid(known.values())).toStrictEqual(byUid(listed(api, resources.pods)));
      }),
    );
  });

  it('tells followers in the order of versions, also what they write while they listen', () => {
    const { api } = apiWith();
    const node = (name: string): ApiObject => ({ metadata: { name } });
    valueOf(
      api.watch({ resource: resources.nodes, resourceVersion: api.version() }, (event) => {
        if (event.type === 'added' && event.object.metadata.name === 'one') create(api, resources.nodes, node('two'));
      }),
    );
    const { events } = watched(api, { resource: resources.nodes, resourceVersion: api.version() });
    const observed: string[] = [];
    api.observe(({ object }) => observed.push(object.metadata.name ?? ''));
    create(api, resources.nodes, node('one'));
    expect(eventTexts(events)).toStrictEqual(['added one', 'added two']);
    expect(observed).toStrictEqual(['one', 'two']);
  });

  it('tells one who joins while others are being told every change once', () => {
    const { api } = apiWith();
    const events: ApiEvent[] = [];
    const from = api.version();
    valueOf(
      api.watch({ resource: resources.nodes, resourceVersion: from }, () => {
        if (events.length > 0) return;
        valueOf(api.watch({ resource: resources.nodes, resourceVersion: from }, (event) => events.push(event)));
      }),
    );
    for (const name of ['one', 'two']) create(api, resources.nodes, { metadata: { name } });
    expect(eventTexts(events)).toStrictEqual(['added one', 'added two']);
  });

  it('is silent once it was stopped, and others go on', () => {
    const { api } = apiWith();
    const request = { resource: resources.nodes, resourceVersion: api.version() };
    const first = watched(api, request);
    const second = watched(api, request);
    first.stop();
    create(api, resources.nodes, { metadata: { name: 'one' } });
    expect([eventTexts(first.events), eventTexts(second.events)]).toStrictEqual([[], ['added one']]);
  });

  it('from before what is remembered answers 410, and from what was reached since goes on', () => {
    const { api } = apiWith();
    const before = api.version();
    create(api, resources.nodes, { metadata: { name: 'one' } });
    api.compact();
    const refusal = refusalOf(api.watch({ resource: resources.nodes, resourceVersion: before }, () => undefined));
    expect(refusal).toMatchObject({ code: 410, reason: 'Expired' });
    const { events } = watched(api, { resource: resources.nodes, resourceVersion: api.version() });
    create(api, resources.nodes, { metadata: { name: 'two' } });
    expect(eventTexts(events)).toStrictEqual(['added two']);
  });

  it('from before the bounded history answers 410', () => {
    const { api } = apiWith({ historyLength: 3 });
    const before = api.version();
    for (let index = 0; index < 10; index += 1) create(api, resources.nodes, { metadata: { name: `node-${index}` } });
    const watch = (resourceVersion: string) =>
      api.watch({ resource: resources.nodes, resourceVersion }, () => undefined);
    expect(refusalOf(watch(before))).toMatchObject({ code: 410 });
    expect(refusalOf(watch(String(Number(api.version()) - 3)))).toBe('ok');
    expect(refusalOf(watch('none'))).toMatchObject({ code: 400 });
  });
});

describe('the pages of a list', () => {
  it('show together, whatever is written between them, what was there at the first', () => {
    fc.assert(
      fc.property(
        writes,
        fc.array(writes),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(...selections),
        (first, between, limit, selection) => {
          const { api } = apiWith();
          createNamespaces(api);
          for (const write of first) apply(api, write);
          const request = { resource: resources.pods, ...selection };
          const whole = valueOf(api.list(request));
          const items: ApiObject[] = [];
          let continueToken: string | undefined;
          for (let page = 0; page === 0 || continueToken !== undefined; page += 1) {
            const answer = valueOf(
              api.list({ ...request, limit, ...(continueToken === undefined ? {} : { continueToken }) }),
            );
            items.push(...answer.items);
            expect(answer.items.length).toBeLessThanOrEqual(limit);
            expect(answer.resourceVersion).toBe(whole.resourceVersion);
            if (answer.remainingItemCount !== undefined) {
              expect(items.length + answer.remainingItemCount).toBe(whole.items.length);
            }
            continueToken = answer.continueToken;
            for (const write of between[page] ?? []) apply(api, write);
          }
          expect(items).toStrictEqual(whole.items);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('expire with the history', () => {
    const { api } = apiWith();
    for (const name of ['one', 'two', 'three']) create(api, resources.nodes, { metadata: { name } });
    const { continueToken = '' } = valueOf(api.list({ resource: resources.nodes, limit: 1 }));
    create(api, resources.nodes, { metadata: { name: 'four' } });
    api.compact();
    expect(refusalOf(api.list({ resource: resources.nodes, limit: 1, continueToken }))).toMatchObject({
      code: 410,
      reason: 'Expired',
    });
    expect(refusalOf(api.list({ resource: resources.nodes, continueToken: 'none' }))).toMatchObject({ code: 400 });
  });

  it('come in one piece from the cache of the server', () => {
    const { api } = apiWith();
    for (const name of ['one', 'two']) create(api, resources.nodes, { metadata: { name } });
    const { items, continueToken } = valueOf(api.list({ resource: resources.nodes, limit: 1, resourceVersion: '0' }));
    expect([items.length, continueToken]).toStrictEqual([2, undefined]);
  });

  it.each([
    [{ fieldSelector: 'spec.hostname=x' }, 'field label not supported: spec.hostname'],
    [{ fieldSelector: 'metadata.name' }, /can't understand/],
    [{ labelSelector: 'a===b' }, /unable to parse/],
  ])('refuse the selector %j', (selector, message) => {
    const { api } = apiWith();
    const refusal = refusalOf(api.list({ resource: resources.pods, ...selector }));
    expect(refusal).toMatchObject({ code: 400, reason: 'BadRequest' });
    expect(refusal === 'ok' ? '' : refusal.message).toMatch(message);
  });
});
