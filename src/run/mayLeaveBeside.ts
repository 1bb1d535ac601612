import { ownerOf } from '../cluster/replicas.js';
import type { ClusterView, OwnerKey, PodView } from '../cluster/view.js';
import { zoneOf } from '../cluster/zone.js';
import { drainForecast } from '../drain/forecast.js';
import { placements } from '../drain/placement.js';
import { unrecovered } from '../drain/recovery.js';
import { unavailableGate } from '../gates/unavailableGate.js';
import type { Playbook } from '../playbook/playbook.js';
import { isBeyondCordon } from './nextTurn.js';
import { selectNodes } from './selectNodes.js';

/** As much of a turn in work as the others must know of it. */
export interface TurnInWork {
  readonly node: string;
  readonly phase: string;
  /** The node's cordon is ours. */
  readonly isCordoned: boolean;
  /** Owners that lose pods to it, and how many Ready replicas each had before. */
  readonly displaced: ReadonlyMap<OwnerKey, number>;
}

export interface LeaveBeside {
  readonly view: ClusterView;
  /** The node that would leave as well. */
  readonly node: string;
  readonly others: readonly TurnInWork[];
  readonly playbook: Pick<Playbook, 'nodes' | 'drain' | 'gates'>;
  /** What a Deployment is marked with that the turn has restarted; absent outside a run. */
  readonly restartedFor?: string;
}

/**
 * May this node leave while the others are in work? Only where all are in one zone, only one at a time is between its
 * check and its cordon, there is room for one more node out of service, no workload of the node is one that another turn
 * has displaced and still waits for, and the node may leave with everything gone that the others still have to move: so
 * two turns never count on the same replica or on the same room in a budget.
 */
export function mayLeaveBeside({ view, node: name, others, playbook, restartedFor }: LeaveBeside): boolean {
  const node = view.nodes.get(name);
  // A node that is gone has no turn that could disturb another.
  if (node === undefined) return true;
  const isSettled = others.every((other) => {
    const there = view.nodes.get(other.node);
    if (there === undefined || zoneOf(there) !== zoneOf(node)) return false;
    return isBeyondCordon(other.phase) && (!other.isCordoned || there.unschedulable);
  });
  if (!isSettled) return false;
  const { maxUnavailable } = playbook.nodes;
  const selection = selectNodes(view, playbook.nodes);
  if (unavailableGate({ node: name, selection, maxUnavailable }).length > 0) return false;
  if (others.some((other) => waitsForPodsOf(other, { view, node: name }))) return false;
  const leaving = new Set(others.filter(({ phase }) => phase === 'Draining').map((other) => other.node));
  const leavingElsewhere = new Set(
    [...view.pods.values()].flatMap(({ uid, nodeName: at }) => (at !== undefined && leaving.has(at) ? uid : [])),
  );
  const forecast = drainForecast({
    view,
    node: name,
    policy: playbook.drain,
    spread: playbook.gates.replicaSpread,
    managedBudgets: playbook.gates.managedBudgets,
    leavingElsewhere,
    ...(restartedFor === undefined ? {} : { restartedFor }),
  });
  return forecast.verdict === 'possible';
}

/**
 * Would the other turn have to wait for this one? It does not where the owners that both take pods of have all their
 * Ready replicas again, and the pods of this node can be replaced elsewhere: then they are short for as long as a pod
 * takes to start. A pod that is tied to this node would be missing for its whole turn. A turn that settles waits for a
 * while without a change for the worse, which must come to an end: it is not disturbed at all.
 */
function waitsForPodsOf(other: TurnInWork, { view, node }: { view: ClusterView; node: string }): boolean {
  const shared = [...view.pods.values()].flatMap((pod): { pod: PodView; owner: OwnerKey }[] => {
    const owner = pod.nodeName === node ? ownerOf(view, pod) : undefined;
    return owner !== undefined && other.displaced.has(owner) ? [{ pod, owner }] : [];
  });
  if (shared.length === 0) return false;
  if (other.phase === 'Settling') return true;
  const missing = new Set(unrecovered({ view, displaced: other.displaced }).map(({ owner }) => owner));
  if (shared.some(({ owner }) => missing.has(owner))) return true;
  const placementOf = placements(view, node);
  return shared.some(({ pod }) => placementOf(pod).kind === 'no');
}
