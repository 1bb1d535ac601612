import { remembered } from '../cluster/remembered.js';
import type { ClusterView, NodeView, PodView } from '../cluster/view.js';
import type { Finding } from './finding.js';

const roleLabels = ['control-plane', 'master', 'etcd', 'controlplane'].map((role) => `node-role.kubernetes.io/${role}`);
/** Static pods that make a node control plane whatever its labels say. */
const staticPod = /^(kube-apiserver|etcd)-/;

/** Nodes that carry the control plane are refused: losing one wrongly loses etcd's quorum or the API. */
export function controlPlaneGate({
  view,
  node,
}: {
  readonly view: ClusterView;
  readonly node: NodeView;
}): readonly Finding[] {
  const proof = controlPlaneProof(view, node);
  if (proof === undefined) return [];
  return [
    {
      code: 'control-plane-node',
      severity: 'block',
      node: node.name,
      objects: [`Node ${node.name}`],
      message: `Node ${node.name} carries the control plane (${proof}); Turnus does not take such nodes yet.`,
      hint: 'Narrow spec.nodes.selector, or maintain this node by hand, one at a time.',
    },
  ];
}

/** By what a node is known to carry the control plane, in words; undefined where it does not. */
export function controlPlaneProof(view: Pick<ClusterView, 'pods'>, node: NodeView): string | undefined {
  const label = roleLabels.find((key) => Object.hasOwn(node.labels, key));
  if (label !== undefined) return `label ${label}`;
  const pod = controlPlanePods(view.pods).get(node.name);
  return pod && `static pod ${pod.namespace}/${pod.name}`;
}

/** By node, the first of its static pods that make it control plane: every node is asked for, on the same pods. */
const controlPlanePods = remembered((pods: ClusterView['pods']): ReadonlyMap<string, PodView> => {
  const found = new Map<string, PodView>();
  for (const pod of pods.values()) {
    const { nodeName } = pod;
    if (nodeName !== undefined && pod.mirror && staticPod.test(pod.name) && !found.has(nodeName))
      found.set(nodeName, pod);
  }
  return found;
});
