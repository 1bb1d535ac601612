import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { plantedBugs } from './planted/plantedBugs.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

it.each(plantedBugs.map((bug) => [bug.name, bug] as const))('%s can be planted', async (_, { file, replacements }) => {
  let text = await readFile(`${root}${file}`, 'utf8');
  for (const { from, to } of replacements) {
    expect(text.split(from).length - 1, `times that ${file} says: ${from}`).toBe(1);
    text = text.replace(from, to);
  }
});
