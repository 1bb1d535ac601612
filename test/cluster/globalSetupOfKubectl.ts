import { ensureHelm, ensureKubectl } from './binaries.js';

/** Before the first test file: what scenarios render and apply manifests with, so that no test's time goes into its build. */
export async function setup(): Promise<void> {
  await ensureKubectl();
  await ensureHelm();
}
