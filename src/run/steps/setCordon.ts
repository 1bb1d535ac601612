import { cordon, type CordonOutcome } from '../../cluster/cordon.js';
import { parseJson } from '../../cluster/json.js';
import { marks } from '../../cluster/marks.js';
import type { NodeView } from '../../cluster/view.js';
import type { TurnContext } from '../turnContext.js';
import { untilAnswered } from './untilAnswered.js';

/**
 * Records the intent, then cordons. Not ended by a request to stop: an answer that nobody heard would leave a cordon
 * that nobody takes back.
 */
export async function setCordon(turn: TurnContext, node: NodeView): Promise<CordonOutcome> {
  const { cluster, run, playbook, signal } = turn;
  await turn.record({ type: 'node.cordoning', node: turn.nodeName });
  await turn.anchor();
  await turn.save({ cordoned: true });
  const end = await untilAnswered(
    turn,
    {
      what: `node ${turn.nodeName} can be cordoned`,
      attempt: () => cordon({ cluster, node, run: run.name, duringTurn: playbook.duringTurn, signal }),
      failureOf: (outcome) => (outcome.kind === 'failure' ? outcome.failure : undefined),
    },
    signal,
  );
  if (end.kind === 'cordoned') {
    const duringTurn = end.node.annotations[marks.duringTurn];
    await turn.record({
      type: 'node.cordoned',
      node: turn.nodeName,
      ...(duringTurn === undefined ? {} : { duringTurn: parseJson(duringTurn) }),
    });
  }
  return end;
}
