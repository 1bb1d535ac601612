import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { TurnusError } from '../turnusError.js';

/** One line of a journal, and where it stands. */
export interface JournalLine {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Without the line feed. */
  readonly text: string;
  /** False for a last line without a line feed: the write was cut off. Taken as true where it is left out. */
  readonly ended?: boolean;
}

/** No entry is as long as this (boundedEvidence sees to it); longer lines are cut, and so are not JSON. */
const longestLineBytes = 4 * 1024 * 1024;
const lineFeed = 0x0a;

/** The lines of several journal files, one file after the other, read as a stream. A file named twice is read once. */
export async function* journalLines(files: readonly string[]): AsyncGenerator<JournalLine> {
  for (const file of new Set(files)) {
    try {
      yield* linesOf(file, createReadStream(file));
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause)) throw cause;
      throw new TurnusError({
        code: 'journal-unreadable',
        message: `The journal ${file} cannot be read: ${cause.message}`,
        hint: 'Check the name and the permissions of the file.',
        cause,
      });
    }
  }
}

/** The lines of a stream of bytes; `file` is the name they are reported under. */
async function* linesOf(file: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<JournalLine> {
  let line = 0;
  let parts: Uint8Array[] = [];
  let heldBytes = 0;
  const hold = (part: Uint8Array) => {
    const kept = part.subarray(0, longestLineBytes - heldBytes);
    if (kept.length > 0) parts.push(kept);
    heldBytes += kept.length;
  };
  const take = (ended: boolean): JournalLine => {
    const text = textOf(Buffer.concat(parts));
    parts = [];
    heldBytes = 0;
    line += 1;
    return { file, line, text, ended };
  };

  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      hold(chunk.subarray(start, end));
      yield take(true);
      start = end + 1;
    }
    hold(chunk.subarray(start));
  }
  if (heldBytes > 0) yield take(false);
}

/** Damaged UTF-8 is read byte by byte: as UTF-8 different bytes would all become U+FFFD, and a change could hide. */
function textOf(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}
