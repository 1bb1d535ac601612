import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Cluster } from './cluster.js';
import type { SignalAfterEntry } from './signalAfterEntry.js';

/** The environment of a process of Turnus that gets a signal right after an entry is in its journal's file. */
export type Signalling = (after: SignalAfterEntry) => NodeJS.ProcessEnv;

/** Builds, once a cluster, what is loaded into such a process. */
export async function signallingOn({ directory }: Pick<Cluster, 'directory'>): Promise<Signalling> {
  const preload = join(directory, 'signalAfterEntry.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('signalAfterEntry.ts', import.meta.url))],
    outfile: preload,
    format: 'esm',
    platform: 'node',
  });
  return (after) => ({ NODE_OPTIONS: `--import ${preload}`, SIGNAL_AFTER_ENTRY: JSON.stringify(after) });
}
