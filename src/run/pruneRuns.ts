import type { ClusterPort } from '../cluster/clusterPort.js';
import { cordonedByOf } from '../cluster/marks.js';
import type { NodeView } from '../cluster/view.js';
import type { Playbook } from '../playbook/playbook.js';
import { listAllRuns, type ListedRun } from './listRuns.js';
import { parseRun, runResource, type RunObject } from './objects.js';
import { runsToDelete, type KeptRun } from './runsToDelete.js';

export interface Pruning {
  /** Fenced by the lease. */
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly playbook: Pick<Playbook, 'name' | 'runHistoryLimit'>;
  /** The run that has just been acted on. */
  readonly current: string;
  readonly nodes: Iterable<NodeView>;
  /** Records what is going to be deleted, before it is. */
  readonly record: (evidence: { readonly runs: readonly string[]; readonly limit: number }) => Promise<void>;
  /** A sentence for people. */
  readonly log: (line: string) => void;
}

/**
 * Deletes the ended runs of the playbook beyond its `runHistoryLimit`; their NodeTurns go with them (garbage collection
 * by ownerReferences). Never rejects: the maintenance is done, and what could not be deleted is said in one line and
 * tried again when the next run ends.
 */
export async function pruneRuns(pruning: Pruning, signal: AbortSignal): Promise<void> {
  const { playbook, log } = pruning;
  try {
    const old = await oldRuns(pruning, signal);
    if (old.length === 0) return;
    await pruning.record({ runs: old.map(({ name }) => name), limit: playbook.runHistoryLimit });
    for (const run of old) await deleteRun(pruning, run, signal);
    const names = old.map(({ name }) => name).join(', ');
    log(`Deleted, as spec.runHistoryLimit is ${String(playbook.runHistoryLimit)}: ${names}.`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log(
      `warning: old runs of playbook ${playbook.name} beyond spec.runHistoryLimit are still there: ${reason.replace(/\.$/, '')}. The next run tries again.`,
    );
  }
}

async function oldRuns(pruning: Pruning, signal: AbortSignal): Promise<RunObject[]> {
  const { playbook, current, nodes } = pruning;
  const runs = (await listAllRuns(pruning, signal)).flatMap((listed) => understood(listed) ?? []);
  const cordoning = new Set([...nodes].flatMap((node) => cordonedByOf(node) ?? []));
  return runsToDelete({ runs, playbook: playbook.name, limit: playbook.runHistoryLimit, current, cordoning });
}

/** A run that another version has written in a way that this one does not know is not judged, and stays. */
function understood(listed: ListedRun): KeptRun | undefined {
  try {
    return { run: parseRun(listed.object), createdAt: listed.createdAt };
  } catch {
    return undefined;
  }
}

async function deleteRun({ cluster, namespace }: Pruning, run: RunObject, signal: AbortSignal): Promise<void> {
  const { name, uid } = run;
  const answer = await cluster.delete({ resource: runResource, namespace, name, uid }, signal);
  // A conflict is another run of this name: the one that was meant is gone.
  if (answer.kind === 'ok' || answer.kind === 'not-found' || answer.kind === 'conflict') return;
  const permission = answer.kind === 'forbidden' ? ' (`turnus install` gives the permission)' : '';
  throw new Error(`${name} could not be deleted${permission}: ${answer.message}`);
}
