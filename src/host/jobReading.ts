import type { JobAnswers, JobReading, OutputPiece } from './hostPort.js';
import { parseJobAnswers } from './jobAnswers.js';
import type { RemoteAnswer } from './remoteProgram.js';

/** The answer of `readProgram` as a reading; undefined where it is not whole or not understood. */
export function parseJobReading(answer: RemoteAnswer, fromByte: number): JobReading | undefined {
  const { fields } = answer;
  const state = fields.get('state');
  if (state === 'absent') return { state };
  const piece = pieceOf(answer, fromByte);
  if (piece === undefined) return undefined;
  const { result, ...read } = piece;
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

function pieceOf({ fields, body }: RemoteAnswer, fromByte: number): (OutputPiece & { result: JobAnswers }) | undefined {
  const start = count(fields.get('from') ?? String(fromByte));
  const outputBytes = count(fields.get('output_bytes'));
  const resultBytes = count(fields.get('result_bytes'));
  const size = count(fields.get('size'));
  const bootId = fields.get('boot_id');
  const scriptDigest = fields.get('script_digest') ?? '';
  if (start === undefined || outputBytes === undefined || resultBytes === undefined || size === undefined)
    return undefined;
  if (bootId === undefined || body.length !== outputBytes + resultBytes) return undefined;
  // A character cut in two waits for its other half, unless nothing that was kept follows.
  const isOver = fields.get('state') !== 'running' && start + outputBytes >= size;
  const isLast = isOver || fields.get('gap') === 'yes';
  const wholeBytes = isLast ? outputBytes : wholeCharacters(body.subarray(0, outputBytes));
  return {
    output: body.toString('utf8', 0, wholeBytes),
    nextByte: start + wholeBytes,
    ...(start > fromByte ? { omittedBytes: start - fromByte } : {}),
    size,
    bootId,
    ...(scriptDigest === '' ? {} : { scriptDigest }),
    result: parseJobAnswers(body.toString('utf8', outputBytes)),
  };
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
