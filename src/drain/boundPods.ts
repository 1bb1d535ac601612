import { ownerName, ownerOf } from '../cluster/replicas.js';
import { podKey, type ClusterView, type OwnerKey, type PodKey, type PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';

/** Finds out which controllers put their pods back onto the drained node: evicting them again would never end. */
export interface BoundPods {
  /** Remembers the controller's pods as they are when one of them is evicted. */
  evicting(pod: PodView, view: ClusterView): void;
  /** A pod on the node that its controller did not have then has returned. */
  observe(view: ClusterView): void;
  /** UIDs of controllers of which a pod was evicted. */
  evictedControllers(): readonly string[];
  /** UIDs of controllers whose pods are left on the node. */
  controllers(): ReadonlySet<string>;
  /** The pods left. */
  pods(view: ClusterView): readonly PodKey[];
  /** How many pods of each owner are left. */
  owners(view: ClusterView): ReadonlyMap<OwnerKey, number>;
  findings(view: ClusterView): readonly Finding[];
}

/** `boundBefore`: known to be so. `evictedBefore`: an earlier drain left none of their pods, so that each one is back. */
export function boundPods(
  node: string,
  boundBefore: ReadonlySet<string> = new Set(),
  evictedBefore: ReadonlySet<string> = new Set(),
): BoundPods {
  /** Pod UIDs by controller UID, as they were at its first eviction. */
  const known = new Map<string, ReadonlySet<string>>([...evictedBefore].map((uid) => [uid, new Set()]));
  const controllers = new Set(boundBefore);
  const onNode = (view: ClusterView) => [...view.pods.values()].filter((pod) => pod.nodeName === node);
  const left = (view: ClusterView) =>
    onNode(view).filter(
      (pod) => pod.controller !== undefined && controllers.has(pod.controller.uid) && !pod.terminating,
    );

  return {
    evicting({ controller }, view) {
      if (controller === undefined || known.has(controller.uid)) return;
      const siblings = [...view.pods.values()].filter((pod) => pod.controller?.uid === controller.uid);
      known.set(controller.uid, new Set(siblings.map(({ uid }) => uid)));
    },
    observe(view) {
      if (view.nodes.get(node)?.unschedulable !== true) return;
      for (const { uid, controller, terminating } of onNode(view)) {
        if (controller === undefined || terminating) continue;
        if (known.get(controller.uid)?.has(uid) === false) controllers.add(controller.uid);
      }
    },
    evictedControllers: () => [...known.keys()],
    controllers: () => controllers,
    pods: (view) => left(view).map(podKey),
    owners(view) {
      const counts = new Map<OwnerKey, number>();
      for (const pod of left(view)) {
        const owner = ownerOf(view, pod);
        if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1);
      }
      return counts;
    },
    findings: (view) => left(view).map((pod) => boundToNode(pod, view, node)),
  };
}

function boundToNode(pod: PodView, view: ClusterView, node: string): Finding {
  const owner = ownerOf(view, pod);
  const name = owner === undefined ? 'its controller' : ownerName(owner);
  return {
    code: 'bound-to-node',
    severity: 'caution',
    node,
    objects: [`Pod ${podKey(pod)}`, ...(owner === undefined ? [] : [name])],
    message: `Pod ${podKey(pod)} came back to the cordoned node ${node} after its eviction; it is left there.`,
    hint: `Remove the toleration of node.kubernetes.io/unschedulable (or the fixed nodeName) from ${name} if it need not run there.`,
  };
}
