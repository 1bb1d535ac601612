import type { ResourceAmounts } from './resourceAmounts.js';
import type { Responsible } from './responsible.js';

/**
 * Small values of our own for what a maintenance sees of a cluster. Everything is read-only; a ClusterView never
 * changes after it was taken. Times are milliseconds since the epoch.
 */
export interface ClusterView {
  /** Wall clock at which the view was taken. */
  readonly takenAt: number;
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** By {@link podKey}. */
  readonly pods: ReadonlyMap<string, PodView>;
  readonly budgets: readonly BudgetView[];
  /** By name. */
  readonly namespaces: ReadonlyMap<string, NamespaceView>;
  /** PersistentVolumeClaims by `namespace/name`. */
  readonly claims: ReadonlyMap<string, ClaimView>;
  /** PersistentVolumes by name. */
  readonly volumes: ReadonlyMap<string, VolumeView>;
  /** Top owners by {@link ownerKey}: Deployments (not their ReplicaSets), StatefulSets, DaemonSets, anything with a scale. */
  readonly owners: ReadonlyMap<string, OwnerView>;
  /** Top owner of the pods that a controller (by its UID) controls, for example ReplicaSet UID to Deployment. */
  readonly ownerOfController: ReadonlyMap<string, OwnerKey>;
}

/** `namespace/name` of a pod. */
export type PodKey = string;
/** `namespace/Kind/name` of an owner. */
export type OwnerKey = string;

export function podKey(pod: { readonly namespace: string; readonly name: string }): PodKey {
  return `${pod.namespace}/${pod.name}`;
}

export function ownerKey(owner: {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}): OwnerKey {
  return `${owner.namespace}/${owner.kind}/${owner.name}`;
}

export interface NodeView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly unschedulable: boolean;
  readonly taints: readonly TaintView[];
  /** Condition Ready is True. */
  readonly ready: boolean;
  /** Why the node is not Ready, in the kubelet's words; undefined when it is. */
  readonly notReadyReason: string | undefined;
  readonly bootId: string;
  readonly versions: NodeVersions;
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  /** What its pods can ask for together; `pods` is how many it takes. */
  readonly allocatable: ResourceAmounts;
}

export interface NodeVersions {
  readonly kernel: string;
  readonly osImage: string;
  readonly kubelet: string;
  readonly containerRuntime: string;
}

export interface TaintView {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
  /** RFC 3339, as the API server writes it; absent where it says nothing. */
  readonly timeAdded?: string;
}

export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly createdAt: number;
  /** Absent while the pod waits for a node. */
  readonly nodeName: string | undefined;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  /** Condition Ready is True (and the pod is not being deleted; the disruption controller counts it so). */
  readonly ready: boolean;
  /** deletionTimestamp is set. */
  readonly terminating: boolean;
  /** The deletion's deadline (request time plus grace), where terminating. */
  readonly deletionDeadline: number | undefined;
  /** Who must let go before it is gone, besides its kubelet; absent where nobody. */
  readonly finalizers?: readonly string[];
  /** The pod's own grace period in seconds. */
  readonly terminationGracePeriodSeconds: number;
  /** What its probes wait at least before the first one can make it Ready; absent: they wait for nothing. */
  readonly startupDelaySeconds?: number;
  /** The owner reference with `controller: true`. */
  readonly controller: ControllerReference | undefined;
  /** A static pod's copy in the API (annotation kubernetes.io/config.mirror). */
  readonly mirror: boolean;
  readonly priority: number;
  /** Names of emptyDir volumes: their content is lost with the pod. */
  readonly emptyDirs: readonly string[];
  /** Names of the PersistentVolumeClaims the pod mounts and that outlive it: those of ephemeral volumes do not. */
  readonly claims: readonly string[];
  readonly hostPorts: readonly PortOfHost[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Required node affinity: the node matches any of the terms. Undefined: not asked for. */
  readonly nodeAffinity: readonly NodeSelectorTerm[] | undefined;
  /** Required pod affinity: every term holds. */
  readonly affinity: readonly PodAffinityTerm[];
  /** Required pod anti-affinity: every term holds. */
  readonly antiAffinity: readonly PodAffinityTerm[];
  /** Topology spread constraints with DoNotSchedule: every one holds. */
  readonly hardSpread: readonly SpreadConstraint[];
  /** Without those of not-ready and unreachable nodes, which every pod has. */
  readonly tolerations: readonly Toleration[];
  /** What it takes of its node's allocatable. */
  readonly requests: ResourceAmounts;
  /** When each container last started; undefined for one that is not running. */
  readonly containersStartedAt: readonly (number | undefined)[];
  /** Why the scheduler cannot place the pod (condition PodScheduled=False), in its words. */
  readonly unschedulableReason: string | undefined;
}

/** A port of the node that a container takes. */
export interface PortOfHost {
  readonly port: number;
  readonly protocol: string;
  /** `0.0.0.0`: every address of the node. */
  readonly hostIp: string;
  /** What the container calls it. */
  readonly name?: string;
}

/** Holds where all of its requirements do; one without any never holds. */
export interface NodeSelectorTerm {
  readonly labels: readonly NodeRequirement[];
  /** Of fields of the node; only `metadata.name` exists. */
  readonly fields: readonly NodeRequirement[];
}

export interface NodeRequirement {
  readonly key: string;
  /** In, NotIn, Exists, DoesNotExist, Gt, Lt; a later API server may know more. */
  readonly operator: string;
  readonly values: readonly string[];
}

/**
 * Pods that are meant, and the topology (nodes with the same value of a label) in which one of them (affinity) or none
 * (anti-affinity) is to run.
 */
export interface PodAffinityTerm {
  readonly topologyKey: string;
  readonly selector: LabelSelector | undefined;
  /** Namespaces by name. Empty, and no `namespaceSelector`: the pod's own. */
  readonly namespaces: readonly string[];
  readonly namespaceSelector: LabelSelector | undefined;
}

export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  /** 1 where the pod says nothing. */
  readonly minDomains: number;
  readonly selector: LabelSelector | undefined;
  /** Keys whose values on the pod itself narrow the selector. */
  readonly matchLabelKeys: readonly string[];
  /** Whether nodes that the pod's node affinity excludes are left out of the count. */
  readonly honoursAffinity: boolean;
  /** Whether nodes with taints that the pod does not tolerate are left out of the count. */
  readonly honoursTaints: boolean;
}

export interface Toleration {
  /** Empty: every key. */
  readonly key: string;
  readonly operator: string;
  readonly value: string;
  /** Empty: every effect. */
  readonly effect: string;
}

export interface NamespaceView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Being deleted: its pods go, and nothing is created in it any more. */
  readonly terminating: boolean;
  /** Who answers for it; absent where it does not say. */
  readonly responsible?: Responsible;
}

/** A PersistentVolumeClaim. */
export interface ClaimView {
  readonly namespace: string;
  readonly name: string;
  /** Undefined while it is not bound. */
  readonly volume: string | undefined;
  /** Its volume can be used on one node at a time (access modes ReadWriteOnce, ReadWriteOncePod and no other). */
  readonly onOneNode: boolean;
}

/** A PersistentVolume. */
export interface VolumeView {
  readonly name: string;
  /** The nodes that can reach it; undefined: all. */
  readonly nodeAffinity: readonly NodeSelectorTerm[] | undefined;
}

export interface ControllerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A PodDisruptionBudget. */
export interface BudgetView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly generation: number;
  /** Undefined selector selects nothing; an empty one everything (policy/v1). */
  readonly selector: LabelSelector | undefined;
  /** `2` or `'50%'`. */
  readonly minAvailable: number | string | undefined;
  readonly maxUnavailable: number | string | undefined;
  readonly unhealthyPodEvictionPolicy: 'IfHealthyBudget' | 'AlwaysAllow';
  /** Kind of the custom controller that owns the budget and opens it by itself; undefined for a person's budget. */
  readonly managedBy: string | undefined;
  readonly status: BudgetStatus;
}

export interface BudgetStatus {
  readonly observedGeneration: number;
  readonly disruptionsAllowed: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
  /** Pod name to the time its eviction was accepted; such a pod does not count as healthy for two minutes. */
  readonly disruptedPods: Readonly<Record<string, number>>;
  /** Message of a condition DisruptionAllowed=False with reason SyncFailed. */
  readonly syncFailure: string | undefined;
}

export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** What keeps pods alive: the object whose replicas a person counts. */
export interface OwnerView {
  readonly namespace: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** Desired replicas; undefined for kinds without a scale (DaemonSet, Job). */
  readonly desired: number | undefined;
  /** Being deleted: nothing needs to come back. */
  readonly terminating: boolean;
  /** A StatefulSet that creates a pod only when those before it are Ready. */
  readonly ordered?: boolean;
  /** Of a Deployment with one desired replica. */
  readonly rollout?: RolloutView;
  /** Who answers for it; absent where it does not say. */
  readonly responsible?: Responsible;
}

/** Whether a Deployment can start a replacement before it ends a pod, and how far its rollout has come. */
export interface RolloutView {
  /** Strategy Recreate: all pods end before one is started. */
  readonly recreates: boolean;
  /** Pods above the desired number that a rollout may have. */
  readonly maxSurge: number;
  /** Pods below the desired number that a rollout may have. */
  readonly maxUnavailable: number;
  readonly paused: boolean;
  /** The controller has seen the latest change of the Deployment. */
  readonly observed: boolean;
  /** Pods that are not ending, of the present template and of earlier ones. */
  readonly pods: number;
  /** Those of the present template. */
  readonly updatedPods: number;
  /** Pods that have been Ready for `minReadySeconds`. */
  readonly availablePods: number;
  /** Run and node that Turnus last restarted it for, as `run/node`. */
  readonly restartedFor: string | undefined;
}
