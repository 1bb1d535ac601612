import { uncordon } from '../../cluster/cordon.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, type TurnContext } from '../turnContext.js';
import { awaitNoHold } from './awaitNoHold.js';

/** Gives the node back, and marks its turn as done in the same write. A rehearsal leaves no such mark. */
export async function uncordonNode(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const held = await awaitNoHold(turn, signal);
  if (held.kind !== 'done') return held;
  const node = currentNode(turn);
  if (node === undefined)
    return { kind: 'failed', code: 'node-vanished', message: `Node ${turn.nodeName} is no longer in the cluster.` };
  await turn.record({ type: 'node.uncordoning', node: turn.nodeName });
  await turn.anchor();
  const lastTurn = { time: turn.clock.now(), run: turn.run.name };
  const end = await uncordon({
    cluster: turn.cluster,
    node,
    run: turn.run.name,
    ...(turn.run.rehearsal ? {} : { lastTurn }),
    signal,
  });
  switch (end.kind) {
    case 'uncordoned':
      await turn.record({ type: 'node.uncordoned', node: turn.nodeName });
      await turn.save({ cordoned: undefined });
      return { kind: 'done' };
    case 'not-ours':
    case 'already-schedulable':
      await turn.save({ cordoned: undefined });
      return { kind: 'done' };
    case 'failure':
      return {
        kind: 'failed',
        code: 'not-uncordoned',
        message: `Node ${turn.nodeName} could not be uncordoned: ${end.failure.message}. Its maintenance is done; run kubectl uncordon ${turn.nodeName}.`,
      };
  }
}
