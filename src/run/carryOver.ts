import { periodOfRun } from './identity.js';

/**
 * Whether a run supersedes one of an earlier month: its nodes that were left go first, and what it has done is due again.
 * A run that supersedes one of its own month takes over what is done.
 */
export function isCarriedOver(
  run: { readonly name: string; readonly replaces: string | undefined },
  playbook: string,
): boolean {
  return run.replaces !== undefined && periodOfRun(run.replaces, playbook) !== periodOfRun(run.name, playbook);
}
