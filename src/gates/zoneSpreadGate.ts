import { ownerName, ownerOf, replicasOf, type Replicas } from '../cluster/replicas.js';
import type { ClusterView, NodeView } from '../cluster/view.js';
import type { Finding } from './finding.js';

const zoneLabel = 'topology.kubernetes.io/zone';

/**
 * Do the replicas of the node's owners sit in more than one zone? Caution only: a drain keeps them Ready, and the next
 * outage of the zone takes them all.
 */
export function zoneSpreadGate({
  view,
  node,
}: {
  readonly view: ClusterView;
  readonly node: NodeView;
}): readonly Finding[] {
  const zone = node.labels[zoneLabel];
  const zones = new Set([...view.nodes.values()].map(({ labels }) => labels[zoneLabel]));
  zones.delete(undefined);
  if (zone === undefined || zones.size < 2) return [];
  const onNode = [...view.pods.values()].filter((pod) => pod.nodeName === node.name && pod.ready);
  const owners = new Set(onNode.flatMap((pod) => ownerOf(view, pod) ?? []));
  return [...replicasOf(view, owners).values()]
    .filter(({ owner }) => (owner?.desired ?? 0) >= 2 && owner?.terminating === false)
    .map((replicas) => ({ replicas, ready: replicas.pods.filter(({ ready, terminating }) => ready && !terminating) }))
    .filter(
      // One Ready replica is in one zone whatever people do: that others are missing is another finding.
      ({ ready }) =>
        ready.length >= 2 && ready.every(({ nodeName }) => view.nodes.get(nodeName ?? '')?.labels[zoneLabel] === zone),
    )
    .map(({ replicas, ready }) =>
      inOneZone({ replicas, ready: ready.length, zone, zones: zones.size, node: node.name }),
    )
    .sort((one, other) => ((one.objects[0] ?? '') < (other.objects[0] ?? '') ? -1 : 1));
}

function inOneZone(found: {
  readonly replicas: Replicas;
  readonly ready: number;
  readonly zone: string;
  readonly zones: number;
  readonly node: string;
}): Finding {
  const { replicas, ready, zone, zones, node } = found;
  const name = ownerName(replicas.key);
  return {
    code: 'replicas-in-one-zone',
    severity: 'caution',
    node,
    objects: [name],
    message: `All ${String(ready)} Ready replicas of ${name} are in zone ${zone}, one of ${String(zones)} zones; an outage of that zone takes them all.`,
    hint: `Give the pods of ${name} topologySpreadConstraints with topologyKey ${zoneLabel}.`,
  };
}
