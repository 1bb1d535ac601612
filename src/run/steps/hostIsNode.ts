import { hostGate } from '../../gates/hostGate.js';
import { addressOf } from '../hostAddress.js';
import { currentNode, type TurnContext } from '../turnContext.js';

/** Rule 8: the host that answers is the machine behind the node, because both report the same boot. */
export async function hostIsNode(
  turn: TurnContext,
  signal: AbortSignal,
): Promise<{ kind: 'ok'; bootId: string } | { kind: 'other'; message: string }> {
  const node = currentNode(turn);
  if (node === undefined) return { kind: 'other', message: `Node ${turn.nodeName} is no longer in the cluster.` };
  const { ssh } = turn.playbook.host;
  const answer = await turn.host.inspect(signal);
  const finding = hostGate({ node, host: { address: addressOf(node, ssh.address), answer, ssh } })[0];
  if (finding !== undefined) return { kind: 'other', message: `${finding.message} ${finding.hint}` };
  return { kind: 'ok', bootId: node.bootId };
}
