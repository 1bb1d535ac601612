/**
 * Loaded into a process of Turnus (`node --import`): sends it a signal the moment that a journal entry is on the disk, before
 * anything else can happen. SIGNAL_AFTER_ENTRY holds, as JSON, the signal and the texts that must all stand in the line.
 */
import { open, type FileHandle } from 'node:fs/promises';

export interface SignalAfterEntry {
  readonly signal: 'SIGKILL' | 'SIGSTOP' | 'SIGTERM';
  readonly texts: readonly string[];
}

const { signal, texts } = JSON.parse(process.env['SIGNAL_AFTER_ENTRY'] ?? '{}') as SignalAfterEntry;
const file = await open('/dev/null');
const prototype = Object.getPrototypeOf(file) as object;
await file.close();
let isWritten = false;
let isSent = false;

wrap('write', (written) => {
  const text = Buffer.isBuffer(written) ? written.toString() : '';
  if (!isSent && text !== '' && texts.every((part) => text.includes(part))) isWritten = true;
});
wrap('datasync', undefined, () => {
  if (!isWritten) return;
  isWritten = false;
  isSent = true;
  process.kill(process.pid, signal);
});

function wrap(name: 'write' | 'datasync', before?: (first: unknown) => void, after?: () => void): void {
  const original = Reflect.get(prototype, name) as (...given: unknown[]) => Promise<unknown>;
  Reflect.set(prototype, name, async function (this: FileHandle, ...given: unknown[]): Promise<unknown> {
    before?.(given[0]);
    const answer = await Reflect.apply(original, this, given);
    after?.();
    return answer;
  });
}
