import type { StepEnd } from '../outcome.js';
import { currentNode, vanished, type TurnContext } from '../turnContext.js';
import { setCordon } from './setCordon.js';

/** Takes the node out of scheduling, marked as ours, where the window has not become too short during the checks. */
export async function cordonNode(turn: TurnContext): Promise<StepEnd> {
  const node = currentNode(turn);
  if (node === undefined) return vanished(turn);
  if (!node.unschedulable && turn.status().cordoned !== true && !turn.stillFits()) {
    return {
      kind: 'stopped',
      message: `Its checks took so long that the turn would not end before the window closes.`,
    };
  }
  const end = await setCordon(turn, node);
  switch (end.kind) {
    case 'cordoned':
    case 'already-ours':
      turn.note({ cordonedBefore: false });
      return { kind: 'done' };
    case 'foreign':
      await turn.save({ cordoned: undefined, cordonedBefore: true });
      return {
        kind: 'blocked',
        message: `Node ${turn.nodeName} was cordoned by ${end.by ?? 'somebody else'}; uncordon it to have its turn.`,
      };
    case 'conflict':
      return { kind: 'deferred', message: `Node ${turn.nodeName} could not be cordoned: it kept changing.` };
    case 'failure':
      return end.failure.kind === 'not-found'
        ? vanished(turn)
        : { kind: 'deferred', message: `Node ${turn.nodeName} could not be cordoned: ${end.failure.message}.` };
  }
}
