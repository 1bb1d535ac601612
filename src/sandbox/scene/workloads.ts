import type { ApiObject } from '../../cluster/clusterPort.js';
import type { ScenePace } from './scenePace.js';

/** What runs on the scene besides what gathers on one node. */
export function workloads(pace: ScenePace): ApiObject[] {
  const at = workloadsAt(pace);
  return [
    at.daemonSet('kube-system', 'network-agent'),
    at.daemonSet('kube-system', 'log-collector'),
    at.deployment({ namespace: 'shop', name: 'web', replicas: 3, spread: true }),
    budget({ namespace: 'shop', name: 'web', maxUnavailable: 1 }),
    at.deployment({ namespace: 'shop', name: 'cart', replicas: 4, spread: true }),
    budget({ namespace: 'shop', name: 'cart', minAvailable: '75%' }),
    at.deployment({ namespace: 'shop', name: 'mailer', replicas: 1 }),
    at.statefulSet({ namespace: 'database', name: 'orders', replicas: 3 }),
    budget({ namespace: 'database', name: 'orders', maxUnavailable: 1 }),
    at.deployment({ namespace: stuckWorkload.namespace, name: stuckWorkload.name, replicas: 1 }),
    budget({ namespace: stuckWorkload.namespace, name: stuckWorkload.name, minAvailable: 1 }),
    at.job('shop', 'nightly-report'),
  ];
}

/** Namespaces of the scene that a cluster does not have by itself. */
export const namespaces: readonly ApiObject[] = ['shop', 'database', 'payments'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
}));

/** One replica, and a budget that wants one: it never allows an eviction. With a second replica it does. */
export const stuckWorkload = { namespace: 'payments', name: 'ledger', replicas: 1, mendedReplicas: 2 } as const;

export const gatheredReplicas = 3;

/** All its replicas get onto one node, and no budget protects them: they can only be moved one after the other. */
export function gatheredWorkload(pace: ScenePace): ApiObject {
  return workloadsAt(pace).deployment({ namespace: 'shop', name: 'search', replicas: gatheredReplicas });
}

interface Replicated {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  /** Whether the replicas are to be in different zones. */
  readonly spread?: boolean;
}

function workloadsAt(pace: ScenePace) {
  const template = (name: string, more: { pod?: object; annotations?: Readonly<Record<string, string>> } = {}) => ({
    metadata: {
      labels: { app: name },
      annotations: {
        'sandbox.turnus.dev/start-min': `${String(pace.podStartMs.least)}ms`,
        'sandbox.turnus.dev/start-max': `${String(pace.podStartMs.most)}ms`,
        'sandbox.turnus.dev/stop-after': `${String(pace.podStopMs)}ms`,
        ...more.annotations,
      },
    },
    spec: {
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name,
          image: `registry.example/${name}:1.0`,
          resources: { requests: { cpu: '100m', memory: '128Mi' } },
        },
      ],
      ...more.pod,
    },
  });
  const selectorOf = (name: string) => ({ matchLabels: { app: name } });
  return {
    deployment: ({ namespace, name, replicas, spread = false }: Replicated): ApiObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels: { app: name } },
      spec: {
        replicas,
        selector: selectorOf(name),
        template: template(name, spread ? { pod: { topologySpreadConstraints: overZones(name) } } : {}),
      },
    }),
    statefulSet: ({ namespace, name, replicas }: Replicated): ApiObject => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name, namespace, labels: { app: name } },
      spec: {
        replicas,
        serviceName: name,
        podManagementPolicy: 'OrderedReady',
        selector: selectorOf(name),
        template: template(name, { pod: { topologySpreadConstraints: overZones(name) } }),
      },
    }),
    daemonSet: (namespace: string, name: string): ApiObject => ({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name, namespace, labels: { app: name } },
      spec: {
        selector: selectorOf(name),
        template: template(name, { pod: { tolerations: [{ operator: 'Exists' }] } }),
      },
    }),
    job: (namespace: string, name: string): ApiObject => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace, labels: { app: name } },
      spec: {
        backoffLimit: 0,
        template: template(name, {
          pod: { restartPolicy: 'Never' },
          annotations: { 'sandbox.turnus.dev/run-for': `${String(pace.jobMs)}ms` },
        }),
      },
    }),
  };
}

function overZones(name: string): object[] {
  return [
    {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { app: name } },
    },
  ];
}

function budget(wanted: {
  namespace: string;
  name: string;
  maxUnavailable?: number;
  minAvailable?: number | string;
}): ApiObject {
  const { namespace, name, ...allowed } = wanted;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace },
    spec: { ...allowed, selector: { matchLabels: { app: name } } },
  };
}
