import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalEntry, JournalRecord, JournalType } from '../../src/journal/entry.js';
import { verifyJournal } from '../../src/journal/verifyJournal.js';
import { entriesOf, forged, itemAt, lastOf, linesIn, records, texts, verdictOn } from './journalFixtures.js';

const laterTypes: JournalType[] = ['turn.started', 'gate.checked', 'node.cordoned', 'pod.evicting', 'job.finished'];
const ownNames = new Set(['seq', 'time', 'run', 'prev', 'hash', 'type', 'node', 'toJSON']);

const evidence = fc
  .dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
  .map((members) => Object.fromEntries(Object.entries(members).filter(([name]) => !ownNames.has(name))));

const laterRecord: fc.Arbitrary<JournalRecord> = fc
  .tuple(fc.constantFrom(...laterTypes), fc.constantFrom('node-a', 'node-b'), evidence)
  .map(([type, node, members]) => ({ ...members, type, node }));

const startRecord: JournalRecord = { type: 'run.started', by: 'cron' };

/** The records of a run: two to ten of them. */
const runRecords = fc
  .array(laterRecord, { minLength: 1, maxLength: 9 })
  .map((later): JournalRecord[] => [startRecord, ...later]);

/** A run, and two of its places in order. */
const runAndPlaces = fc
  .tuple(runRecords, fc.nat(), fc.nat())
  .map(([content, a, b]) => ({ content, place: a % content.length, other: b % content.length }));

describe('verification of a journal', () => {
  it('finds every journal intact that was only appended to', async () => {
    await fc.assert(
      fc.asyncProperty(runRecords, async (content) => {
        const entries = await entriesOf(content);
        const { seq, hash, time } = lastOf(entries);
        const verdict = await verdictOn(texts(entries), { hash, seq });
        expect(verdict).toMatchObject({
          kind: 'intact',
          endProved: true,
          torn: [],
          runs: [{ entries: entries.length, head: { seq, hash }, lastTime: time, orphaned: 0, afterHead: 0 }],
        });
      }),
    );
  });

  it('does not mind white space and another order of members', async () => {
    const entries = await entriesOf(records(3));
    const rewritten = entries.map((entry) =>
      JSON.stringify(Object.fromEntries(Object.entries(entry).reverse())).replace('"seq":', ' "seq" : '),
    );
    expect(await verdictOn(rewritten)).toMatchObject({ kind: 'intact' });
  });

  it('names the line in which a single character was changed', async () => {
    const mutation = fc.tuple(runAndPlaces, fc.nat(), fc.integer({ min: 0x20, max: 0x7e }));
    await fc.assert(
      fc.asyncProperty(mutation, async ([{ content, place }, position, code]) => {
        const lines = texts(await entriesOf(content));
        const text = itemAt(lines, place);
        const at = position % text.length;
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        fc.pre(meaning(changed) !== meaning(text));
        lines[place] = changed;
        expect(await verdictOn(lines)).toMatchObject({ kind: 'broken', at: { file: 'a.ndjson', line: place + 1 } });
      }),
      { numRuns: 400 },
    );
  });

  it('tells a removed entry by its number, at the entry after the gap', async () => {
    await fc.assert(
      fc.asyncProperty(runAndPlaces, async ({ content, place }) => {
        fc.pre(place < content.length - 1);
        const lines = texts(await entriesOf(content));
        lines.splice(place, 1);
        expect(await verdictOn(lines)).toMatchObject({
          kind: 'broken',
          what: 'missing',
          at: { line: place + 1, seq: place + 2 },
          message: expect.stringContaining(`entry ${place + 1}`) as string,
        });
      }),
    );
  });

  it('tells swapped entries from missing ones', async () => {
    await fc.assert(
      fc.asyncProperty(runAndPlaces, async ({ content, place, other }) => {
        fc.pre(place < other);
        const lines = texts(await entriesOf(content));
        [lines[place], lines[other]] = [itemAt(lines, other), itemAt(lines, place)];
        expect(await verdictOn(lines)).toMatchObject({
          kind: 'broken',
          what: 'reordered',
          at: { line: place + 1, seq: other + 1 },
        });
      }),
    );
  });

  it('names the copy of an entry, wherever it was put', async () => {
    await fc.assert(
      fc.asyncProperty(runAndPlaces, async ({ content, place, other }) => {
        const lines = texts(await entriesOf(content));
        lines.splice(other, 0, itemAt(lines, place));
        const line = other === place ? other + 2 : other + 1;
        expect(await verdictOn(lines)).toMatchObject({ what: 'duplicated', at: { line, seq: place + 1 } });
      }),
    );
  });

  it('names a forged entry with a matching hash, wherever it was put', async () => {
    await fc.assert(
      fc.asyncProperty(runAndPlaces, async ({ content, place, other }) => {
        fc.pre(place < content.length - 1);
        const entries = await entriesOf(content);
        const lie = forged(itemAt(entries, place), { by: 'someone else' });
        const lines = texts(entries);
        lines.splice(other, 0, itemAt(texts([lie]), 0));
        const verdict = await verdictOn(lines);
        expect(verdict).toMatchObject({ kind: 'broken', at: { line: other + 1, seq: place + 1 } });
        expect(['inserted', 'started-twice']).toContain(verdict.kind === 'broken' ? verdict.what : undefined);
      }),
    );
  });

  it('names an entry that was rewritten and given a new hash', async () => {
    await fc.assert(
      fc.asyncProperty(runAndPlaces, async ({ content, place }) => {
        fc.pre(place < content.length - 1);
        const entries = await entriesOf(content);
        entries[place] = forged(itemAt(entries, place), { by: 'someone else' });
        const lines = texts(entries);
        expect(await verdictOn(lines)).toMatchObject({ what: 'changed', at: { line: place + 1, seq: place + 1 } });
      }),
    );
  });

  it('cannot see that the end was cut off, and says so; with the head from outside it can', async () => {
    await fc.assert(
      fc.asyncProperty(runAndPlaces, async ({ content, place }) => {
        fc.pre(place > 0);
        const entries = await entriesOf(content);
        const { seq, hash } = lastOf(entries);
        const left = texts(entries.slice(0, place));
        expect(await verdictOn(left)).toMatchObject({ kind: 'intact', endProved: false });
        const expected = { kind: 'broken', what: 'end-missing', at: { line: place, seq: place } };
        expect(await verdictOn(left, { hash, seq })).toMatchObject(expected);
        expect(await verdictOn(left, { hash })).toMatchObject(expected);
      }),
    );
  });

  it('needs the head from outside to see that the last entry was rewritten', async () => {
    const entries = await entriesOf(records(4));
    const { hash } = lastOf(entries);
    const lines = texts([...entries.slice(0, 3), forged(lastOf(entries), { by: 'someone else' })]);
    expect(await verdictOn(lines)).toMatchObject({ kind: 'intact', endProved: false });
    expect(await verdictOn(lines, { hash })).toMatchObject({ kind: 'broken', what: 'end-missing' });
  });

  it('counts what follows the head from outside as not proved', async () => {
    const entries = await entriesOf(records(6));
    const { hash } = itemAt(entries, 3);
    expect(await verdictOn(texts(entries), { hash })).toMatchObject({
      kind: 'intact',
      endProved: false,
      runs: [{ entries: 6, afterHead: 2 }],
    });
    expect(await verdictOn(texts(entries), { hash, seq: 5 })).toMatchObject({ what: 'end-missing' });
    expect(await verdictOn([], { hash })).toMatchObject({ what: 'end-missing', at: undefined });
  });

  it.each([
    ['a member that stands twice', (text: string) => text.replace('{', '{"node":"node-9",'), 'changed'],
    ['a number in another spelling', (text: string) => text.replace('"seq":2', '"seq":2.0'), 'changed'],
    ['a line that is not JSON', () => 'kernel: out of memory', 'not-json'],
    ['an object that is no entry', () => '{"level":"info"}', 'not-an-entry'],
    ['a list', () => '[]', 'not-an-entry'],
    ['nesting without end', () => `{"seq":2,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'not-an-entry'],
  ])('does not accept %s', async (_, change, what) => {
    const lines = texts(await entriesOf(records(4)));
    lines[1] = change(itemAt(lines, 1));
    expect(await verdictOn(lines)).toMatchObject({ kind: 'broken', what, at: { line: 2 } });
  });

  it('refuses a deeply nested entry whose shape is right', async () => {
    const entry = itemAt(await entriesOf(records(1)), 0);
    const text = itemAt(texts([entry]), 0).replace('{', `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)},`);
    expect(await verdictOn([text])).toMatchObject({ what: 'not-an-entry', at: { line: 1 } });
  });

  it('reads a string of megabytes', async () => {
    const entry = itemAt(await entriesOf(records(1)), 0);
    const long = forged(entry, { text: `\\"${'x'.repeat(4_000_000)}` });
    expect(await verdictOn(texts([long]))).toMatchObject({ kind: 'intact' });
  });
});

describe('verification of several runs', () => {
  it('keeps runs in one file apart, also when their entries alternate', async () => {
    const first = texts(await entriesOf(records(3), { run: 'first' }));
    const second = texts(await entriesOf(records(3), { run: 'second' }));
    const mixed = first.flatMap((text, place) => [text, itemAt(second, place)]);
    const expected = [
      { run: 'first', entries: 3 },
      { run: 'second', entries: 3 },
    ];
    expect(await verdictOn(mixed)).toMatchObject({ kind: 'intact', runs: expected });
    mixed.splice(2, 1);
    expect(await verdictOn(mixed)).toMatchObject({ what: 'missing', at: { line: 4, seq: 3 } });
  });

  it('names an entry that was given to another run', async () => {
    const entries = await entriesOf(records(4));
    const lines = texts([...entries.slice(0, 2), forged(itemAt(entries, 2), { run: 'other' }), itemAt(entries, 3)]);
    expect(await verdictOn(lines)).toMatchObject({ what: 'wrong-run', at: { line: 3, seq: 3 } });
  });

  it('asks to verify apart where a run of the same name was made anew', async () => {
    const old = texts(await entriesOf(records(3)));
    const anew = texts(await entriesOf(records(3), { fromMs: 0 }));
    expect(await verdictOn([...old, ...anew])).toMatchObject({ what: 'started-twice', at: { line: 4, seq: 1 } });
  });
});

/** An actor that wrote nine entries and died, and a successor that went on from the sixth. */
async function deadActorAndSuccessor(): Promise<{ dead: JournalEntry[]; successor: JournalEntry[] }> {
  const dead = await entriesOf(records(9));
  const { seq, hash } = itemAt(dead, 5);
  const fromMs = Date.parse('2026-11-10T23:00:00Z');
  return { dead, successor: await entriesOf(records(4, 'run.resumed'), { head: { seq, hash }, fromMs }) };
}

describe('verification of a run with several actors', () => {
  const branch = { entries: 10, orphaned: 3, orphans: [{ fromSeq: 7, toSeq: 9 }] };

  it('counts all entries of an actor that died before any head was anchored as orphaned', async () => {
    const dead = await entriesOf(records(2));
    const fromMs = Date.parse(lastOf(dead).time);
    const successor = await entriesOf(records(3, 'run.resumed'), { fromMs });
    const expected = {
      kind: 'intact',
      runs: [{ entries: 3, orphaned: 2, orphans: [{ fromSeq: 1, toSeq: 2 }], head: { hash: lastOf(successor).hash } }],
    };
    expect(await verdictOn(texts([...dead, ...successor]))).toMatchObject(expected);
    const { hash } = lastOf(successor);
    expect(await verdictOn(texts([...dead, ...successor]), { hash })).toMatchObject({ ...expected, endProved: true });
  });

  it('counts the later entries of a dead actor as orphaned, in one file', async () => {
    const { dead, successor } = await deadActorAndSuccessor();
    const { hash } = lastOf(successor);
    const lines = texts([...dead, ...successor]);
    expect(await verdictOn(lines)).toMatchObject({ kind: 'intact', endProved: false, runs: [branch] });
    expect(await verdictOn(lines, { hash })).toMatchObject({ kind: 'intact', endProved: true, runs: [branch] });
  });

  it('does the same when the files of the actors are given in any order', async () => {
    const { dead, successor } = await deadActorAndSuccessor();
    const { hash } = lastOf(successor);
    const files = [linesIn('host-a.ndjson', texts(dead)), linesIn('host-b.ndjson', texts(successor))];
    for (const lines of [files.flat(), files.toReversed().flat()]) {
      const verdict = await verifyJournal({ lines, head: { hash } });
      expect(verdict).toMatchObject({ kind: 'intact', endProved: true, runs: [branch] });
      expect(verdict).toMatchObject({ runs: [{ orphans: [{ file: 'host-a.ndjson' }] }] });
    }
  });

  it('accepts an actor that was thought dead and wrote on into the same file', async () => {
    const { dead, successor } = await deadActorAndSuccessor();
    const lines = texts([...dead.slice(0, 8), ...successor.slice(0, 2), ...dead.slice(8), ...successor.slice(2)]);
    expect(await verdictOn(lines)).toMatchObject({ kind: 'intact', runs: [branch] });
  });

  it('follows the head from outside, not the successor that resumed last', async () => {
    const { dead, successor } = await deadActorAndSuccessor();
    const { hash } = lastOf(dead);
    expect(await verdictOn(texts([...dead, ...successor]), { hash })).toMatchObject({
      kind: 'intact',
      endProved: true,
      runs: [{ entries: 9, orphaned: 4, orphans: [{ fromSeq: 7, toSeq: 10 }] }],
    });
  });

  it('takes the branch of the successor that resumed last where two went on from the same head', async () => {
    const { dead, successor } = await deadActorAndSuccessor();
    const { seq, hash } = itemAt(dead, 5);
    const fromMs = Date.parse('2026-11-11T01:00:00Z');
    const third = await entriesOf(records(2, 'run.resumed'), { head: { seq, hash }, fromMs });
    for (const lines of [texts([...dead, ...successor, ...third]), texts([...dead, ...third, ...successor])]) {
      expect(await verdictOn(lines)).toMatchObject({
        kind: 'intact',
        runs: [{ entries: 8, orphaned: 7, head: { hash: lastOf(third).hash } }],
      });
    }
  });

  it('says which entries are missing where the file of the first actor was not given', async () => {
    const { successor } = await deadActorAndSuccessor();
    expect(await verdictOn(texts(successor))).toMatchObject({
      what: 'missing',
      at: { line: 1, seq: 7 },
      message: expect.stringContaining('entries 1 to 6 of run monthly-2026-11') as string,
    });
  });

  it('sees that the resumption itself was removed or moved', async () => {
    const { dead, successor } = await deadActorAndSuccessor();
    const before = texts(dead.slice(0, 6));
    const [resumed = '', ...after] = texts(successor);
    expect(await verdictOn([...before, ...after])).toMatchObject({ what: 'missing', at: { line: 7, seq: 8 } });
    expect(await verdictOn([...texts(dead), ...after])).toMatchObject({ what: 'missing', at: { line: 10, seq: 8 } });
    const moved = [...before.slice(0, 3), resumed, ...before.slice(3), ...after];
    expect(await verdictOn(moved)).toMatchObject({ what: 'reordered', at: { line: 4, seq: 7 } });
  });

  it('verifies a journal that was split into files, given in any order or twice', async () => {
    const lines = texts(await entriesOf(records(9)));
    const [a, b, c] = [lines.slice(0, 3), lines.slice(3, 6), lines.slice(6)];
    const files = [linesIn('c', c), linesIn('a', a), linesIn('b', b), linesIn('copy', lines.slice(2, 8))];
    const expected = { kind: 'intact', runs: [{ entries: 9, orphaned: 0 }] };
    expect(await verifyJournal({ lines: files.flat() })).toMatchObject(expected);
    expect(await verifyJournal({ lines: files.toReversed().flat() })).toMatchObject(expected);
    expect(await verifyJournal({ lines: [linesIn('c', c), linesIn('a', a)].flat() })).toMatchObject({
      what: 'missing',
      at: { file: 'c', line: 1, seq: 7 },
      message: expect.stringContaining('entries 4 to 6') as string,
    });
  });

  it('sees a forged file that branches off without a resumption', async () => {
    const entries = await entriesOf(records(6));
    const { seq, hash } = itemAt(entries, 2);
    const branchOff = await entriesOf(records(2, 'gate.checked'), { head: { seq, hash } });
    const lines = [...linesIn('a', texts(entries)), ...linesIn('b', texts(branchOff))];
    expect(await verifyJournal({ lines })).toMatchObject({ what: 'inserted', at: { file: 'b', line: 1, seq: 4 } });
  });

  it('calls a line torn only where a new actor follows it or it was cut at its end', async () => {
    const { dead, successor } = await deadActorAndSuccessor();
    const [head, tail] = [texts(dead.slice(0, 6)), texts(successor)];
    const whole = itemAt(texts(dead), 6);
    const torn = whole.slice(0, 40);
    expect(await verdictOn([...head, torn, ...tail])).toMatchObject({ kind: 'intact', torn: [{ line: 7 }] });
    expect(await verdictOn([...head, torn])).toMatchObject({ what: 'not-json', at: { line: 7 } });
    const damaged = whole.replace('"seq"', '"seq');
    expect(await verdictOn([...head, damaged, ...tail])).toMatchObject({ what: 'not-json', at: { line: 7 } });
    expect(await verdictOn([...head.slice(0, 5), torn, ...tail])).toMatchObject({ what: 'missing', at: { line: 7 } });
    const lines = [...linesIn('a', head), { file: 'a', line: 7, text: torn, ended: false }];
    expect(await verifyJournal({ lines })).toMatchObject({ kind: 'intact', torn: [{ line: 7 }] });
  });
});

/** What a line says, whatever way it is spelled; undefined where it is not JSON. */
function meaning(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
}
