import { ownerOf } from '../cluster/replicas.js';
import { drainForecast } from '../drain/forecast.js';
import { restartMark } from '../drain/surge.js';
import { unavailableGate } from '../gates/unavailableGate.js';
import type { Conducting } from './conducting.js';
import { isBeyondCordon } from './nextTurn.js';
import { selectNodes } from './selectNodes.js';

/**
 * May this turn begin beside those in work? Only one at a time is between its check and its cordon, there is room for
 * one more node out of service, no pod on the node is of an owner that another turn waits to see whole again, and the
 * node may leave with everything gone that the others still have to move: so two turns never count on the same replica or
 * the same room in a budget.
 */
export function mayBeginBeside(work: Conducting, nodeName: string): boolean {
  const { cache, store, playbook, inHand } = work;
  const view = cache.view();
  // A node that is gone has no turn that could disturb another.
  if (!view.nodes.has(nodeName)) return true;
  for (const other of inHand) {
    const status = store.state().turns.get(other)?.status;
    if (status === undefined || !isBeyondCordon(status.phase)) return false;
    if (status.cordoned === true && view.nodes.get(other)?.unschedulable === false) return false;
  }
  if (holdsWhatOthersWaitFor(work, nodeName)) return false;
  const selection = selectNodes(view, playbook.nodes);
  const { maxUnavailable } = playbook.nodes;
  if (unavailableGate({ node: nodeName, selection, maxUnavailable }).length > 0) return false;
  const leaving = new Set([...inHand].filter((other) => store.state().turns.get(other)?.status.phase === 'Draining'));
  const leavingElsewhere = new Set(
    [...view.pods.values()].flatMap(({ uid, nodeName: at }) => (at !== undefined && leaving.has(at) ? uid : [])),
  );
  const forecast = drainForecast({
    view,
    node: nodeName,
    policy: playbook.drain,
    spread: playbook.gates.replicaSpread,
    managedBudgets: playbook.gates.managedBudgets,
    leavingElsewhere,
    restartedFor: restartMark({ run: store.state().name, node: nodeName }),
  });
  return forecast.verdict === 'possible';
}

/** A pod on the node belongs to an owner that a turn in work has displaced: it would have to wait for this turn as well. */
function holdsWhatOthersWaitFor({ cache, store, inHand }: Conducting, nodeName: string): boolean {
  const view = cache.view();
  const displaced = new Set(
    [...inHand].flatMap((other) => (store.state().turns.get(other)?.status.displaced ?? []).map(({ owner }) => owner)),
  );
  if (displaced.size === 0) return false;
  return [...view.pods.values()].some((pod) => {
    const owner = pod.nodeName === nodeName ? ownerOf(view, pod) : undefined;
    return owner !== undefined && displaced.has(owner);
  });
}
