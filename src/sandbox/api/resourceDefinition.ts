import type { ApiObject } from '../../cluster/clusterPort.js';
import { isRecord, recordOf, recordsOf, stringOf, stringsOf } from '../../cluster/json.js';
import type { ServedResource } from './simulatedApi.js';

/** What the API server knows of a resource that it serves. */
export interface ResourceDefinition extends ServedResource {
  /** The plural with its group, as in messages: `deployments.apps`. It names the table, whatever the version. */
  readonly qualified: string;
  /** `v1` or `apps/v1`. */
  readonly apiVersion: string;
  /** Served by a CustomResourceDefinition. */
  readonly custom: boolean;
  /** `metadata.generation` counts changes of the specification. */
  readonly countsGenerations: boolean;
  /** A PUT must carry the resourceVersion (AllowUnconditionalUpdate of the strategy in pkg/registry). */
  readonly wantsVersion: boolean;
  /** Nothing is stored: a create is answered, as with access reviews. */
  readonly onlyAnswers: boolean;
  /** Where the scale lies. */
  readonly scale?: { readonly desired: readonly string[]; readonly current: readonly string[] };
}

type Trait = 'cluster' | 'status' | 'scale' | 'generation' | 'versioned' | 'answers' | 'all';

function builtIn(
  apiVersion: string,
  kind: string,
  plural: string,
  traits: readonly Trait[],
  shortNames: readonly string[] = [],
): ResourceDefinition {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return {
    group: group ?? '',
    version: version ?? '',
    qualified: qualifiedName({ group: group ?? '', plural }),
    apiVersion,
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames,
    namespaced: !traits.includes('cluster'),
    categories: traits.includes('all') ? ['all'] : [],
    subresources: [
      ...(traits.includes('status') ? ['status'] : []),
      ...(traits.includes('scale') ? ['scale'] : []),
      ...(plural === 'pods' ? ['binding', 'eviction'] : []),
    ],
    custom: false,
    countsGenerations: traits.includes('generation'),
    wantsVersion: traits.includes('versioned'),
    onlyAnswers: traits.includes('answers'),
    ...(traits.includes('scale') ? { scale: { desired: ['spec', 'replicas'], current: ['status', 'replicas'] } } : {}),
  };
}

/** The part of Kubernetes' own resources that a maintenance, its installation and kubectl beside it touch. */
export const builtInDefinitions: readonly ResourceDefinition[] = [
  builtIn('v1', 'Node', 'nodes', ['cluster', 'status'], ['no']),
  builtIn('v1', 'Pod', 'pods', ['status', 'generation', 'all'], ['po']),
  builtIn('v1', 'Namespace', 'namespaces', ['cluster', 'status'], ['ns']),
  builtIn('v1', 'Event', 'events', [], ['ev']),
  builtIn('v1', 'Service', 'services', ['status', 'all'], ['svc']),
  builtIn('v1', 'ConfigMap', 'configmaps', [], ['cm']),
  builtIn('v1', 'Secret', 'secrets', []),
  builtIn('v1', 'ServiceAccount', 'serviceaccounts', [], ['sa']),
  builtIn('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', ['status'], ['pvc']),
  builtIn('v1', 'PersistentVolume', 'persistentvolumes', ['cluster', 'status'], ['pv']),
  builtIn('v1', 'ReplicationController', 'replicationcontrollers', ['status', 'scale', 'generation', 'all'], ['rc']),
  builtIn('apps/v1', 'Deployment', 'deployments', ['status', 'scale', 'generation', 'all'], ['deploy']),
  builtIn('apps/v1', 'ReplicaSet', 'replicasets', ['status', 'scale', 'generation', 'all'], ['rs']),
  builtIn('apps/v1', 'StatefulSet', 'statefulsets', ['status', 'scale', 'generation', 'all'], ['sts']),
  builtIn('apps/v1', 'DaemonSet', 'daemonsets', ['status', 'generation', 'all'], ['ds']),
  builtIn('batch/v1', 'Job', 'jobs', ['status', 'generation', 'all']),
  builtIn('batch/v1', 'CronJob', 'cronjobs', ['status', 'generation', 'all'], ['cj']),
  builtIn('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', ['status', 'generation', 'versioned'], ['pdb']),
  builtIn('coordination.k8s.io/v1', 'Lease', 'leases', ['versioned']),
  builtIn('storage.k8s.io/v1', 'StorageClass', 'storageclasses', ['cluster'], ['sc']),
  builtIn('storage.k8s.io/v1', 'VolumeAttachment', 'volumeattachments', ['cluster', 'status']),
  builtIn('scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', ['cluster', 'generation'], ['pc']),
  builtIn('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', ['cluster']),
  builtIn('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', ['cluster']),
  builtIn('rbac.authorization.k8s.io/v1', 'Role', 'roles', []),
  builtIn('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', []),
  ...[
    ['ValidatingAdmissionPolicy', 'validatingadmissionpolicies'],
    ['ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings'],
    ['ValidatingWebhookConfiguration', 'validatingwebhookconfigurations'],
    ['MutatingWebhookConfiguration', 'mutatingwebhookconfigurations'],
  ].map(([kind = '', plural = '']) =>
    builtIn('admissionregistration.k8s.io/v1', kind, plural, ['cluster', 'generation']),
  ),
  builtIn('apiregistration.k8s.io/v1', 'APIService', 'apiservices', ['cluster', 'status', 'versioned']),
  builtIn(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    ['cluster', 'status', 'generation', 'versioned'],
    ['crd', 'crds'],
  ),
  builtIn('authorization.k8s.io/v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', ['cluster', 'answers']),
  builtIn('authentication.k8s.io/v1', 'SelfSubjectReview', 'selfsubjectreviews', ['cluster', 'answers']),
];

const builtInByName = new Map(builtInDefinitions.map((definition) => [definition.qualified, definition]));

/** By its qualified name, for example `poddisruptionbudgets.policy`. */
export function builtInDefinition(name: string): ResourceDefinition {
  const definition = builtInByName.get(name);
  if (definition === undefined) throw new Error(`the sandbox serves no ${name} by itself`);
  return definition;
}

/** The resources that a CustomResourceDefinition makes the API server serve: one for each served version. */
export function customDefinitions(crd: ApiObject): readonly ResourceDefinition[] {
  const spec = recordOf(crd['spec']);
  const names = recordOf(spec['names']);
  const kind = stringOf(names['kind']) ?? '';
  const group = stringOf(spec['group']) ?? '';
  return recordsOf(spec['versions'])
    .filter((version) => version['served'] === true)
    .map((version) => {
      const name = stringOf(version['name']) ?? '';
      const subresources = recordOf(version['subresources']);
      const scale = subresources['scale'];
      return {
        group,
        version: name,
        qualified: qualifiedName({ group, plural: stringOf(names['plural']) ?? '' }),
        apiVersion: `${group}/${name}`,
        kind,
        plural: stringOf(names['plural']) ?? '',
        singular: stringOf(names['singular']) ?? kind.toLowerCase(),
        shortNames: stringsOf(names['shortNames']),
        categories: stringsOf(names['categories']),
        namespaced: spec['scope'] !== 'Cluster',
        subresources: Object.keys(subresources),
        custom: true,
        countsGenerations: true,
        wantsVersion: true,
        onlyAnswers: false,
        ...(isRecord(scale)
          ? { scale: { desired: pathOf(scale['specReplicasPath']), current: pathOf(scale['statusReplicasPath']) } }
          : {}),
      };
    });
}

/** The status with which a CustomResourceDefinition says that its names are taken and its resource is served. */
export function establishedStatus(crd: ApiObject, time: string): unknown {
  const spec = recordOf(crd['spec']);
  const condition = (type: string, reason: string) => ({ type, status: 'True', reason, lastTransitionTime: time });
  return {
    acceptedNames: spec['names'],
    conditions: [condition('NamesAccepted', 'NoConflicts'), condition('Established', 'InitialNamesAccepted')],
    storedVersions: recordsOf(spec['versions']).flatMap(({ storage, name }) => (storage === true ? [name] : [])),
  };
}

function qualifiedName({ group, plural }: { readonly group: string; readonly plural: string }): string {
  return group === '' ? plural : `${plural}.${group}`;
}

export function hasStatus(definition: ResourceDefinition): boolean {
  return definition.subresources.includes('status');
}

/** The members of a simple JSON path such as `.spec.replicas`. */
function pathOf(jsonPath: unknown): readonly string[] {
  return (stringOf(jsonPath) ?? '').split('.').filter((part) => part !== '');
}
