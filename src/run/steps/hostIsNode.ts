import { hostGate } from '../../gates/hostGate.js';
import { addressOf } from '../hostAddress.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, vanished, type TurnContext } from '../turnContext.js';
import { blockedBy } from './blockedBy.js';

/**
 * Rule 8: the host that answers is the machine behind the node, because both report the same boot. That boot is then
 * recorded as the one in which the next job starts.
 */
export async function hostIsNode(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const node = currentNode(turn);
  if (node === undefined) return vanished(turn);
  const { ssh } = turn.playbook.host;
  const answer = await turn.host.inspect(signal);
  const findings = hostGate({ node, host: { address: addressOf(node, ssh.address), answer, ssh } });
  if (findings.length > 0) return blockedBy(findings);
  if (turn.status().bootIdAfter === undefined) turn.note({ bootIdBefore: node.bootId });
  return { kind: 'done' };
}
