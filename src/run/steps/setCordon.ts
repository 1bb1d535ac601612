import { cordon, type CordonOutcome } from '../../cluster/cordon.js';
import type { NodeView } from '../../cluster/view.js';
import type { TurnContext } from '../turnContext.js';
import { untilAnswered } from './untilAnswered.js';

/**
 * Records the intent, then cordons. Not ended by a request to stop: an answer that nobody heard would leave a cordon
 * that nobody takes back.
 */
export async function setCordon(turn: TurnContext, node: NodeView): Promise<CordonOutcome> {
  await turn.record({ type: 'node.cordoning', node: turn.nodeName });
  await turn.anchor();
  await turn.save({ cordoned: true });
  const end = await untilAnswered(
    turn,
    {
      what: `node ${turn.nodeName} can be cordoned`,
      attempt: () => cordon({ cluster: turn.cluster, node, run: turn.run.name, signal: turn.signal }),
      failureOf: (outcome) => (outcome.kind === 'failure' ? outcome.failure : undefined),
    },
    turn.signal,
  );
  if (end.kind === 'cordoned') await turn.record({ type: 'node.cordoned', node: turn.nodeName });
  return end;
}
