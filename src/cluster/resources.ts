import type { Resource } from './clusterPort.js';

/** Reviews are questions that are put as a create: they store nothing, and may be asked again. */
export function isReview({ group }: Pick<Resource, 'group'>): boolean {
  return group === 'authorization.k8s.io' || group === 'authentication.k8s.io';
}

/** The built-in resources that Turnus reads and writes. */
export const resources = {
  nodes: { group: '', version: 'v1', plural: 'nodes', namespaced: false },
  pods: { group: '', version: 'v1', plural: 'pods', namespaced: true },
  namespaces: { group: '', version: 'v1', plural: 'namespaces', namespaced: false },
  configMaps: { group: '', version: 'v1', plural: 'configmaps', namespaced: true },
  secrets: { group: '', version: 'v1', plural: 'secrets', namespaced: true },
  events: { group: '', version: 'v1', plural: 'events', namespaced: true },
  claims: { group: '', version: 'v1', plural: 'persistentvolumeclaims', namespaced: true },
  volumes: { group: '', version: 'v1', plural: 'persistentvolumes', namespaced: false },
  volumeAttachments: { group: 'storage.k8s.io', version: 'v1', plural: 'volumeattachments', namespaced: false },
  replicationControllers: { group: '', version: 'v1', plural: 'replicationcontrollers', namespaced: true },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments', namespaced: true },
  replicaSets: { group: 'apps', version: 'v1', plural: 'replicasets', namespaced: true },
  statefulSets: { group: 'apps', version: 'v1', plural: 'statefulsets', namespaced: true },
  daemonSets: { group: 'apps', version: 'v1', plural: 'daemonsets', namespaced: true },
  budgets: { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets', namespaced: true },
  services: { group: '', version: 'v1', plural: 'services', namespaced: true },
  validatingWebhooks: {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    plural: 'validatingwebhookconfigurations',
    namespaced: false,
  },
  mutatingWebhooks: {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    plural: 'mutatingwebhookconfigurations',
    namespaced: false,
  },
  apiServices: { group: 'apiregistration.k8s.io', version: 'v1', plural: 'apiservices', namespaced: false },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true },
  accessReviews: {
    group: 'authorization.k8s.io',
    version: 'v1',
    plural: 'selfsubjectaccessreviews',
    namespaced: false,
  },
} as const satisfies Readonly<Record<string, Resource>>;
