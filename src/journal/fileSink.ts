import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TurnusError } from '../turnusError.js';
import type { JournalSink } from './entry.js';
import { entryLine } from './entryLine.js';

const lineFeed = 0x0a;

/**
 * Appends entries to `path` (made with mode 0600 where it is not there) and answers each write once it is on the
 * disk. A file whose last line was torn by a crash gets a line feed before the first new entry, in the same write, so
 * that the torn line stays a line of its own. Throws a TurnusError where the file cannot be opened.
 */
export async function openFileSink(path: string): Promise<JournalSink> {
  const { O_APPEND, O_CREAT, O_RDWR } = constants;
  let file: FileHandle;
  try {
    file = await open(path, O_APPEND | O_CREAT | O_RDWR, 0o600);
  } catch (cause) {
    throw notUsable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) throw notUsable(path, 'it is not a regular file');
    if (found.size === 0) await flushDirectory(dirname(path));
  } catch (error) {
    await file.close();
    throw error;
  }

  let isFirst = true;
  return {
    name: path,
    async write(entry) {
      const start = isFirst && (await endsInTornLine(file)) ? '\n' : '';
      const bytes = Buffer.from(start + entryLine(entry));
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten < bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written`);
      await file.datasync();
      isFirst = false;
    },
    close: async () => {
      await file.close();
    },
  };
}

async function endsInTornLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
  return buffer[0] !== lineFeed;
}

/** A new file survives a power cut only when its directory is on the disk as well. */
async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function notUsable(path: string, reason: string, cause?: unknown): TurnusError {
  return new TurnusError({
    code: 'journal-file',
    message: `The journal cannot be written to ${path}: ${reason}`,
    hint: 'Name a regular file in an existing directory that you may write to; for a pipe use "-o ndjson".',
    cause,
  });
}
