import type { JobReading } from './hostPort.js';
import { parseJobAnswers } from './jobAnswers.js';
import type { RemoteAnswer } from './remoteProgram.js';

/** The answer of `readProgram` as a reading; undefined where it is not whole or not understood. */
export function parseJobReading(answer: RemoteAnswer, fromByte: number): JobReading | undefined {
  const { fields, body } = answer;
  const state = fields.get('state');
  if (state === 'absent') return { state };
  const outputBytes = count(fields.get('output_bytes'));
  const resultBytes = count(fields.get('result_bytes'));
  const size = count(fields.get('size'));
  const bootId = fields.get('boot_id');
  if (outputBytes === undefined || resultBytes === undefined || size === undefined || bootId === undefined)
    return undefined;
  if (body.length !== outputBytes + resultBytes) return undefined;
  // A character cut in two waits for its other half, unless nothing will follow.
  const isLast = state !== 'running' && fromByte + outputBytes >= size;
  const wholeBytes = isLast ? outputBytes : wholeCharacters(body.subarray(0, outputBytes));
  const read = { output: body.toString('utf8', 0, wholeBytes), nextByte: fromByte + wholeBytes, bootId };
  const result = parseJobAnswers(body.toString('utf8', outputBytes));
  switch (state) {
    case 'running':
      return { state, ...read };
    case 'vanished':
      return { state, startedBootId: fields.get('started_boot_id') ?? '', result, ...read };
    case 'ended': {
      const [code = '', how] = (fields.get('end') ?? '').trim().split(' ');
      if (how === 'timed-out') return { state: 'timed-out', result, ...read };
      const exitCode = count(code);
      return exitCode === undefined || how !== 'exited' ? undefined : { state: 'exited', exitCode, result, ...read };
    }
    default:
      return undefined;
  }
}

/** Length of the longest prefix that does not end inside a UTF-8 character. */
export function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue; // a following byte: its leader is further back
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
