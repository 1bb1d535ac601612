import { markLastTurn, uncordon, type UncordonOutcome } from '../../cluster/cordon.js';
import { lastTurnOf } from '../../cluster/marks.js';
import type { NodeView } from '../../cluster/view.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, vanished, type TurnContext } from '../turnContext.js';
import { awaitNoHold } from './awaitNoHold.js';
import { untilAnswered } from './untilAnswered.js';

/** Gives the node back, and marks its turn as done in the same write. A rehearsal leaves no such mark. */
export async function uncordonNode(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const held = await awaitNoHold(turn, signal);
  if (held.kind !== 'done') return held;
  const node = currentNode(turn);
  if (node === undefined) return vanished(turn);
  await turn.record({ type: 'node.uncordoning', node: turn.nodeName });
  await turn.anchor();
  const end = await giveBack(turn, node, turn.run.rehearsal ? undefined : turn.clock.now());
  switch (end.kind) {
    case 'uncordoned':
      await turn.record({ type: 'node.uncordoned', node: turn.nodeName });
      turn.note({ cordoned: undefined });
      return { kind: 'done' };
    case 'not-ours':
    case 'already-schedulable':
      return await alreadyGivenBack(turn, end.node);
    case 'failure':
      if (end.failure.kind === 'not-found') return vanished(turn);
      return {
        kind: 'failed',
        code: 'not-uncordoned',
        message: `Node ${turn.nodeName} could not be uncordoned: ${end.failure.message}. Its maintenance is done; run kubectl uncordon ${turn.nodeName}.`,
      };
  }
}

/** Uncordons the node where its cordon is this run's. Not ended by a request to stop. */
export async function giveBack(
  turn: TurnContext,
  node: NodeView,
  doneAt: number | undefined,
): Promise<UncordonOutcome> {
  const { cluster, run, signal } = turn;
  return await untilAnswered(
    turn,
    {
      what: `node ${turn.nodeName} can be uncordoned`,
      attempt: () =>
        uncordon({
          cluster,
          node,
          run: run.name,
          ...(doneAt === undefined ? {} : { lastTurn: { time: doneAt, run: run.name } }),
          signal,
        }),
      failureOf: (outcome) => (outcome.kind === 'failure' ? outcome.failure : undefined),
    },
    signal,
  );
}

/** Our own answer was lost, or somebody else has uncordoned or re-cordoned the node: the turn is done all the same. */
async function alreadyGivenBack(turn: TurnContext, node: NodeView): Promise<StepEnd> {
  const { cluster, run, signal, nodeName } = turn;
  if (!run.rehearsal && lastTurnOf(node)?.run !== run.name) {
    await turn.record({
      type: 'node.uncordoned',
      node: nodeName,
      bySomebodyElse: true,
      schedulable: !node.unschedulable,
    });
    await markLastTurn({ cluster, node, time: turn.clock.now(), run: run.name, signal });
  }
  const message = node.unschedulable ? `Node ${nodeName} is cordoned by somebody else; it was left so.` : undefined;
  await turn.save({ cordoned: undefined, message });
  return { kind: 'done' };
}
