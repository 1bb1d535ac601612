import { holdOf } from '../../cluster/marks.js';
import { tolerates } from '../../cluster/taints.js';
import { podKey, type PodView } from '../../cluster/view.js';
import { classifyPods } from '../../drain/classifyPods.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, type TurnContext } from '../turnContext.js';
import { awaitNoHold } from './awaitNoHold.js';
import { drainNode } from './drainNode.js';
import { rereadNode, type NodeReading } from './rereadNode.js';
import { setCordon } from './setCordon.js';
import { untilAnswered } from './untilAnswered.js';

/** Pods may come back between the drain and the touch; more often than this somebody places them on purpose. */
const rounds = 3;

/**
 * Rule 10, immediately before the host is touched and again before the reboot: on a consistent reading nobody wants the
 * run aborted, nobody holds the node, the cordon is still there (or is set again), and the node is still empty (or is emptied again).
 */
export async function readyToTouch(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  for (let round = 1; round <= rounds; round += 1) {
    const reading = await readUnheld(turn, signal);
    if (reading.kind === 'not-read') return reading.end;
    if (!reading.node.unschedulable) {
      // Whatever pod came meanwhile was placed here like on any node.
      turn.evictedControllers.clear();
      const end = await setCordon(turn, reading.node);
      if (end.kind !== 'cordoned' && end.kind !== 'already-ours') {
        const message = `Somebody uncordoned node ${turn.nodeName}, and it could not be cordoned again (${end.kind}).`;
        return { kind: 'deferred', message };
      }
    }
    const left = podsToLeave(turn);
    if (left.length === 0) return { kind: 'done' };
    if (round > 1) await leaveWhatReturns(turn, left);
    turn.waiting({ what: `${left.map(podKey).join(', ')} to leave node ${turn.nodeName} again`, who: 'the drain' });
    const drained = await drainNode(turn, signal);
    // Uncordoned again meanwhile: the next round cordons it.
    if (drained.kind === 'deferred' && currentNode(turn)?.unschedulable === false) continue;
    if (drained.kind !== 'done') return drained;
  }
  return {
    kind: 'failed',
    code: 'not-empty',
    message: `Pods keep being placed on node ${turn.nodeName} although it was cordoned; find out who places them.`,
  };
}

/** Run and node are read when nobody holds the node any more: while a hold lasts, people abort and uncordon. */
async function readUnheld(turn: TurnContext, signal: AbortSignal): Promise<NodeReading> {
  for (;;) {
    const held = await awaitNoHold(turn, signal);
    if (held.kind !== 'done') return { kind: 'not-read', end: held };
    const unread = await rereadDesired(turn, signal);
    if (unread !== undefined) return { kind: 'not-read', end: unread };
    const reading = await rereadNode(turn, 'pods', signal);
    if (reading.kind === 'not-read' || holdOf(reading.node) === undefined) return reading;
  }
}

async function rereadDesired(turn: TurnContext, signal: AbortSignal): Promise<StepEnd | undefined> {
  const failure = await untilAnswered(
    turn,
    { what: `run ${turn.run.name} can be read`, attempt: () => turn.rereadDesired(signal), failureOf: (read) => read },
    signal,
  );
  if (failure === undefined) return undefined;
  const message = `What is wanted of run ${turn.run.name} could not be read: ${failure.message}`;
  return { kind: 'deferred', message };
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

/** What the cordon does not keep off comes back whenever its controller makes it anew: it is left, as the drain leaves it. */
async function leaveWhatReturns(turn: TurnContext, left: readonly PodView[]): Promise<void> {
  const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  const returning = left.filter(({ tolerations }) => tolerates(tolerations, cordon));
  const controllers = returning.flatMap(({ controller }) => controller?.uid ?? []);
  if (controllers.length === 0) return;
  await turn.save({ boundControllers: [...new Set([...(turn.status().boundControllers ?? []), ...controllers])] });
}
