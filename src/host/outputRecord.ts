import { createHash } from 'node:crypto';
import type { JobOutput } from './jobEnd.js';
import { wholeCharacters } from './jobReading.js';

const tailBytes = 4096;

/** Takes a job's output piece by piece; keeps its end and its hash. */
export interface OutputRecord {
  add(text: string): void;
  /** Bytes before the next piece that the host has not kept. */
  omit(bytes: number): void;
  /** Its state now; more may be added after it. */
  read(isComplete: boolean): JobOutput;
}

export function createOutputRecord(): OutputRecord {
  const hash = createHash('sha256');
  let tail = Buffer.alloc(0);
  let bytes = 0;
  let omittedBytes = 0;
  return {
    add(text) {
      const added = Buffer.from(text);
      hash.update(added);
      bytes += added.length;
      tail = Buffer.concat([tail, added]);
      if (tail.length > tailBytes) tail = tail.subarray(tail.length - tailBytes);
    },
    omit(omitted) {
      omittedBytes += omitted;
      tail = Buffer.alloc(0);
    },
    read(isComplete) {
      let start = 0;
      while (start < 4 && bytes > tail.length && ((tail[start] ?? 0) & 0xc0) === 0x80) start += 1; // not inside a character
      return {
        tail: tail.toString('utf8', start, wholeCharacters(tail)),
        sha256: hash.copy().digest('hex'),
        bytes,
        omittedBytes,
        isComplete,
      };
    },
  };
}
