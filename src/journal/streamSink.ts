import type { Writable } from 'node:stream';
import type { JournalSink } from './entry.js';
import { entryLine } from './entryLine.js';

/**
 * Writes entries as NDJSON to a stream that belongs to someone else (standard output); close() leaves it open. A write
 * resolves when the stream has handed the line on. A stream that fails (EPIPE: the reader has gone) makes this write
 * and every later one reject, and never ends the process by an unhandled `error` event.
 */
export function streamSink({ stream, name }: { stream: Writable; name: string }): JournalSink {
  let failure: Error | undefined;
  const onError = (error: Error) => {
    failure ??= error;
  };
  stream.on('error', onError);
  return {
    name,
    write: (entry) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure);
          return;
        }
        stream.write(entryLine(entry), (error) => {
          if (error) {
            onError(error);
            reject(error);
          } else resolve();
        });
      }),
    close() {
      // After a failure the stream's `error` event may still be on its way.
      if (failure === undefined) stream.off('error', onError);
      return Promise.resolve();
    },
  };
}
