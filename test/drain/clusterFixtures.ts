import {
  ownerKey,
  podKey,
  type BudgetView,
  type ClaimView,
  type ClusterView,
  type NamespaceView,
  type NodeView,
  type OwnerKey,
  type OwnerView,
  type PodView,
  type VolumeView,
} from '../../src/cluster/view.js';
import type { DrainPolicy } from '../../src/playbook/playbook.js';

export const takenAt = Date.UTC(2026, 10, 10, 22, 0, 0);

export function node(name: string, changes: Partial<NodeView> = {}): NodeView {
  return {
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '1',
    labels: { 'kubernetes.io/hostname': name },
    annotations: {},
    createdAt: 0,
    unschedulable: false,
    taints: [],
    ready: true,
    notReadyReason: undefined,
    bootId: `boot-of-${name}`,
    versions: { kernel: '6.1', osImage: 'Debian 12', kubelet: 'v1.36.3', containerRuntime: 'containerd://2.1.4' },
    addresses: [{ type: 'InternalIP', address: '127.0.1.1' }],
    allocatable: { cpu: 4000, memory: 16 * 2 ** 30, pods: 110 },
    ...changes,
  };
}

/** A running, Ready pod on node-1 without a controller; `app` is its label and the first part of its name. */
export function pod(name: string, changes: Partial<PodView> = {}): PodView {
  return {
    namespace: 'shop',
    name,
    uid: `uid-of-${name}`,
    labels: { app: name.replace(/-\d+$/, '') },
    annotations: {},
    createdAt: takenAt - 3_600_000,
    nodeName: 'node-1',
    phase: 'Running',
    ready: true,
    terminating: false,
    deletionDeadline: undefined,
    terminationGracePeriodSeconds: 30,
    controller: undefined,
    mirror: false,
    priority: 0,
    emptyDirs: [],
    claims: [],
    hostPorts: [],
    nodeSelector: {},
    nodeAffinity: undefined,
    affinity: [],
    antiAffinity: [],
    hardSpread: [],
    tolerations: [],
    requests: {},
    containersStartedAt: [takenAt - 3_600_000],
    unschedulableReason: undefined,
    ...changes,
  };
}

/** An owner with its pods `NAME-0`, `NAME-1` ... in the namespace shop; each pod where and how `pods` says. */
export interface Workload {
  readonly owner: OwnerView;
  readonly controllerUid: string;
  readonly pods: readonly PodView[];
}

export function workload(options: {
  readonly name: string;
  readonly kind?: string;
  readonly apiVersion?: string;
  /** The number of pods unless it says otherwise; null: a kind without a scale. */
  readonly desired?: number | null;
  readonly pods: readonly (Partial<PodView> & { readonly on?: string })[];
}): Workload {
  const { name, kind = 'Deployment', apiVersion = 'apps/v1', desired = options.pods.length } = options;
  const controllerUid = `controller-of-${name}`;
  const controllerKind = kind === 'Deployment' ? 'ReplicaSet' : kind;
  const controllerName = kind === 'Deployment' ? `${name}-5d4f` : name;
  return {
    controllerUid,
    owner: {
      namespace: 'shop',
      apiVersion,
      kind,
      name,
      uid: `owner-${name}`,
      desired: desired ?? undefined,
      terminating: false,
    },
    pods: options.pods.map(({ on, ...changes }, index) =>
      pod(`${name}-${String(index)}`, {
        ...(on === undefined ? {} : { nodeName: on }),
        controller: { apiVersion, kind: controllerKind, name: controllerName, uid: controllerUid },
        ...changes,
      }),
    ),
  };
}

/** A budget of the namespace shop for the pods with label `app: NAME`, as the controller has last written it. */
export function budget(
  name: string,
  changes: Partial<Omit<BudgetView, 'status'>> & { readonly status?: Partial<BudgetView['status']> },
): BudgetView {
  const { status, ...rest } = changes;
  return {
    namespace: 'shop',
    name,
    uid: `budget-${name}`,
    labels: {},
    generation: 1,
    selector: { matchLabels: { app: name }, matchExpressions: [] },
    minAvailable: undefined,
    maxUnavailable: undefined,
    unhealthyPodEvictionPolicy: 'IfHealthyBudget',
    managedBy: undefined,
    ...rest,
    status: {
      observedGeneration: 1,
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
      disruptedPods: {},
      syncFailure: undefined,
      ...status,
    },
  };
}

export function clusterView(content: {
  readonly nodes?: readonly NodeView[];
  readonly workloads?: readonly Workload[];
  readonly pods?: readonly PodView[];
  readonly budgets?: readonly BudgetView[];
  readonly namespaces?: readonly NamespaceView[];
  readonly claims?: readonly ClaimView[];
  readonly volumes?: readonly VolumeView[];
}): ClusterView {
  const { nodes = [node('node-1', { unschedulable: true }), node('node-2'), node('node-3')] } = content;
  const { workloads = [], pods = [], budgets = [], namespaces = [], claims = [], volumes = [] } = content;
  const all = [...workloads.flatMap((one) => one.pods), ...pods];
  return {
    takenAt,
    nodes: new Map(nodes.map((one) => [one.name, one])),
    pods: new Map(all.map((one) => [podKey(one), one])),
    budgets,
    namespaces: new Map(namespaces.map((one) => [one.name, one])),
    claims: new Map(claims.map((one) => [`${one.namespace}/${one.name}`, one])),
    volumes: new Map(volumes.map((one) => [one.name, one])),
    owners: new Map(workloads.map(({ owner }) => [ownerKey(owner), owner])),
    ownerOfController: new Map(
      workloads.map(({ controllerUid, owner }): [string, OwnerKey] => [controllerUid, ownerKey(owner)]),
    ),
  };
}

export const drainPolicy: DrainPolicy = {
  timeoutMs: 900_000,
  attempts: 2,
  localData: 'delete',
  unmanagedPods: 'block',
  jobPods: 'wait',
  jobPodsLimitMs: 3_600_000,
  waitForReplacements: true,
  overrides: [],
};

export const spreadPolicy = { minReadyElsewhere: '50%', singletons: 'allow' } as const;
