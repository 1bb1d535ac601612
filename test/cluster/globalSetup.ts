import { ensureBinaries } from './binaries.js';
import { buildTurnus } from './turnus.js';

/** Before the first test file: control plane and Turnus are built once, not by each file that finds them missing. */
export async function setup(): Promise<void> {
  await buildTurnus();
  await ensureBinaries();
}
