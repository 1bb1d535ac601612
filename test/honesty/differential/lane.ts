import type { Pod } from '../../cluster/objects.js';
import { isTrue } from '../../cluster/objects.js';
import type { Side } from '../side.js';
import type { PodChoice, WorkloadPlan } from './sequence.js';

/** Where one sequence is played in one cluster: a namespace and three nodes of its own. */
export interface Lane {
  readonly side: Side;
  readonly namespace: string;
  readonly nodes: readonly string[];
}

/** Present on a pod: it does not get its readiness back. */
export const unready = 'sandbox.turnus.dev/unready';

/** The name of a node that a sequence knows by its number. */
export function nodeName({ nodes }: Lane, number: number): string {
  const name = nodes[number];
  if (name === undefined) throw new Error(`there is no node ${String(number)} in a lane of ${String(nodes.length)}`);
  return name;
}

/** In which state a pod is, as far as a maintenance can see it. */
export function stateOf(pod: Pod): 'ready' | 'unready' | 'starting' | 'unbound' | 'ending' | 'finished' {
  const phase = pod.status?.phase ?? 'Pending';
  if (pod.metadata.deletionTimestamp !== undefined) return 'ending';
  if (phase === 'Succeeded' || phase === 'Failed') return 'finished';
  if (pod.spec.nodeName === undefined) return 'unbound';
  if (phase === 'Pending') return 'starting';
  return isTrue(pod, 'Ready') ? 'ready' : 'unready';
}

/** The pod that is meant, or undefined where there is none such; `but` those that were chosen before. */
export async function choosePod(lane: Lane, choice: PodChoice, but: readonly Pod[] = []): Promise<Pod | undefined> {
  const { workload, which, rank, node } = choice;
  const taken = new Set(but.map(({ metadata }) => metadata.uid));
  const candidates = (await podsOf(lane, workload)).filter(
    (pod) =>
      stateOf(pod) === which &&
      (node === undefined || pod.spec.nodeName === nodeName(lane, node)) &&
      !taken.has(pod.metadata.uid),
  );
  return candidates[rank % Math.max(candidates.length, 1)];
}

/** The pods of a workload, by their names. */
export async function podsOf({ side, namespace }: Lane, workload?: WorkloadPlan['name']): Promise<Pod[]> {
  const labelSelector = workload === undefined ? undefined : `app=${workload}`;
  const pods = await side.api.list({ kind: 'Pod', namespace, labelSelector });
  return pods.sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
}
