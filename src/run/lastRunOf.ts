import type { ClusterPort } from '../cluster/clusterPort.js';
import { listAllRuns, readRunState, type ListedRun } from './listRuns.js';
import { parseRun } from './objects.js';
import type { RunState } from './state.js';

/** A node, and the playbook by whose runs it is looked for; undefined: by all. */
export interface NodeOfRun {
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly node: string;
  readonly playbook: string | undefined;
}

/**
 * The run that tells most of a node: the one in work if it has the node, else the newest that has it, else the newest.
 * Rehearsals count only while they are in work. Undefined where there is none that this version understands.
 */
export async function lastRunOf(asked: NodeOfRun, signal: AbortSignal): Promise<RunState | undefined> {
  const { cluster, namespace, node, playbook } = asked;
  const runs = (await listAllRuns({ cluster, namespace }, signal)).flatMap((listed) => understood(listed) ?? []);
  const candidates = runs.filter(
    ({ listed, spec }) =>
      listed.isInWork || (!spec.rehearsal && (playbook === undefined || playbook === spec.playbook.name)),
  );
  const chosen =
    candidates.find(({ order }) => order.includes(node)) ??
    candidates.find(({ spec }) => !spec.rehearsal && (playbook === undefined || playbook === spec.playbook.name));
  return chosen && (await readRunState({ cluster, namespace, run: chosen.listed }, signal));
}

function understood(listed: ListedRun) {
  try {
    const { spec, status } = parseRun(listed.object);
    return { listed, spec, order: status.order ?? [] };
  } catch {
    return undefined;
  }
}
