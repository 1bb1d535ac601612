/**
 * Loaded into a process of Turnus (`node --import`): kills it the moment that a journal entry is on the disk, before
 * anything else can happen. DIE_AFTER_ENTRY holds the texts that must all stand in the entry's line, as a JSON array.
 */
import { open, type FileHandle } from 'node:fs/promises';

const wanted = JSON.parse(process.env['DIE_AFTER_ENTRY'] ?? '[]') as readonly string[];
const file = await open('/dev/null');
const prototype = Object.getPrototypeOf(file) as object;
await file.close();
let isWritten = false;

wrap('write', (written) => {
  const text = Buffer.isBuffer(written) ? written.toString() : '';
  if (wanted.length > 0 && wanted.every((part) => text.includes(part))) isWritten = true;
});
wrap('datasync', undefined, () => {
  if (isWritten) process.kill(process.pid, 'SIGKILL');
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
