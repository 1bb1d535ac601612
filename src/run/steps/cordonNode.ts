import { cordon } from '../../cluster/cordon.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, type TurnContext } from '../turnContext.js';

/** Takes the node out of scheduling, marked as ours. */
export async function cordonNode(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const node = currentNode(turn);
  if (node === undefined)
    return { kind: 'failed', code: 'node-vanished', message: `Node ${turn.nodeName} is no longer in the cluster.` };
  await turn.record({ type: 'node.cordoning', node: turn.nodeName });
  await turn.anchor();
  // Said before it is done: a cordon whose answer was lost must be undone too.
  await turn.save({ cordoned: true, cordonedBefore: false });
  const end = await cordon({ cluster: turn.cluster, node, run: turn.run.name, signal });
  switch (end.kind) {
    case 'cordoned':
      await turn.record({ type: 'node.cordoned', node: turn.nodeName });
      return { kind: 'done' };
    case 'already-ours':
      return { kind: 'done' };
    case 'foreign':
      await turn.save({ cordoned: undefined, cordonedBefore: true });
      return {
        kind: 'blocked',
        message: `Node ${turn.nodeName} was cordoned by somebody else; uncordon it to have its turn.`,
      };
    case 'conflict':
    case 'failure':
      return {
        kind: 'deferred',
        message: `Node ${turn.nodeName} could not be cordoned: ${end.kind === 'conflict' ? 'it kept changing' : end.failure.message}.`,
      };
  }
}
