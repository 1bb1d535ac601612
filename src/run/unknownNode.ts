import { editDistance } from '../playbook/suggestion.js';
import { TurnusError } from '../turnusError.js';

const mostNames = 3;
/** Longest name of a node (RFC 1123 subdomain). */
const longestName = 253;

/** What somebody hears who named a node that the cluster does not have: the names that come closest. */
export function unknownNode(written: string, nodes: readonly string[]): TurnusError {
  const close = closestNames(written, nodes);
  return new TurnusError({
    code: 'unknown-node',
    message: `There is no node ${JSON.stringify(written)} in the cluster.`,
    hint: close.length > 0 ? `Did you mean ${close.join(', ')}?` : 'kubectl get nodes lists them.',
  });
}

/** Names that differ in a few characters, or that begin like the one written (a host name for a full name). */
function closestNames(written: string, nodes: readonly string[]): string[] {
  if (written === '' || written.length > longestName) return [];
  const limit = Math.max(1, Math.floor(written.length / 3));
  return nodes
    .map((node) => ({
      node,
      distance: node.startsWith(written) || written.startsWith(`${node}.`) ? 0 : editDistance(written, node),
    }))
    .filter(({ distance }) => distance <= limit)
    .sort((one, other) => one.distance - other.distance || (one.node < other.node ? -1 : 1))
    .slice(0, mostNames)
    .map(({ node }) => node);
}
