import { cordon } from '../../cluster/cordon.js';
import { podKey, type PodView } from '../../cluster/view.js';
import { classifyPods } from '../../drain/classifyPods.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, type TurnContext } from '../turnContext.js';
import { awaitNoHold } from './awaitNoHold.js';
import { drainNode } from './drainNode.js';

/**
 * Rule 10, immediately before the host is touched and again before the reboot: nobody holds the node, the cordon is
 * still there (or is set again), the node is still empty (or is emptied again), on a consistent reading.
 */
export async function readyToTouch(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const held = await awaitNoHold(turn, signal);
  if (held.kind !== 'done') return held;
  for (let round = 1; round <= 3; round += 1) {
    const answer = await turn.cache.refreshNode(turn.nodeName, signal);
    if (answer.kind !== 'ok') {
      return {
        kind: 'deferred',
        message: `Node ${turn.nodeName} could not be read before its host is touched: ${answer.message}`,
      };
    }
    const node = currentNode(turn);
    if (node === undefined)
      return { kind: 'failed', code: 'node-vanished', message: `Node ${turn.nodeName} is no longer in the cluster.` };
    if (!node.unschedulable) {
      const end = await cordon({ cluster: turn.cluster, node, run: turn.run.name, signal });
      if (end.kind !== 'cordoned' && end.kind !== 'already-ours') {
        return {
          kind: 'deferred',
          message: `Somebody uncordoned node ${turn.nodeName}, and it could not be cordoned again (${end.kind}).`,
        };
      }
      await turn.record({ type: 'node.cordoned', node: turn.nodeName, again: true });
    }
    const left = podsToLeave(turn);
    if (left.length === 0) return { kind: 'done' };
    turn.waiting({ what: `${left.map(podKey).join(', ')} to leave node ${turn.nodeName} again`, who: 'the drain' });
    const drained = await drainNode(turn, signal);
    if (drained.kind !== 'done') return drained;
  }
  return {
    kind: 'failed',
    code: 'not-empty',
    message: `Pods keep being placed on node ${turn.nodeName} although it was cordoned; find out who places them.`,
  };
}

function podsToLeave(turn: TurnContext): PodView[] {
  return classifyPods({
    view: turn.cache.view(),
    node: turn.nodeName,
    policy: turn.playbook.drain,
    now: turn.clock.now(),
    boundControllers: new Set(turn.status().boundControllers ?? []),
  })
    .filter((standing) => standing.kind !== 'stays')
    .map((standing) => standing.pod);
}
