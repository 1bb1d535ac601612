import type { KindName } from './objects.js';
import { TestbedError } from './testbedError.js';

type Scope = 'cluster' | 'namespaced';

/** Of each kind: where its API group lives, its plural, and whether it has a namespace. */
const resources: Record<KindName, readonly [prefix: string, plural: string, scope: Scope]> = {
  Node: ['/api/v1', 'nodes', 'cluster'],
  Namespace: ['/api/v1', 'namespaces', 'cluster'],
  PersistentVolume: ['/api/v1', 'persistentvolumes', 'cluster'],
  Pod: ['/api/v1', 'pods', 'namespaced'],
  Event: ['/api/v1', 'events', 'namespaced'],
  Service: ['/api/v1', 'services', 'namespaced'],
  ServiceAccount: ['/api/v1', 'serviceaccounts', 'namespaced'],
  ConfigMap: ['/api/v1', 'configmaps', 'namespaced'],
  Secret: ['/api/v1', 'secrets', 'namespaced'],
  PersistentVolumeClaim: ['/api/v1', 'persistentvolumeclaims', 'namespaced'],
  ResourceQuota: ['/api/v1', 'resourcequotas', 'namespaced'],
  Deployment: ['/apis/apps/v1', 'deployments', 'namespaced'],
  ReplicaSet: ['/apis/apps/v1', 'replicasets', 'namespaced'],
  StatefulSet: ['/apis/apps/v1', 'statefulsets', 'namespaced'],
  DaemonSet: ['/apis/apps/v1', 'daemonsets', 'namespaced'],
  Job: ['/apis/batch/v1', 'jobs', 'namespaced'],
  PodDisruptionBudget: ['/apis/policy/v1', 'poddisruptionbudgets', 'namespaced'],
  Lease: ['/apis/coordination.k8s.io/v1', 'leases', 'namespaced'],
  VolumeAttachment: ['/apis/storage.k8s.io/v1', 'volumeattachments', 'cluster'],
  PriorityClass: ['/apis/scheduling.k8s.io/v1', 'priorityclasses', 'cluster'],
  NetworkPolicy: ['/apis/networking.k8s.io/v1', 'networkpolicies', 'namespaced'],
  Role: ['/apis/rbac.authorization.k8s.io/v1', 'roles', 'namespaced'],
  RoleBinding: ['/apis/rbac.authorization.k8s.io/v1', 'rolebindings', 'namespaced'],
  ClusterRole: ['/apis/rbac.authorization.k8s.io/v1', 'clusterroles', 'cluster'],
  ClusterRoleBinding: ['/apis/rbac.authorization.k8s.io/v1', 'clusterrolebindings', 'cluster'],
  CustomResourceDefinition: ['/apis/apiextensions.k8s.io/v1', 'customresourcedefinitions', 'cluster'],
  APIService: ['/apis/apiregistration.k8s.io/v1', 'apiservices', 'cluster'],
  ValidatingWebhookConfiguration: [
    '/apis/admissionregistration.k8s.io/v1',
    'validatingwebhookconfigurations',
    'cluster',
  ],
  ValidatingAdmissionPolicy: ['/apis/admissionregistration.k8s.io/v1', 'validatingadmissionpolicies', 'cluster'],
  ValidatingAdmissionPolicyBinding: [
    '/apis/admissionregistration.k8s.io/v1',
    'validatingadmissionpolicybindings',
    'cluster',
  ],
  ServiceMonitor: ['/apis/monitoring.coreos.com/v1', 'servicemonitors', 'namespaced'],
  PrometheusRule: ['/apis/monitoring.coreos.com/v1', 'prometheusrules', 'namespaced'],
  Playbook: ['/apis/turnus.dev/v1alpha1', 'playbooks', 'namespaced'],
  MaintenanceRun: ['/apis/turnus.dev/v1alpha1', 'maintenanceruns', 'namespaced'],
  NodeTurn: ['/apis/turnus.dev/v1alpha1', 'nodeturns', 'namespaced'],
  Approval: ['/apis/turnus.dev/v1alpha1', 'approvals', 'namespaced'],
};

export interface ResourcePath {
  kind: KindName;
  /** Namespaced kinds: absent means all namespaces in a list, and `default` for one object. */
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}

/** The URL path of a collection, of an object where a name is given, or of its subresource. */
export function resourcePath({ kind, namespace, name, subresource }: ResourcePath): string {
  const [prefix, plural, scope] = resources[kind];
  const inNamespace = namespace ?? (name === undefined ? undefined : 'default');
  const scoped = scope === 'cluster' || inNamespace === undefined ? prefix : `${prefix}/namespaces/${inNamespace}`;
  return [`${scoped}/${plural}`, name, subresource].filter((part) => part !== undefined).join('/');
}

/** Does the kind live in namespaces? */
export function isNamespaced(kind: KindName): boolean {
  return resources[kind][2] === 'namespaced';
}

/** The kind of an object read from anywhere, or an error that says what to add. */
export function knownKind(kind: string): KindName {
  if (isKindName(kind)) return kind;
  throw new TestbedError(`The test client knows no kind ${kind}`, {
    hint: 'Add it to resourcePaths.ts, or use api.request.',
  });
}

function isKindName(kind: string): kind is KindName {
  return Object.hasOwn(resources, kind);
}
