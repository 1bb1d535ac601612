import { canonicalDigest } from '../../src/journal/canonicalJson.js';
import type { JournalEntry, JournalHead, JournalRecord, JournalSink } from '../../src/journal/entry.js';
import { entryLine } from '../../src/journal/entryLine.js';
import type { JournalLine } from '../../src/journal/journalLines.js';
import { openJournal } from '../../src/journal/openJournal.js';
import { verifyJournal, type JournalVerdict, type OutsideHead } from '../../src/journal/verifyJournal.js';
import type { Clock } from '../../src/time/clock.js';

const startMs = Date.parse('2026-11-10T21:00:00.000Z');

/** A clock that goes on by one second at each look. */
export function tickingClock(fromMs = startMs): Clock {
  let nowMs = fromMs;
  const now = () => (nowMs += 1000);
  const never = () => {
    throw new Error('the journal does not wait');
  };
  return { now, monotonic: now, sleep: never, deadline: never };
}

/** Keeps the entries in memory. */
export function memorySink(): JournalSink & { readonly entries: JournalEntry[] } {
  const entries: JournalEntry[] = [];
  return {
    name: 'memory',
    entries,
    write: (entry) => {
      entries.push(entry);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

/** The entries that a run's journal makes of `records`, going on after `head`. */
export async function entriesOf(
  records: readonly JournalRecord[],
  { run = 'monthly-2026-11', head, fromMs }: { run?: string; head?: JournalHead; fromMs?: number } = {},
): Promise<JournalEntry[]> {
  const sink = memorySink();
  const journal = openJournal({ run, clock: tickingClock(fromMs), sinks: [sink], head });
  for (const record of records) await journal.append(record);
  return sink.entries;
}

/** `count` entries of one actor; `from` names the first type. */
export function records(count: number, first: JournalRecord['type'] = 'run.started'): JournalRecord[] {
  return Array.from({ length: count }, (_, place): JournalRecord =>
    place === 0 ? { type: first } : { type: 'gate.checked', node: `node-${place}`, findings: [] },
  );
}

/** The same entry with other content and a hash that matches it. */
export function forged(entry: JournalEntry, change: Record<string, unknown>): JournalEntry {
  const { hash: _, ...content } = { ...entry, ...change };
  return { ...content, hash: canonicalDigest(content) };
}

export function texts(entries: readonly JournalEntry[]): string[] {
  return entries.map((entry) => entryLine(entry).trimEnd());
}

export function linesIn(file: string, content: readonly string[]): JournalLine[] {
  return content.map((text, place) => ({ file, line: place + 1, text }));
}

export async function verdictOn(content: readonly string[], head?: OutsideHead): Promise<JournalVerdict> {
  return await verifyJournal({ lines: linesIn('a.ndjson', content), ...(head === undefined ? {} : { head }) });
}

/** The last of a list that must not be empty. */
export function lastOf<T>(items: readonly T[]): T {
  const last = items.at(-1);
  if (last === undefined) throw new Error('the list is empty');
  return last;
}

/** The item at a place that must exist. */
export function itemAt<T>(items: readonly T[], place: number): T {
  const item = items[place];
  if (item === undefined) throw new Error(`there is no item ${place}`);
  return item;
}
