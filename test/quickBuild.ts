import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));

/**
 * Before the first test file: the sources as JavaScript, without a look at their types, for the tests that start Turnus
 * as a program. Each of its processes would else compile them for itself, which costs more than most of them do.
 */
export async function setup(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['src/**/*.ts'],
    outdir: quickBuild,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
  });
}

/** As deep in the project as `dist`, because the program looks for package.json from where it is. */
export const quickBuild = '.quick-build';
