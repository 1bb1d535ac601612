import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalHead } from '../../src/journal/entry.js';
import { openFileSink } from '../../src/journal/fileSink.js';
import { journalLines } from '../../src/journal/journalLines.js';
import { openJournal } from '../../src/journal/openJournal.js';
import { streamSink } from '../../src/journal/streamSink.js';
import { verifyJournal } from '../../src/journal/verifyJournal.js';
import { entriesOf, itemAt, records, tickingClock } from './journalFixtures.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'turnus-journal-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** One actor: opens the file, writes, closes. */
async function actor(
  path: string,
  content: ReturnType<typeof records>,
  head?: JournalHead,
  run = 'r',
): Promise<JournalHead> {
  const sink = await openFileSink(path);
  const journal = openJournal({ run, clock: tickingClock(), sinks: [sink], head });
  for (const record of content) await journal.append(record);
  await sink.close();
  return journal.head();
}

describe('the file sink', () => {
  it('makes the file with mode 0600 and writes one entry a line', async () => {
    const path = join(directory, 'j.ndjson');
    await actor(path, records(3));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, 'utf8');
    expect(text.endsWith('}\n')).toBe(true);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { seq: number }).seq),
    ).toEqual([1, 2, 3]);
  });

  it('appends a second run and a successor to the same file, which verifies as a whole', async () => {
    const path = join(directory, 'j.ndjson');
    const head = await actor(path, records(3), undefined, 'first');
    await actor(path, records(4), undefined, 'second');
    const end = await actor(path, records(2, 'run.resumed'), head, 'first');
    const verdict = await verifyJournal({ lines: journalLines([path, path]), head: end });
    expect(verdict).toMatchObject({ kind: 'intact', endProved: true, runs: [{ entries: 5 }, { entries: 4 }] });
  });

  it('keeps a torn last line apart from the next entry, and verification calls it torn', async () => {
    const path = join(directory, 'j.ndjson');
    const head = await actor(path, records(3));
    await appendFile(path, '{"seq":4,"time":"2026-11-10T21:0');
    expect(await verifyJournal({ lines: journalLines([path]), head })).toMatchObject({
      kind: 'intact',
      endProved: true,
      torn: [{ file: path, line: 4 }],
    });
    const end = await actor(path, records(2, 'run.resumed'), head);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(7);
    expect(await verifyJournal({ lines: journalLines([path]), head: end })).toMatchObject({
      kind: 'intact',
      endProved: true,
      torn: [{ file: path, line: 4 }],
      runs: [{ entries: 5, orphaned: 0 }],
    });
  });

  it('refuses what is not a regular file, and a directory that is not there, with what to do', async () => {
    await expect(openFileSink('/dev/null')).rejects.toMatchObject({ code: 'journal-file' });
    await expect(openFileSink(join(directory, 'no', 'j.ndjson'))).rejects.toMatchObject({
      code: 'journal-file',
      message: expect.stringContaining('ENOENT') as string,
      hint: expect.stringContaining('existing directory') as string,
    });
  });
});

describe('the reader', () => {
  it('names a file that cannot be read', async () => {
    const lines = journalLines([join(directory, 'absent.ndjson')]);
    await expect(verifyJournal({ lines })).rejects.toMatchObject({ code: 'journal-unreadable' });
  });

  it('notices a byte that is no longer UTF-8', async () => {
    const path = join(directory, 'j.ndjson');
    await actor(path, [{ type: 'run.started', reason: '\ufffd' }, { type: 'run.finished' }]);
    const bytes = await readFile(path);
    bytes[bytes.indexOf(0xef)] = 0xff;
    await rm(path);
    await appendFile(path, bytes);
    expect(await verifyJournal({ lines: journalLines([path]) })).toMatchObject({
      what: 'changed',
      at: { line: 1, seq: 1 },
    });
  });

  it('cuts a line without end instead of keeping it in memory', async () => {
    const path = join(directory, 'j.ndjson');
    await appendFile(path, `{"seq":1,"text":"${'x'.repeat(9_000_000)}"}\n`);
    const lengths = [];
    for await (const { text } of journalLines([path])) lengths.push(text.length);
    expect(lengths).toEqual([4 * 1024 * 1024]);
  });
});

describe('the stream sink', () => {
  it('writes NDJSON and leaves the stream open', async () => {
    const stream = new PassThrough();
    const sink = streamSink({ stream, name: 'standard output' });
    const entry = itemAt(await entriesOf(records(1)), 0);
    await sink.write(entry);
    await sink.close();
    expect(String(stream.read())).toBe(`${JSON.stringify(entry)}\n`);
    expect(stream.writableEnded).toBe(false);
    expect(stream.listenerCount('error')).toBe(0);
  });

  it('turns a reader that has gone into a failed append, and never into an unhandled error', async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => {
        done(new Error('write EPIPE'));
      },
    });
    const sink = streamSink({ stream, name: 'standard output' });
    const journal = openJournal({ run: 'r', clock: tickingClock(), sinks: [sink], head: undefined });
    await expect(journal.append({ type: 'run.started' })).rejects.toThrow('standard output: write EPIPE');
    const entry = itemAt(await entriesOf(records(1)), 0);
    await expect(sink.write(entry)).rejects.toThrow('EPIPE');
  });
});
