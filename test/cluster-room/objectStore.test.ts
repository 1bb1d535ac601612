import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ObjectStore, type StoredObject } from '../../src/cluster/objectStore.js';

function object(key: string, version: number, scope = 'node-1', uid = key): StoredObject<string> {
  return { key, uid, version: BigInt(version), scope, value: `${uid}@${String(version)}` };
}

function contents(store: ObjectStore<string>): Record<string, string> {
  return Object.fromEntries([...store.snapshot()].sort());
}

describe('the store of a watched resource', () => {
  it('takes newer states and leaves older ones', () => {
    const store = new ObjectStore<string>();
    expect(store.put(object('a', 5))).toBe(true);
    expect(store.put(object('a', 5))).toBe(false);
    expect(store.put(object('a', 4))).toBe(false);
    expect(store.delete(object('a', 4))).toBe(false);
    expect(store.put(object('a', 10))).toBe(true);
    expect(contents(store)).toEqual({ a: 'a@10' });
  });

  it('compares versions as numbers, beyond what a double can tell apart', () => {
    const store = new ObjectStore<string>();
    store.put({ ...object('a', 0), version: 9007199254740993n, value: 'newer' });
    expect(store.put({ ...object('a', 0), version: 9007199254740992n, value: 'older' })).toBe(false);
    expect(contents(store)).toEqual({ a: 'newer' });
  });

  it('drops what a list of a scope lacks, but not what is newer than the list or in another scope', () => {
    const store = new ObjectStore<string>();
    store.mergeAll([object('a', 1), object('b', 2), object('other', 3, 'node-2')], 5n);
    store.put(object('late', 12));
    expect(store.mergeScope('node-1', [object('b', 8)], 10n)).toBe(true);
    expect(contents(store)).toEqual({ b: 'b@8', late: 'late@12', other: 'other@3' });
  });

  it('does not bring back by a late event what a list showed to be gone', () => {
    const store = new ObjectStore<string>();
    store.mergeAll([object('a', 1)], 5n);
    store.mergeScope('node-1', [], 10n);
    store.put(object('a', 7));
    store.reached(7n);
    store.put(object('short-lived', 8));
    store.reached(8n);
    expect(contents(store)).toEqual({});
    store.delete(object('a', 9));
    store.reached(10n);
    store.put(object('a', 11));
    expect(contents(store)).toEqual({ a: 'a@11' });
  });

  it('does not bring back by a late list what an event showed to be gone', () => {
    const store = new ObjectStore<string>();
    store.mergeAll([object('a', 1)], 5n);
    const end = store.beginPartialList();
    store.delete(object('a', 9));
    expect(store.mergeScope('node-1', [object('a', 1)], 8n)).toBe(false);
    end();
    expect(contents(store)).toEqual({});
  });

  it('tells a namesake from the object it replaced', () => {
    const store = new ObjectStore<string>();
    store.put(object('web-0', 5, 'node-1', 'old'));
    const end = store.beginPartialList();
    store.delete(object('web-0', 6, 'node-1', 'old'));
    store.put(object('web-0', 7, 'node-2', 'new'));
    store.mergeScope('node-1', [object('web-0', 5, 'node-1', 'old')], 5n);
    end();
    expect(contents(store)).toEqual({ 'web-0': 'new@7' });
  });

  it('begins anew where the server went back in time', () => {
    const store = new ObjectStore<string>();
    store.mergeAll([object('a', 90), object('b', 95)], 100n);
    store.mergeAll([object('a', 10)], 20n);
    expect(contents(store)).toEqual({ a: 'a@10' });
    store.put(object('a', 21));
    expect(contents(store)).toEqual({ a: 'a@21' });
  });

  it('gives out snapshots that never change, and the same one while nothing changes', () => {
    const store = new ObjectStore<string>();
    store.put(object('a', 1));
    const first = store.snapshot();
    expect(store.snapshot()).toBe(first);
    store.put(object('b', 2));
    expect([...first.keys()]).toEqual(['a']);
  });

  /**
   * A history of a server; the watch tells all of it in order, partial lists of its past arrive in between. In the
   * end the store holds what the server holds, and right after a partial list it is never older than that list.
   */
  it('agrees with the server in the end, whatever lists arrive between the events', () => {
    const change = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      action: fc.constantFrom('put', 'put', 'delete'),
      scope: fc.constantFrom('node-1', 'node-2'),
    });
    const list = fc.record({ scope: fc.constantFrom('node-1', 'node-2'), asked: fc.nat(), arrives: fc.nat() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), fc.array(list, { maxLength: 8 }), (changes, lists) => {
        const history = historyOf(changes);
        const store = new ObjectStore<string>();
        const ends = new Map<number, () => void>();
        const plan = lists.map(({ scope, asked, arrives }) => {
          const askedAfter = asked % (history.length + 1);
          // A list shows the server as of when it was asked or later, and arrives at any time after that.
          return { scope, askedAfter, arrivesAfter: askedAfter + (arrives % (history.length + 1 - askedAfter)) };
        });
        for (let at = 0; at <= history.length; at += 1) {
          plan.forEach(({ askedAfter }, place) => {
            if (askedAfter === at) ends.set(place, store.beginPartialList());
          });
          plan.forEach(({ scope, askedAfter, arrivesAfter }, place) => {
            if (arrivesAfter !== at) return;
            // The server is ahead of the watch: the list may show what the watch tells only later.
            const shownAt = Math.min(history.length, askedAfter + 3);
            const shown = stateAfter(history, shownAt);
            const inScope = [...shown.values()].filter((stored) => stored.scope === scope);
            store.mergeScope(scope, inScope, BigInt(shownAt));
            ends.get(place)?.();
            for (const stored of inScope) {
              const kept = store.snapshot().get(stored.key);
              const versionKept = kept === undefined ? Infinity : Number(kept.split('@')[1]);
              expect(versionKept).toBeGreaterThanOrEqual(Number(stored.version));
            }
          });
          const event = history[at];
          if (event === undefined) continue;
          if (event.deleted) store.delete(event.stored);
          else store.put(event.stored);
          store.reached(event.stored.version);
        }
        const expected = [...stateAfter(history, history.length).values()].map(
          ({ key, value }) => [key, value] as const,
        );
        expect(contents(store)).toEqual(Object.fromEntries(expected.sort()));
      }),
      { numRuns: 500 },
    );
  });
});

interface HistoryEvent {
  readonly deleted: boolean;
  readonly stored: StoredObject<string>;
}

/** Events with versions 1, 2, …; a key that was deleted comes back with another UID, a living one stays in its scope. */
function historyOf(changes: readonly { key: string; action: string; scope: string }[]): HistoryEvent[] {
  const living = new Map<string, StoredObject<string>>();
  const history: HistoryEvent[] = [];
  for (const { key, action, scope } of changes) {
    const version = history.length + 1;
    const current = living.get(key);
    if (action === 'delete') {
      if (current === undefined) continue;
      living.delete(key);
      history.push({ deleted: true, stored: { ...current, version: BigInt(version) } });
    } else {
      const uid = current?.uid ?? `${key}-${String(version)}`;
      const stored = object(key, version, current?.scope ?? scope, uid);
      living.set(key, stored);
      history.push({ deleted: false, stored });
    }
  }
  return history;
}

function stateAfter(history: readonly HistoryEvent[], count: number): Map<string, StoredObject<string>> {
  const state = new Map<string, StoredObject<string>>();
  for (const { deleted, stored } of history.slice(0, count)) {
    if (deleted) state.delete(stored.key);
    else state.set(stored.key, stored);
  }
  return state;
}
