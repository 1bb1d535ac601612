import type {
  DaemonSet,
  Deployment,
  Job,
  KubeObject,
  LabelSelector,
  Pod,
  PodDisruptionBudget,
  PodSpec,
  PodTemplate,
  StatefulSet,
} from './objects.js';

/** What all workloads of the tests can be asked for. */
export interface WorkloadOptions {
  name: string;
  /** `default` */
  namespace?: string;
  /** Besides `app: <name>`, which selects the pods. */
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** From scheduled to Ready; 1000. */
  startMs?: number;
  /** From deletion to gone; 500. */
  stopMs?: number;
  /** The pod starts and never becomes Ready. */
  neverReady?: boolean;
  /** Only on these nodes. */
  nodes?: string[];
  /** Rather on this node than on others. */
  prefers?: string;
  nodeSelector?: Record<string, string>;
  /** Even distribution over nodes or zones; `prefer` does not block, `require` does. */
  spread?: { over: 'node' | 'zone'; mode: 'prefer' | 'require' };
  /** No two pods of it on one node. */
  onePerNode?: boolean;
  cpu?: string;
  /** A port of the node that each pod takes. */
  hostPort?: number;
  /** Adds a volume of this kind: lost with the pod, or bound to its node. */
  localData?: 'emptyDir' | 'hostPath';
  /** Anything else of the pod; wins. */
  podSpec?: Partial<PodSpec>;
}

/** A Deployment; 2 replicas unless it says otherwise. */
export function deployment(
  options: WorkloadOptions & { replicas?: number; strategy?: Record<string, unknown> },
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(options),
    spec: {
      replicas: options.replicas ?? 2,
      selector: selectorOf(options.name),
      template: podTemplate(options),
      ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
    },
  };
}

/** A StatefulSet; 3 replicas, one after the other, unless it says otherwise. */
export function statefulSet(
  options: WorkloadOptions & { replicas?: number; podManagementPolicy?: 'OrderedReady' | 'Parallel' },
): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadataOf(options),
    spec: {
      replicas: options.replicas ?? 3,
      serviceName: options.name,
      podManagementPolicy: options.podManagementPolicy ?? 'OrderedReady',
      selector: selectorOf(options.name),
      template: podTemplate(options),
    },
  };
}

/** A DaemonSet on every node. */
export function daemonSet(options: WorkloadOptions): DaemonSet {
  const template = podTemplate(options);
  template.spec.tolerations ??= [{ operator: 'Exists' }];
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: metadataOf(options),
    spec: { selector: selectorOf(options.name), template },
  };
}

/** A Job of one pod that succeeds after `runForMs`; 5000. */
export function job(options: WorkloadOptions & { runForMs?: number; backoffLimit?: number }): Job {
  const template = podTemplate(options);
  template.metadata.annotations = {
    ...template.metadata.annotations,
    'sandbox.turnus.dev/run-for': duration(options.runForMs ?? 5000),
  };
  template.spec.restartPolicy = 'Never';
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadataOf(options),
    spec: { backoffLimit: options.backoffLimit ?? 0, template },
  };
}

/** A pod that no controller brings back. */
export function barePod(options: WorkloadOptions): Pod {
  const { metadata, spec } = podTemplate(options);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadataOf(options), ...metadata },
    spec,
  };
}

export interface BudgetOptions {
  name: string;
  namespace?: string;
  /** The workload whose pods it protects, by its name; `name`. */
  of?: string;
  minAvailable?: number | string;
  maxUnavailable?: number | string;
  unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow';
  ownerReferences?: NonNullable<KubeObject['metadata']['ownerReferences']>;
}

/** A PodDisruptionBudget over one workload of the tests. */
export function disruptionBudget(options: BudgetOptions): PodDisruptionBudget {
  const { name, namespace = 'default', of = name, ownerReferences, ...spec } = options;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace, ...(ownerReferences === undefined ? {} : { ownerReferences }) },
    spec: { ...spec, selector: selectorOf(of) },
  };
}

/** The template of all workloads: how its pods start and stop, and where they may run. */
function podTemplate(options: WorkloadOptions): PodTemplate {
  const { name, labels, annotations, startMs = 1000, stopMs = 500, neverReady = false } = options;
  return {
    metadata: {
      labels: { ...labels, app: name },
      annotations: {
        'sandbox.turnus.dev/start-min': duration(startMs),
        'sandbox.turnus.dev/start-max': duration(startMs),
        'sandbox.turnus.dev/stop-after': duration(stopMs),
        ...(neverReady ? { 'sandbox.turnus.dev/never-ready': 'true' } : {}),
        ...annotations,
      },
    },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'registry.example/app:1',
          ...(options.cpu === undefined ? {} : { resources: { requests: { cpu: options.cpu } } }),
          ...(options.hostPort === undefined
            ? {}
            : { ports: [{ containerPort: options.hostPort, hostPort: options.hostPort }] }),
        },
      ],
      ...(options.nodeSelector === undefined ? {} : { nodeSelector: options.nodeSelector }),
      ...affinityOf(options),
      ...spreadOf(options),
      ...volumesOf(options),
      ...options.podSpec,
    },
  };
}

function metadataOf({ name, namespace = 'default', labels }: WorkloadOptions): KubeObject['metadata'] {
  return { name, namespace, labels: { ...labels, app: name } };
}

function selectorOf(name: string): LabelSelector {
  return { matchLabels: { app: name } };
}

function duration(milliseconds: number): string {
  return `${milliseconds}ms`;
}

function affinityOf({ name, nodes, prefers, onePerNode = false }: WorkloadOptions): Pick<PodSpec, 'affinity'> {
  if (nodes === undefined && prefers === undefined && !onePerNode) return {};
  const on = (values: string[]): unknown => ({
    matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }],
  });
  const apart = { labelSelector: selectorOf(name), topologyKey: 'kubernetes.io/hostname' };
  const nodeAffinity = {
    ...(nodes === undefined
      ? {}
      : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [on(nodes)] } }),
    ...(prefers === undefined
      ? {}
      : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: on([prefers]) }] }),
  };
  return {
    affinity: {
      ...(Object.keys(nodeAffinity).length === 0 ? {} : { nodeAffinity }),
      ...(onePerNode ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } } : {}),
    },
  };
}

function spreadOf({ name, spread }: WorkloadOptions): Pick<PodSpec, 'topologySpreadConstraints'> {
  if (spread === undefined) return {};
  return {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: spread.over === 'zone' ? 'topology.kubernetes.io/zone' : 'kubernetes.io/hostname',
        whenUnsatisfiable: spread.mode === 'require' ? 'DoNotSchedule' : 'ScheduleAnyway',
        labelSelector: selectorOf(name),
      },
    ],
  };
}

function volumesOf({ localData }: WorkloadOptions): Pick<PodSpec, 'volumes'> {
  if (localData === undefined) return {};
  const source = localData === 'emptyDir' ? { emptyDir: {} } : { hostPath: { path: '/srv/data' } };
  return { volumes: [{ name: 'data', ...source }] };
}
