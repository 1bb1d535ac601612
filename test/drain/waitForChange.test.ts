import { describe, expect, it } from 'vitest';
import { ChangeSignal } from '../../src/cluster/changeSignal.js';
import { waitForChange } from '../../src/drain/waitForChange.js';
import { systemClock } from '../../src/systemClock.js';

/** Looks after every change, as a drain does, until this version was seen; answers how often. */
async function looksUntil(changes: ChangeSignal, lastVersion: number): Promise<number> {
  const { signal } = new AbortController();
  const cache = {
    changed: async (afterVersion: number, waiting: AbortSignal) => {
      await changes.after(afterVersion, waiting);
    },
  };
  for (let looks = 1; ; looks += 1) {
    const { version } = changes;
    if (version >= lastVersion) return looks;
    await waitForChange({ cache, version, clock: systemClock, atMostMs: 10_000, signal });
  }
}

describe('the wait of a drain for a change', () => {
  it('takes a burst of events for one: a thousand of them are not a thousand looks', async () => {
    const changes = new ChangeSignal();
    const looks = looksUntil(changes, 1000);
    for (let event = 0; event < 1000; event += 1) {
      changes.changed();
      // As an iterator over the lines of one chunk of a watch: whoever was woken has its say in between.
      await Promise.resolve();
    }
    expect(await looks).toBeLessThanOrEqual(3);
  });

  it('is over at its time where nothing changes', async () => {
    const { signal } = new AbortController();
    const cache = { changed: (version: number, waiting: AbortSignal) => new ChangeSignal().after(version, waiting) };
    const begun = systemClock.monotonic();
    await waitForChange({ cache, version: 0, clock: systemClock, atMostMs: 30, signal });
    expect(systemClock.monotonic() - begun).toBeGreaterThanOrEqual(29);
  });

  it('rejects with the reason of its signal, also in the moment after a change', async () => {
    const changes = new ChangeSignal();
    const stopping = new AbortController();
    const { signal } = stopping;
    const cache = { changed: (version: number, waiting: AbortSignal) => changes.after(version, waiting) };
    const waiting = waitForChange({ cache, version: 0, clock: systemClock, atMostMs: 10_000, signal });
    changes.changed();
    await Promise.resolve();
    stopping.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
