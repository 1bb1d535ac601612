import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entriesOf, lastOf, texts } from './journalFixtures.js';

const run = promisify(execFile);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'turnus-recipe-'));
  const page = await readFile(new URL('../../docs/journal.md', import.meta.url), 'utf8');
  const recipe = /```js\n(?<code>[^`]*(?:`[^`]+`[^`]*)*?)```/.exec(page)?.groups?.['code'];
  await writeFile(join(directory, 'verify.mjs'), recipe ?? '');
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function verifyWithRecipe(lines: readonly string[]): Promise<string> {
  const file = join(directory, 'journal.ndjson');
  await writeFile(file, `${lines.join('\n')}\n`);
  return (await run(process.execPath, [join(directory, 'verify.mjs'), file])).stdout;
}

describe('the recipe of docs/journal.md', () => {
  it('agrees with Turnus on an intact journal, and on one that was changed or shortened in the middle', async () => {
    const names = { '10': 1, '9': 2, '\u{1f600}': 'é\u2028\u007f', '\ufb33': [1e21, 0.1 + 0.2, null, true] };
    const entries = await entriesOf([
      { type: 'run.started', names },
      { type: 'gate.checked', node: 'node-1' },
      { type: 'run.finished' },
    ]);
    const lines = texts(entries);
    expect(await verifyWithRecipe(lines)).toBe(`3 entries, head ${lastOf(entries).hash}\n`);
    const changed = lines.map((line) => line.replace('node-1', 'node-2'));
    await expect(verifyWithRecipe(changed)).rejects.toThrow('entry 2 was changed');
    await expect(verifyWithRecipe(lines.toSpliced(1, 1))).rejects.toThrow('break before entry 3');
  });
});
