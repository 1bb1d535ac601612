import { matchesLabels, parseLabelSelector } from '../cluster/labelSelector.js';
import { remembered } from '../cluster/remembered.js';
import type { ClusterView, NodeView } from '../cluster/view.js';
import { controlPlaneProof } from '../gates/controlPlaneGate.js';
import type { NodesPolicy } from '../playbook/playbook.js';

/**
 * The nodes that the playbook means: those its selector matches, without the excluded ones. An empty selector means
 * every node that does not carry the control plane.
 */
export function selectNodes(view: SelectedFrom, policy: NodesPolicy): readonly NodeView[] {
  return selections(view)(policy);
}

type SelectedFrom = Pick<ClusterView, 'nodes' | 'pods'>;

/** Asked for each node of the plan, on the same view. */
const selections = remembered((view: SelectedFrom) => remembered((policy: NodesPolicy) => selected(view, policy)));

function selected(view: SelectedFrom, policy: NodesPolicy): readonly NodeView[] {
  const selector = parseLabelSelector(policy.selector);
  return [...view.nodes.values()]
    .filter((node) => !Object.hasOwn(node.labels, policy.exclude))
    .filter((node) =>
      policy.selector === ''
        ? controlPlaneProof(view, node) === undefined
        : selector.kind === 'ok' && matchesLabels(selector.selector, node.labels),
    )
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}
