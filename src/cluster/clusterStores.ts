import type { FollowedResource } from './followResource.js';
import { parseBudget } from './parseBudget.js';
import { parseNode } from './parseNode.js';
import {
  isBuiltIn,
  isForeign,
  isJob,
  parseOwner,
  parseReplicaSet,
  type BuiltInOwnerKind,
  type ReplicaSetOwner,
} from './parseOwner.js';
import { parsePod } from './parsePod.js';
import { parseClaim, parseNamespace, parseVolume } from './parseStorage.js';
import { resources } from './resources.js';
import type { ForeignOwner, ScaleOwners } from './scaleOwners.js';
import {
  ownerKey,
  type BudgetView,
  type ClaimView,
  type ClusterView,
  type NamespaceView,
  type NodeView,
  type OwnerKey,
  type OwnerView,
  type PodView,
  type VolumeView,
} from './view.js';
import { WatchedResource } from './watchedResource.js';

/** Everything that is watched for a ClusterView. */
export interface ClusterStores {
  readonly nodes: WatchedResource<NodeView>;
  readonly pods: WatchedResource<PodView>;
  readonly budgets: WatchedResource<BudgetView>;
  readonly namespaces: WatchedResource<NamespaceView>;
  readonly claims: WatchedResource<ClaimView>;
  readonly volumes: WatchedResource<VolumeView>;
  readonly deployments: WatchedResource<OwnerView>;
  readonly replicaSets: WatchedResource<ReplicaSetOwner>;
  readonly statefulSets: WatchedResource<OwnerView>;
  readonly daemonSets: WatchedResource<OwnerView>;
  readonly replicationControllers: WatchedResource<OwnerView>;
}

/** Empty stores; controllers of custom kinds are noted with `scales`. */
export function clusterStores(scales: ScaleOwners): ClusterStores {
  const noteForeign = (owner: ForeignOwner | undefined): void => {
    if (owner !== undefined) scales.note(owner);
  };
  const owners = (kind: BuiltInOwnerKind, resource: (typeof resources)[keyof typeof resources]) =>
    new WatchedResource({ resource, parse: (object) => parseOwner(object, kind), scopeOf: (owner) => owner.namespace });
  return {
    nodes: new WatchedResource({ resource: resources.nodes, parse: parseNode, scopeOf: (node) => node.name }),
    pods: new WatchedResource({
      resource: resources.pods,
      parse: parsePod,
      scopeOf: (pod) => pod.nodeName,
      onParsed: (pod) => {
        noteForeign(foreignOwnerOfPod(pod));
      },
    }),
    budgets: new WatchedResource({
      resource: resources.budgets,
      parse: parseBudget,
      scopeOf: (budget) => budget.namespace,
    }),
    namespaces: new WatchedResource({
      resource: resources.namespaces,
      parse: parseNamespace,
      scopeOf: (namespace) => namespace.name,
    }),
    claims: new WatchedResource({
      resource: resources.claims,
      parse: parseClaim,
      scopeOf: (claim) => claim.namespace,
    }),
    volumes: new WatchedResource({ resource: resources.volumes, parse: parseVolume, scopeOf: (volume) => volume.name }),
    deployments: owners('Deployment', resources.deployments),
    replicaSets: new WatchedResource({
      resource: resources.replicaSets,
      parse: parseReplicaSet,
      scopeOf: ({ owner }) => owner.namespace,
      onParsed: (replicaSet) => {
        noteForeign(foreignOwnerOfReplicaSet(replicaSet));
      },
    }),
    statefulSets: owners('StatefulSet', resources.statefulSets),
    daemonSets: owners('DaemonSet', resources.daemonSets),
    replicationControllers: owners('ReplicationController', resources.replicationControllers),
  };
}

/** All of them, as what has to be listed and watched. */
export function followedResources(stores: ClusterStores): readonly FollowedResource[] {
  const { nodes, namespaces, pods, budgets, claims, volumes } = stores;
  const { deployments, replicaSets, statefulSets, daemonSets, replicationControllers } = stores;
  const owners = [deployments, replicaSets, statefulSets, daemonSets, replicationControllers];
  return [nodes, namespaces, pods, budgets, claims, volumes, ...owners];
}

/** The controller of a pod where it is of a custom kind. */
export function foreignOwnerOfPod(pod: PodView): ForeignOwner | undefined {
  return pod.controller === undefined || !isForeign(pod.controller)
    ? undefined
    : { namespace: pod.namespace, ...pod.controller };
}

/** The controller of a ReplicaSet where it is of a custom kind, for example a Rollout. */
export function foreignOwnerOfReplicaSet({ owner, controller }: ReplicaSetOwner): ForeignOwner | undefined {
  return controller === undefined || !isForeign(controller) ? undefined : { namespace: owner.namespace, ...controller };
}

/** Takes views of the stores; parts that did not change are the same objects in the next view. */
export function viewBuilder(stores: ClusterStores, scales: ScaleOwners): (takenAt: number) => ClusterView {
  let budgets: { from: unknown; list: readonly BudgetView[] } = { from: undefined, list: [] };
  return (takenAt) => {
    const pods = stores.pods.store.snapshot();
    const budgetMap = stores.budgets.store.snapshot();
    if (budgets.from !== budgetMap) budgets = { from: budgetMap, list: [...budgetMap.values()] };
    return {
      takenAt,
      nodes: stores.nodes.store.snapshot(),
      pods,
      budgets: budgets.list,
      namespaces: stores.namespaces.store.snapshot(),
      claims: stores.claims.store.snapshot(),
      volumes: stores.volumes.store.snapshot(),
      ...ownersOf(stores, scales, pods),
    };
  };
}

function ownersOf(
  stores: ClusterStores,
  scales: ScaleOwners,
  pods: ReadonlyMap<string, PodView>,
): Pick<ClusterView, 'owners' | 'ownerOfController'> {
  const owners = new Map<OwnerKey, OwnerView>();
  const ownerOfController = new Map<string, OwnerKey>();
  const add = (owner: OwnerView, controllerUid = owner.uid): void => {
    const key = ownerKey(owner);
    owners.set(key, owner);
    ownerOfController.set(controllerUid, key);
  };
  const foreign = new Set<string>();
  const addForeign = (owner: ForeignOwner, controllerUid: string): void => {
    foreign.add(owner.uid);
    add(scales.viewOf(owner), controllerUid);
  };

  for (const { store } of [stores.deployments, stores.statefulSets, stores.daemonSets, stores.replicationControllers]) {
    for (const owner of store.snapshot().values()) add(owner);
  }
  for (const replicaSet of stores.replicaSets.store.snapshot().values()) {
    const { owner, controller } = replicaSet;
    const foreignOwner = foreignOwnerOfReplicaSet(replicaSet);
    if (foreignOwner !== undefined) addForeign(foreignOwner, owner.uid);
    else if (controller !== undefined && isBuiltIn(controller, 'Deployment')) {
      ownerOfController.set(
        owner.uid,
        ownerKey({ namespace: owner.namespace, kind: controller.kind, name: controller.name }),
      );
    } else add(owner);
  }
  for (const pod of pods.values()) {
    const { controller, namespace } = pod;
    if (controller === undefined || ownerOfController.has(controller.uid)) continue;
    const foreignOwner = foreignOwnerOfPod(pod);
    if (foreignOwner !== undefined) addForeign(foreignOwner, controller.uid);
    else if (isJob(controller)) add({ namespace, ...controller, desired: undefined, terminating: false });
  }
  scales.forgetExcept(foreign);
  return { owners, ownerOfController };
}
