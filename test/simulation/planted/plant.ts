import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSimulation, type SimulationEnd } from '../runSimulation.js';
import type { PlantedBug } from './plantedBugs.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Plants the bug in a copy of the project and simulates nights or years there until one fails. Throws where it cannot be planted. */
export async function hunt(
  bug: PlantedBug,
  { nights, years, workers }: { readonly nights: number; readonly years: number; readonly workers: number },
): Promise<SimulationEnd> {
  const copy = await mkdtemp(join(tmpdir(), 'turnus-planted-'));
  try {
    for (const part of ['src', 'test/simulation', 'package.json', 'tsconfig.json']) {
      await cp(join(root, part), join(copy, part), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    await plant(bug, join(copy, bug.file));
    const length = bug.needs === 'years' ? ['--years', String(years)] : ['--nights', String(nights)];
    const bounds = [...length, '--workers', String(workers), '--invariants', bug.foundBy.join(',')];
    return await runSimulation(copy, ['--until-failure', '--no-shrinking', ...bounds]);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function plant({ name, replacements }: PlantedBug, file: string): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const { from, to } of replacements) {
    const parts = text.split(from);
    if (parts.length !== 2) {
      throw new Error(`"${name}" cannot be planted: the text stands ${parts.length - 1} times in ${file}: ${from}`);
    }
    text = parts.join(to);
  }
  await writeFile(file, text);
}
