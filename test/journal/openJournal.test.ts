import { describe, expect, it } from 'vitest';
import { canonicalDigest } from '../../src/journal/canonicalJson.js';
import type { JournalEntry, JournalRecord, JournalSink } from '../../src/journal/entry.js';
import { openJournal } from '../../src/journal/openJournal.js';
import { TurnusError } from '../../src/turnusError.js';
import { entriesOf, itemAt, memorySink, tickingClock } from './journalFixtures.js';

/** Fails from the given write on. */
function failingSink(fromWrite: number): JournalSink & { writes: number } {
  return {
    name: '/var/log/turnus.ndjson',
    writes: 0,
    async write() {
      this.writes += 1;
      await Promise.resolve();
      if (this.writes >= fromWrite) throw new Error('no space left on device');
    },
    close: () => Promise.resolve(),
  };
}

describe('a journal', () => {
  it('numbers entries from 1, links each to the one before and hashes all of it', async () => {
    const [first, second] = await entriesOf([
      { type: 'run.started', plan: 'abc' },
      { type: 'node.cordoned', node: 'n1' },
    ]);
    expect(first).toMatchObject({ seq: 1, prev: '', time: '2026-11-10T21:00:01.000Z', run: 'monthly-2026-11' });
    expect(second).toMatchObject({ seq: 2, prev: first?.hash, node: 'n1', type: 'node.cordoned' });
    const { hash, ...content } = itemAt([second], 0) as JournalEntry;
    expect(hash).toBe(canonicalDigest(content));
  });

  it('goes on after the head it is given and answers the new head', async () => {
    const sink = memorySink();
    const head = { seq: 41, hash: 'a'.repeat(64) };
    const journal = openJournal({ run: 'r', clock: tickingClock(), sinks: [sink], head });
    expect(journal.head()).toEqual(head);
    const next = await journal.append({ type: 'run.resumed' });
    expect(sink.entries[0]).toMatchObject({ seq: 42, prev: head.hash, hash: next.hash });
    expect(journal.head()).toEqual(next);
  });

  it('writes appends that are made at the same time one after the other', async () => {
    const events: string[] = [];
    const slow: JournalSink = {
      name: 'slow',
      async write({ seq }) {
        events.push(`begin ${seq}`);
        for (let turn = 0; turn < 10 - seq; turn += 1) await Promise.resolve();
        events.push(`end ${seq}`);
      },
      close: () => Promise.resolve(),
    };
    const journal = openJournal({ run: 'r', clock: tickingClock(), sinks: [slow], head: undefined });
    const heads = await Promise.all([1, 2, 3].map(async () => await journal.append({ type: 'gate.checked' })));
    expect(heads.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(events).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
  });

  it('records what the evidence was when it was appended, not what it became while waiting', async () => {
    const sink = memorySink();
    const journal = openJournal({ run: 'r', clock: tickingClock(), sinks: [sink], head: undefined });
    const pods = ['a'];
    const append = journal.append({ type: 'gate.checked', pods });
    pods.push('b');
    await append;
    expect(sink.entries[0]?.['pods']).toEqual(['a']);
  });

  it('rejects with the name of the sink that failed, and rejects every append after it', async () => {
    const failing = failingSink(2);
    const journal = openJournal({ run: 'r', clock: tickingClock(), sinks: [memorySink(), failing], head: undefined });
    const first = await journal.append({ type: 'run.started' });
    const later = await Promise.allSettled([
      journal.append({ type: 'node.cordoned', node: 'n1' }),
      journal.append({ type: 'node.uncordoned', node: 'n1' }),
    ]);
    for (const outcome of later) {
      const reason: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
      expect(reason).toBeInstanceOf(TurnusError);
      expect(reason).toMatchObject({ code: 'journal-sink-failed', exitCode: 1 });
      expect(String(reason)).toContain('/var/log/turnus.ndjson: no space left on device');
    }
    expect(failing.writes).toBe(2);
    expect(journal.head()).toEqual(first);
  });

  it('refuses evidence that is not JSON or takes a name of the journal, and stays usable', async () => {
    const sink = memorySink();
    const journal = openJournal({ run: 'r', clock: tickingClock(), sinks: [sink], head: undefined });
    await expect(journal.append({ type: 'job.finished', durationMs: Number.NaN })).rejects.toMatchObject({
      code: 'not-json',
    });
    await expect(journal.append({ type: 'job.finished', time: 'now' })).rejects.toMatchObject({
      code: 'journal-name-taken',
    });
    await expect(journal.append({ type: 'job.finished' })).resolves.toMatchObject({ seq: 1 });
  });

  it('cuts strings over 4 KiB at a whole character and says how long they were', async () => {
    const [entry] = await entriesOf([
      { type: 'job.finished', output: `a${'é'.repeat(3000)}`, whole: 'x'.repeat(4096) },
    ]);
    expect(entry?.['output']).toBe(`a${'é'.repeat(2047)}… [cut: 6001 bytes]`);
    expect(entry?.['whole']).toBe('x'.repeat(4096));
  });

  it('bounds depth and the size of an entry, and replaces half characters', async () => {
    const deep: Record<string, unknown> = {};
    deep['deep'] = deep;
    const record: JournalRecord = {
      type: 'gate.checked',
      half: 'a\ud83d',
      deep,
      pods: Array(100_000).fill('pod'),
      last: 1,
    };
    const [entry] = await entriesOf([record]);
    expect(entry?.['half']).toBe('a\ufffd');
    expect(JSON.stringify(entry?.['deep'])).toContain('[cut: nested deeper than 8 levels]');
    expect(JSON.stringify(entry?.['pods'])).toMatch(/"\[cut: \d+ more, the entry is too large\]"\]$/);
    expect(entry?.['…']).toBe('[cut: 1 more, the entry is too large]');
    expect(JSON.stringify(entry).length).toBeLessThan(1024 * 1024);
  });
});
