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
  /** Quantities as the API sends them, for example `{cpu: '4', memory: '16Gi', pods: '110'}`. */
  readonly allocatable: Readonly<Record<string, string>>;
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
  /** The pod's own grace period in seconds. */
  readonly terminationGracePeriodSeconds: number;
  /** The owner reference with `controller: true`. */
  readonly controller: ControllerReference | undefined;
  /** A static pod's copy in the API (annotation kubernetes.io/config.mirror). */
  readonly mirror: boolean;
  readonly priority: number;
  /** Names of emptyDir volumes: their content is lost with the pod. */
  readonly emptyDirs: readonly string[];
  /** Names of the PersistentVolumeClaims the pod mounts. */
  readonly claims: readonly string[];
  readonly hostPorts: readonly number[];
  /** spec.nodeSelector, to see whether a pod is bound to one node. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** True where required node affinity or anti-affinity limits the nodes; details are not kept. */
  readonly hasRequiredAffinity: boolean;
  /** When each container last started; undefined for one that is not running. */
  readonly containersStartedAt: readonly (number | undefined)[];
  /** Why the scheduler cannot place the pod (condition PodScheduled=False), in its words. */
  readonly unschedulableReason: string | undefined;
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
}
