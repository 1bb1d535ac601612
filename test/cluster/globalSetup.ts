import { ensureBinaries } from './binaries.js';

/** Before the first test file: the control plane is built once, not by each file that finds it missing. */
export async function setup(): Promise<void> {
  await ensureBinaries();
}
