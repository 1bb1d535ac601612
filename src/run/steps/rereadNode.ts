import type { ApiFailure } from '../../cluster/clusterPort.js';
import type { NodeRefresh } from '../../cluster/refreshNode.js';
import type { ClusterView, NodeView } from '../../cluster/view.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, vanished, type TurnContext } from '../turnContext.js';
import { untilAnswered } from './untilAnswered.js';

export type NodeReading =
  | { readonly kind: 'read'; readonly view: ClusterView; readonly node: NodeView }
  | { readonly kind: 'not-read'; readonly end: StepEnd };

/**
 * The node with its pods, read consistently, and where it is asked for with their budgets and owners (rule 1); or how
 * the step ends without it.
 */
export async function rereadNode(turn: TurnContext, what: NodeRefresh, signal: AbortSignal): Promise<NodeReading> {
  const answer = await untilAnswered(
    turn,
    {
      what: `node ${turn.nodeName} can be read`,
      attempt: () => turn.cache.refreshNode({ name: turn.nodeName, what }, signal),
      failureOf: (read): ApiFailure | undefined => (read.kind === 'ok' ? staleness(turn) : read),
    },
    signal,
  );
  const node = currentNode(turn);
  if (answer.kind === 'not-found' || (answer.kind === 'ok' && node === undefined)) {
    return { kind: 'not-read', end: vanished(turn) };
  }
  if (answer.kind !== 'ok' || node === undefined) {
    const message = answer.kind === 'ok' ? 'it is gone' : answer.message;
    return {
      kind: 'not-read',
      end: { kind: 'deferred', message: `Node ${turn.nodeName} could not be read: ${message}` },
    };
  }
  const old = staleness(turn);
  if (old !== undefined) return { kind: 'not-read', end: { kind: 'deferred', message: old.message } };
  return { kind: 'read', view: answer.value, node };
}

/** After an outage the watches list anew for a moment; what other nodes run is not decided on before that. */
function staleness(turn: TurnContext): ApiFailure | undefined {
  const health = turn.cache.health();
  return health.kind === 'current'
    ? undefined
    : { kind: 'unreachable', message: `what is known of ${health.resource} is old: ${health.message}` };
}
