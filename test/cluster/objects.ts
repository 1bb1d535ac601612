/** Just as much of the Kubernetes objects as tests read and write; everything else passes through untouched. */

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface Taint {
  key: string;
  value?: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface NodeInfo {
  bootID: string;
  machineID: string;
  systemUUID: string;
  kernelVersion: string;
  osImage: string;
  containerRuntimeVersion: string;
  kubeletVersion: string;
  kubeProxyVersion: string;
  operatingSystem: string;
  architecture: string;
}

export interface Node extends KubeObject {
  spec: { unschedulable?: boolean; taints?: Taint[]; podCIDR?: string; providerID?: string };
  status: {
    capacity: Record<string, string>;
    allocatable: Record<string, string>;
    addresses: { type: string; address: string }[];
    conditions?: Condition[];
    nodeInfo: NodeInfo;
  };
}

export interface ContainerStatus {
  name: string;
  image: string;
  imageID?: string;
  ready: boolean;
  started?: boolean;
  restartCount: number;
  state?: { running?: { startedAt: string }; waiting?: { reason?: string }; terminated?: { exitCode: number } };
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface PodSpec {
  containers: {
    name: string;
    image: string;
    resources?: { requests?: Record<string, string> };
    ports?: { containerPort: number; hostPort?: number }[];
  }[];
  /** With restartPolicy Always: a sidecar. */
  initContainers?: (PodSpec['containers'][number] & { restartPolicy?: string })[];
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  affinity?: Record<string, unknown>;
  tolerations?: { key?: string; operator?: string; value?: string; effect?: string }[];
  topologySpreadConstraints?: {
    maxSkew: number;
    topologyKey: string;
    whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
    labelSelector: LabelSelector;
  }[];
  volumes?: (Record<string, unknown> & { name: string })[];
  restartPolicy?: string;
  terminationGracePeriodSeconds?: number;
  priorityClassName?: string;
  hostNetwork?: boolean;
}

export interface Pod extends KubeObject {
  kind: 'Pod';
  spec: PodSpec;
  status?: { phase?: string; conditions?: Condition[]; containerStatuses?: ContainerStatus[]; podIP?: string };
}

export interface PodTemplate {
  metadata: Pick<ObjectMeta, 'labels' | 'annotations'>;
  spec: PodSpec;
}

export interface Deployment extends KubeObject {
  kind: 'Deployment';
  spec: { replicas: number; selector: LabelSelector; template: PodTemplate; strategy?: Record<string, unknown> };
  status?: { observedGeneration?: number; replicas?: number; readyReplicas?: number; updatedReplicas?: number };
}

export interface StatefulSet extends KubeObject {
  kind: 'StatefulSet';
  spec: {
    replicas: number;
    serviceName: string;
    podManagementPolicy?: 'OrderedReady' | 'Parallel';
    selector: LabelSelector;
    template: PodTemplate;
    volumeClaimTemplates?: { metadata: { name: string }; spec: Record<string, unknown> }[];
  };
  status?: { observedGeneration?: number; replicas?: number; readyReplicas?: number };
}

export interface DaemonSet extends KubeObject {
  kind: 'DaemonSet';
  spec: { selector: LabelSelector; template: PodTemplate };
  status?: { observedGeneration?: number; desiredNumberScheduled: number; numberReady: number };
}

export interface Job extends KubeObject {
  kind: 'Job';
  spec: { backoffLimit?: number; completions?: number; parallelism?: number; template: PodTemplate };
  status?: { active?: number; ready?: number; succeeded?: number; failed?: number; conditions?: Condition[] };
}

export interface PodDisruptionBudget extends KubeObject {
  kind: 'PodDisruptionBudget';
  spec: {
    minAvailable?: number | string;
    maxUnavailable?: number | string;
    selector?: LabelSelector;
    unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow';
  };
  status?: {
    observedGeneration?: number;
    disruptionsAllowed: number;
    currentHealthy: number;
    desiredHealthy: number;
    expectedPods: number;
    disruptedPods?: Record<string, string>;
  };
}

export interface Lease extends KubeObject {
  spec: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface KubeEvent extends KubeObject {
  involvedObject: { kind: string; name: string; namespace?: string };
  type: string;
  reason: string;
  message: string;
  source?: { component?: string };
}

/** Any object whose content the test reads itself. */
export interface OtherObject extends KubeObject {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  [field: string]: unknown;
}

/** The kinds {@link TestApi} knows by name. */
export interface Kinds {
  Node: Node;
  Pod: Pod;
  Deployment: Deployment;
  StatefulSet: StatefulSet;
  DaemonSet: DaemonSet;
  Job: Job;
  PodDisruptionBudget: PodDisruptionBudget;
  Lease: Lease;
  Event: KubeEvent;
  Namespace: OtherObject;
  ReplicaSet: OtherObject;
  Service: OtherObject;
  ServiceAccount: OtherObject;
  ConfigMap: OtherObject;
  Secret: OtherObject;
  PersistentVolume: OtherObject;
  PersistentVolumeClaim: OtherObject;
  VolumeAttachment: OtherObject;
  PriorityClass: OtherObject;
  NetworkPolicy: OtherObject;
  ResourceQuota: OtherObject;
  Role: OtherObject;
  RoleBinding: OtherObject;
  ClusterRole: OtherObject;
  ClusterRoleBinding: OtherObject;
  CustomResourceDefinition: OtherObject;
  APIService: OtherObject;
  ValidatingWebhookConfiguration: OtherObject;
  ValidatingAdmissionPolicy: OtherObject;
  ValidatingAdmissionPolicyBinding: OtherObject;
  ServiceMonitor: OtherObject;
  PrometheusRule: OtherObject;
  Playbook: OtherObject;
  MaintenanceRun: OtherObject;
  NodeTurn: OtherObject;
  Approval: OtherObject;
}

export type KindName = keyof Kinds;

/** Is the condition `type` of this object True? */
export function isTrue(object: { status?: { conditions?: Condition[] } }, type: string): boolean {
  return (
    object.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
  );
}
