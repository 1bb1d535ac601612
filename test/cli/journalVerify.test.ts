import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entriesOf, itemAt, lastOf, records, texts } from '../journal/journalFixtures.js';
import { directoryWith, runTurnus } from './runTurnus.js';

const entries = await entriesOf(records(5));
const head = lastOf(entries).hash;
const unproved = 'The end is not proved: entries may have been cut off there. Give --head HASH or --run RUN.\n';

async function verify(lines: readonly string[], ...options: string[]) {
  const directory = await directoryWith({ 'journal.ndjson': lines.map((line) => `${line}\n`).join('') });
  const file = join(directory, 'journal.ndjson');
  return { file, end: await runTurnus(['journal', 'verify', file, ...options]) };
}

describe('turnus journal verify', () => {
  it('ends with 0 for an intact journal, and says that its end is not proved', async () => {
    const { end } = await verify(texts(entries));
    expect(end).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: `monthly-2026-11: 5 entries from 2026-11-10T21:00:01.000Z to 2026-11-10T21:00:05.000Z are intact; head ${head}\n${unproved}`,
    });
  });

  it('ends with 0 and leaves that out where the head is given', async () => {
    const { end } = await verify(texts(entries), '--head', head);
    expect(end.exitCode).toBe(0);
    expect(end.stdout).not.toContain('not proved');
  });

  it('ends with 3 at the line of an entry that was changed', async () => {
    const changed = texts(entries).map((line, place) => (place === 2 ? line.replace('node-2', 'node-9') : line));
    const { end, file } = await verify(changed);
    expect(end.exitCode).toBe(3);
    expect(end.stdout.startsWith(`${file}:3: `), end.stdout).toBe(true);
  });

  it('ends with 3 where an entry was taken out', async () => {
    const { end } = await verify(texts(entries).filter((_, place) => place !== 2));
    expect(end.exitCode).toBe(3);
  });

  it('ends with 3 where the end was cut off and the head is given', async () => {
    const cut = texts(entries.slice(0, 4));
    expect((await verify(cut)).end.exitCode).toBe(0);
    const { end } = await verify(cut, '--head', head);
    expect(end.exitCode).toBe(3);
    expect(end.stdout).toContain(head);
  });

  it('ends with 0 where entries follow the given head, and says that nothing proves those', async () => {
    const { end } = await verify(texts(entries), '--head', itemAt(entries, 2).hash);
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toContain('2 entries follow the given head; nothing from outside proves them\n');
  });

  it('ends with 3 for an empty journal', async () => {
    expect((await verify([])).end.exitCode).toBe(3);
  });

  it('ends with 2 where a file cannot be read, and names it', async () => {
    const end = await runTurnus(['journal', 'verify', '/nonexistent/journal.ndjson']);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('The journal /nonexistent/journal.ndjson cannot be read');
  });
});
