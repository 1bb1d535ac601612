import type { ApiObject, Resource } from '../../src/cluster/clusterPort.js';
import type { Night, NightWorkload } from './night.js';

/** The objects of a night's workloads, as their teams would apply them; the nodes must be there already. */
export function nightObjects(night: Night): ApiObject[] {
  const namespaces = [...new Set(night.workloads.map(({ namespace }) => namespace))];
  return [
    ...namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...namespaces
      .filter((name) => night.workloads.some(({ vital, namespace }) => vital === true && namespace === name))
      .flatMap(webhookOf),
    ...night.workloads.flatMap((workload) => [
      ...budgetOf(workload),
      ...(workload.localDisk === true ? disksOf(workload, night) : []),
      workloadObject(workload),
    ]),
  ];
}

const vitalLabel = { serves: 'api' };

/** A webhook for pods that fails closed, and its Service. The model does not call it. */
function webhookOf(namespace: string): ApiObject[] {
  const service = { namespace, name: 'hook' };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: service, spec: { selector: vitalLabel } },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: namespace },
      webhooks: [
        {
          name: `${namespace}.example.com`,
          clientConfig: { service },
          failurePolicy: 'Fail',
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
      ],
    },
  ];
}

function workloadObject(workload: NightWorkload): ApiObject {
  const { name, namespace, kind, replicas } = workload;
  const metadata = { name, namespace };
  const selector = { matchLabels: { app: name } };
  const template = podTemplate(workload);
  switch (kind) {
    case 'Deployment':
      return { apiVersion: 'apps/v1', kind, metadata, spec: { replicas, selector, template, ...strategyOf(workload) } };
    case 'StatefulSet':
      return {
        apiVersion: 'apps/v1',
        kind,
        metadata,
        spec: {
          replicas,
          selector,
          serviceName: name,
          template,
          ...(workload.localDisk === true ? { volumeClaimTemplates: [claimTemplate()] } : {}),
        },
      };
    case 'DaemonSet':
      return { apiVersion: 'apps/v1', kind, metadata, spec: { selector, template } };
    case 'Job':
      return {
        apiVersion: 'batch/v1',
        kind,
        metadata,
        spec: { backoffLimit: 4, template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      };
    case 'Pod':
      return { apiVersion: 'v1', kind, metadata: { ...template.metadata, name, namespace }, spec: template.spec };
  }
}

function strategyOf({ strategy }: NightWorkload) {
  if (strategy === undefined) return {};
  return {
    strategy: strategy === 'Recreate' ? { type: 'Recreate' } : { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
  };
}

function podTemplate(workload: NightWorkload) {
  const { name, startMs, stopMs, runForMs } = workload;
  const annotation = (what: string) => `sandbox.turnus.dev/${what}`;
  return {
    metadata: {
      labels: { app: name, ...(workload.vital === true ? vitalLabel : {}) },
      annotations: {
        [annotation('start-min')]: `${String(startMs)}ms`,
        [annotation('start-max')]: `${String(startMs)}ms`,
        [annotation('stop-after')]: `${String(stopMs)}ms`,
        ...(runForMs === undefined ? {} : { [annotation('run-for')]: `${String(runForMs)}ms` }),
      },
    },
    spec: {
      terminationGracePeriodSeconds: Math.max(30, Math.ceil(stopMs / 1000) + 5),
      containers: [{ name: 'main', image: 'registry.example/main:1' }],
      ...(workload.zone === undefined ? {} : { nodeSelector: { 'topology.kubernetes.io/zone': workload.zone } }),
      ...(workload.tolerates === true ? { tolerations: [{ operator: 'Exists' }] } : {}),
      ...(workload.apart === true ? { affinity: { podAntiAffinity: apart(name) } } : {}),
    },
  };
}

function apart(app: string) {
  const topologyKey = 'kubernetes.io/hostname';
  return {
    requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app } }, topologyKey }],
  };
}

function budgetOf({ name, namespace, budget }: NightWorkload): ApiObject[] {
  if (budget === undefined) return [];
  return [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace },
      spec: { selector: { matchLabels: { app: name } }, ...budget },
    },
  ];
}

function claimTemplate() {
  return {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
}

/** A claim and a bound local volume for each replica, on one node after the other. */
function disksOf({ name, namespace, replicas }: NightWorkload, { nodes }: Night): ApiObject[] {
  return Array.from({ length: replicas }, (_, number) => {
    const claim = `data-${name}-${String(number)}`;
    const volume = `${namespace}-${claim}`;
    const node = nodes[number % nodes.length]?.name ?? '';
    return [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: volume },
        spec: {
          claimRef: { namespace, name: claim },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claim, namespace },
        spec: { ...claimTemplate().spec, volumeName: volume },
      },
    ];
  }).flat();
}

/** Where an object of a night, or of Turnus' own manifests, is served. */
export function resourceOf(object: ApiObject): Resource {
  const kind = object.kind ?? '';
  const [first = '', second] = (object.apiVersion ?? '').split('/');
  const [group, version] = second === undefined ? ['', first] : [first, second];
  const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
  const namespaced = object.metadata.namespace !== undefined;
  return { group, version, plural: plural.toLowerCase(), namespaced };
}
