import type { JournalEntry } from './entry.js';

/** An entry as one line of NDJSON, in the order people read it; the line feed is part of it. */
export function entryLine(entry: JournalEntry): string {
  return `${JSON.stringify(entry)}\n`;
}
