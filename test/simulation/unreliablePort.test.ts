import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiObject, ClusterPort, WatchEvent } from '../../src/cluster/clusterPort.js';
import { resources } from '../../src/cluster/resources.js';
import { createSimulatedApi } from '../../src/sandbox/api/createSimulatedApi.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { seededRandom } from '../../src/sandbox/seededRandom.js';
import { actorLife, mortalClock, type ActorLife } from './actorLife.js';
import { letSettle, outcomeOf } from './letSettle.js';
import { unreliablePort } from './unreliablePort.js';
import { VirtualTime } from './virtualTime.js';
import { changingWeather } from './weather.js';
import type { Call, Witness } from './witness.js';

const never = new AbortController().signal;
setMaxListeners(0, never);
const { namespaces } = resources;
const aMinute = 60_000;

describe('the port to the model as an actor meets it', () => {
  it('gives the answers of the model, a while later, and tells the witnesses', async () => {
    const { time, port, seen, run } = world();
    const created = await run(port.create({ resource: namespaces, object: namespace('shop') }, never));
    const read = await run(port.get({ resource: namespaces, name: 'shop' }, never));

    expect(created.kind).toBe('ok');
    expect(read).toMatchObject({ kind: 'ok', value: { metadata: { name: 'shop' } } });
    expect(time.elapsed()).toBeGreaterThan(3);
    expect(seen).toEqual([
      'sent create shop',
      'arrived create ok',
      'told shop',
      'sent get shop',
      'arrived get ok',
      'told shop',
    ]);
  });

  it('has done what it was asked for although the answer is lost', async () => {
    const { port, weather, exists, run } = world();
    weather.answer({ forMs: aMinute, answer: 'lost', share: 1 });

    const answer = await run(port.create({ resource: namespaces, object: namespace('shop') }, never));

    expect(answer.kind).toBe('unreachable');
    expect(exists('shop')).toBe(true);
  });

  it.each(['throttled', 'error', 'unreachable'] as const)(
    'has done nothing where the answer is %s',
    async (trouble) => {
      const { port, weather, exists, run } = world();
      weather.answer({ forMs: aMinute, answer: trouble, share: 1 });

      const answer = await run(port.create({ resource: namespaces, object: namespace('shop') }, never));

      expect(answer.kind).toBe({ throttled: 'throttled', error: 'refused', unreachable: 'unreachable' }[trouble]);
      expect(exists('shop')).toBe(false);
    },
  );

  it('repeats reads while the trouble may pass, and writes never', async () => {
    const { port, weather, seen, run } = world();
    weather.apiDown(1500);

    const read = await run(port.get({ resource: namespaces, name: 'kube-system' }, never));
    weather.apiDown(100);
    const write = await run(port.create({ resource: namespaces, object: namespace('shop') }, never));

    expect(read.kind).toBe('ok');
    expect(seen.filter((what) => what === 'sent get kube-system').length).toBeGreaterThan(1);
    expect(write.kind).toBe('unreachable');
    expect(seen.filter((what) => what === 'sent create shop')).toHaveLength(1);
  });

  it('rejects with the reason when the caller stops waiting, and a write under way may arrive or not', async () => {
    const arrivals = new Set<boolean>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const { time, port, exists, run } = world({ seed });
      const stopping = new AbortController();
      const reason = new Error('stopped');
      const writing = port.create({ resource: namespaces, object: namespace('shop') }, stopping.signal);
      const rejected = expect(writing).rejects.toBe(reason);
      stopping.abort(reason);
      await rejected;
      await run(time.clock.sleep(aMinute, never));
      arrivals.add(exists('shop'));
    }
    expect([...arrivals].sort()).toEqual([false, true]);
  });

  it('tells a write that was stopped after its arrival as arrived', async () => {
    const { time, port, exists, run } = world();
    const stopping = new AbortController();
    port.create({ resource: namespaces, object: namespace('shop') }, stopping.signal).catch(() => undefined);
    await time.run(() => exists('shop'), aMinute);
    stopping.abort(new Error('stopped'));
    await run(time.clock.sleep(aMinute, never));
    expect(exists('shop')).toBe(true);
  });
});

describe('a dead actor', () => {
  it.each([
    { moment: 'before', isThere: false },
    { moment: 'after', isThere: true },
  ] as const)('that dies $moment its second call leaves what it had done by then', async ({ moment, isThere }) => {
    const life = actorLife({ call: 2, moment });
    const { time, port, exists, run } = world({ life });
    await run(port.create({ resource: namespaces, object: namespace('first') }, never));
    const last = outcomeOf(port.create({ resource: namespaces, object: namespace('second') }, never));
    await run(time.clock.sleep(aMinute, never));

    expect(life.isDead).toBe(true);
    expect(exists('first')).toBe(true);
    expect(exists('second')).toBe(isThere);
    expect(last.isSettled()).toBe(false);
  });

  it('reaches nobody and hears nothing, whatever it waits for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 0, max: 200 }),
        async (seed, diesAtMs) => {
          const life = actorLife();
          const { time, port, api, seen, run } = world({ seed, life });
          const clock = mortalClock(time, life);
          let heard = 0;
          let writesAfterDeath = 0;
          const hears = (promise: Promise<unknown>) => {
            void promise.finally(() => (heard += 1)).catch(() => undefined);
          };
          api.observe(() => {
            if (life.isDead) writesAfterDeath += 1;
          });
          const start = () => {
            for (let number = 0; number < 5; number += 1) {
              hears(
                port.create(
                  {
                    resource: namespaces,
                    object: namespace(`n-${String(seed)}-${String(time.now())}-${String(number)}`),
                  },
                  never,
                ),
              );
            }
            hears(port.list({ resource: namespaces }, never));
            hears(firstEvent(port, api.version()));
            hears(clock.sleep(100, never));
            const { signal } = clock.deadline(100, never);
            signal.addEventListener('abort', () => (heard += 1));
          };
          start();
          await run(time.clock.sleep(diesAtMs, never));
          life.crash();
          const heardAlive = heard;
          const seenAlive = seen.length;
          start();
          await run(time.clock.sleep(aMinute, never));
          expect(heard).toBe(heardAlive);
          expect(writesAfterDeath).toBe(0);
          expect(seen).toHaveLength(seenAlive);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a watch', () => {
  it('tells every change once and in its order as long as it lives, whatever the delays', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 40 }),
        fc.integer({ min: 0, max: 10_000 }),
        async (seed, pausesMs, byMs) => {
          const { time, port, api, weather, run } = world({ seed });
          const from = api.version();
          const changes: (string | undefined)[] = [];
          api.observe((change) => changes.push(change.object.metadata.resourceVersion));
          const watching = collect(port, from);
          time.after(20_000, () => {
            weather.lagWatches({ forMs: 30_000, byMs });
          });
          for (const [number, pauseMs] of pausesMs.entries()) {
            await run(time.clock.sleep(pauseMs, never));
            api.create({ resource: namespaces, object: namespace(`n-${String(number)}`) }, 'somebody');
          }
          const { versions, end } = await run(watching);
          expect(end).toBe('ended');
          expect(versions).toEqual(changes.slice(0, versions.length));
          // It lives for at least four minutes, and what it lags is less than what is left of them.
          if (pausesMs.reduce((sum, pauseMs) => sum + pauseMs, 0) < 200_000) expect(versions).toEqual(changes);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('shows two watchers the same changes at different moments', async () => {
    const { time, port, api, run } = world();
    const at: number[] = [];
    for (let watcher = 0; watcher < 5; watcher += 1)
      void firstEvent(port, api.version()).then(() => at.push(time.now()));
    await run(time.clock.sleep(5000, never));
    api.create({ resource: namespaces, object: namespace('shop') }, 'somebody');
    await run(time.clock.sleep(aMinute, never));
    expect(at).toHaveLength(5);
    expect(new Set(at).size).toBeGreaterThan(1);
  });

  it('breaks with the weather, and is refused where its version has been forgotten', async () => {
    const { time, port, api, weather, run } = world();
    const from = api.version();
    const watching = collect(port, from);
    await run(time.clock.sleep(1000, never));
    weather.breakWatches('error');
    expect(await run(watching)).toMatchObject({ end: 'unreachable' });

    api.create({ resource: namespaces, object: namespace('shop') }, 'somebody');
    api.compact();
    expect(await run(collect(port, from))).toMatchObject({ end: 'gone' });
  });

  it('rejects with the reason when the caller stops', async () => {
    const { time, port, api, run } = world();
    const stopping = new AbortController();
    const watching = collect(port, api.version(), stopping.signal);
    const rejected = expect(watching).rejects.toThrow('stopped');
    await run(time.clock.sleep(1000, never));
    stopping.abort(new Error('stopped'));
    await rejected;
  });

  it('has bookmarks that skip nothing', async () => {
    let bookmarks = 0;
    for (let seed = 1; seed <= 10; seed += 1) {
      const { time, port, api, weather, run } = world({ seed });
      weather.lagWatches({ forMs: 10 * aMinute, byMs: 3000 });
      let latest = 0;
      const watching = (async () => {
        for await (const event of port.watch({ resource: namespaces, resourceVersion: api.version() }, never)) {
          if (event.type === 'failed') return;
          const version = Number(
            event.type === 'bookmark' ? event.resourceVersion : event.object.metadata.resourceVersion,
          );
          expect(version).toBeGreaterThanOrEqual(latest);
          latest = version;
          if (event.type === 'bookmark') bookmarks += 1;
        }
      })();
      for (let number = 0; number < 100; number += 1) {
        await run(time.clock.sleep(2500, never));
        api.create({ resource: namespaces, object: namespace(`n-${String(number)}`) }, 'somebody');
      }
      await run(watching);
    }
    expect(bookmarks).toBeGreaterThan(0);
  });
});

function world({ seed = 7, life = actorLife() }: { seed?: number; life?: ActorLife } = {}) {
  const random = seededRandom(seed);
  const time = new VirtualTime(Date.UTC(2026, 9, 14));
  const api = createSimulatedApi({ timeline: time, random: random.fork() });
  const weather = changingWeather(time, random.fork());
  const seen: string[] = [];
  const witness: Witness = {
    sent: ({ verb, name }: Call) => seen.push(`sent ${verb} ${name ?? ''}`),
    arrived: ({ verb }, { kind }) => seen.push(`arrived ${verb} ${kind}`),
    told: (_actor, { object }) => seen.push(`told ${object.metadata.name ?? ''}`),
  };
  const port = unreliablePort({
    port: simulatedPort({ api, caller: 'actor' }),
    actor: 'actor-1',
    time,
    random: random.fork(),
    weather,
    witnesses: [witness],
    life,
    version: () => api.version(),
  });
  return {
    time,
    api,
    weather,
    port,
    seen,
    exists: (name: string) => api.get({ resource: namespaces, name }).kind === 'ok',
    run: <T>(promise: Promise<T>) => letSettle(time, promise),
  };
}

async function firstEvent(port: ClusterPort, resourceVersion: string): Promise<WatchEvent | undefined> {
  for await (const event of port.watch({ resource: namespaces, resourceVersion }, never)) {
    if (event.type !== 'bookmark') return event;
  }
  return undefined;
}

/** The versions that a watch tells until it ends, and how it ends. */
async function collect(port: ClusterPort, resourceVersion: string, signal = never) {
  const versions: (string | undefined)[] = [];
  for await (const event of port.watch({ resource: namespaces, resourceVersion }, signal)) {
    if (event.type === 'failed') return { versions, end: event.failure.kind };
    if (event.type !== 'bookmark') versions.push(event.object.metadata.resourceVersion);
  }
  return { versions, end: 'ended' };
}

function namespace(name: string): ApiObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}
