import { execFile } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';

/** What the programs of a host ask of its machine, one word a line. */
export interface HostRequests {
  close(): void;
}

/**
 * Makes a named pipe and reads it: a request is there at once, and no program that can write a line is too simple to
 * make one. The pipe is opened for writing too, so that it does not end with the first writer (fifo(7)).
 */
export async function openRequests(path: string, onRequest: (word: string) => void): Promise<HostRequests> {
  await promisify(execFile)('mkfifo', ['-m', '600', path]);
  // The socket reads the descriptor by events; a file stream would hold a thread that waits for the next line.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const reader = new Socket({ fd, readable: true, writable: false });
  let rest = '';
  reader.on('error', () => undefined);
  reader.on('data', (data) => {
    const lines = `${rest}${data.toString()}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onRequest(line);
  });
  return {
    close() {
      reader.destroy();
    },
  };
}
