import { ownerOf, readyCount, replicasOf } from '../cluster/replicas.js';
import type { ClusterView, OwnerKey, PodView } from '../cluster/view.js';
import { placements } from '../drain/placement.js';
import { unavailableLimit } from '../gates/unavailableGate.js';
import type { Playbook } from '../playbook/playbook.js';
import { mayLeaveBeside, type TurnInWork } from './mayLeaveBeside.js';
import { nextInZone } from './nextInZone.js';
import { selectNodes } from './selectNodes.js';

/**
 * The nodes whose turns may overlap, in groups, as the view stands: each next one that may leave while the others of its
 * group are out of service, emptied, with their pods Ready elsewhere. What really overlaps is decided when it is time.
 */
export function overlappingTurns({
  view,
  order,
  goes,
  playbook,
}: {
  readonly view: ClusterView;
  readonly order: readonly string[];
  /** Those of the order that can have their turn. */
  readonly goes: ReadonlySet<string>;
  readonly playbook: Pick<Playbook, 'nodes' | 'drain' | 'gates'>;
}): readonly (readonly string[])[] {
  const { concurrency, canaries, maxUnavailable } = playbook.nodes;
  const most = Math.min(concurrency, unavailableLimit(maxUnavailable, selectNodes(view, playbook.nodes).length));
  if (most < 2) return [];
  const alone = new Set(order.slice(0, canaries));
  const groups: string[][] = [];
  let left = order.filter((node) => goes.has(node) && view.nodes.has(node) && !alone.has(node));
  for (let [first] = left; first !== undefined; [first] = left) {
    const group = [first];
    left = left.slice(1);
    let state = whileOut(view, first);
    const others = [state.turn];
    for (const node of nextInZone({ view, inWork: new Set(group), toCome: left }).slice(0, concurrency)) {
      if (group.length >= most) break;
      if (!mayLeaveBeside({ view: state.view, node, others, playbook })) continue;
      group.push(node);
      state = whileOut(state.view, node);
      others.push(state.turn);
    }
    left = left.filter((node) => !group.includes(node));
    if (group.length > 1) groups.push(group);
  }
  return groups;
}

/** The view while the node is out of service: its pods are Ready on another node, those that can run there. */
function whileOut(view: ClusterView, name: string): { readonly view: ClusterView; readonly turn: TurnInWork } {
  const placementOf = placements(view, name);
  const moved = new Map<string, PodView>();
  for (const [key, pod] of view.pods) {
    if (pod.nodeName !== name || ownerOf(view, pod) === undefined) moved.set(key, pod);
    else if (placementOf(pod).kind === 'yes') moved.set(key, { ...pod, nodeName: '(another node)' });
    else moved.set(key, { ...pod, nodeName: undefined, phase: 'Pending', ready: false });
  }
  const nodes = new Map(view.nodes);
  const node = nodes.get(name);
  if (node !== undefined) nodes.set(name, { ...node, unschedulable: true });
  return {
    view: { ...view, nodes, pods: moved },
    turn: { node: name, phase: 'Rebooting', isCordoned: true, displaced: displacedBy(view, name) },
  };
}

function displacedBy(view: ClusterView, name: string): ReadonlyMap<OwnerKey, number> {
  const owners = new Set(
    [...view.pods.values()].flatMap((pod) => (pod.nodeName === name ? (ownerOf(view, pod) ?? []) : [])),
  );
  return new Map([...replicasOf(view, owners)].map(([owner, replicas]) => [owner, readyCount(replicas)]));
}
