import { Writable } from 'node:stream';
import { openLog, type Log, type LogLevel } from '../../src/server/log.js';
import { startedAt } from './fixtures.js';

/** A log whose lines a test reads. */
export function logToRead(level: LogLevel = 'debug'): {
  readonly log: Log;
  readonly text: () => string;
  readonly lines: () => Record<string, unknown>[];
} {
  let written = '';
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      written += chunk.toString();
      done();
    },
  });
  return {
    log: openLog({ stream, level, clock: { now: () => startedAt } }),
    text: () => written,
    lines: () =>
      written
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
