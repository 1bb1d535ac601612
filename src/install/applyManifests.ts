import type { ApiFailure, ApiObject, ClusterPort, Resource } from '../cluster/clusterPort.js';
import type { Clock } from '../time/clock.js';

/** Where the kinds that we install are served. */
const resources: Readonly<Record<string, Resource>> = {
  Namespace: { group: '', version: 'v1', plural: 'namespaces', namespaced: false },
  ServiceAccount: { group: '', version: 'v1', plural: 'serviceaccounts', namespaced: true },
  CustomResourceDefinition: {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    plural: 'customresourcedefinitions',
    namespaced: false,
  },
  ClusterRole: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles', namespaced: false },
  ClusterRoleBinding: {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    plural: 'clusterrolebindings',
    namespaced: false,
  },
  Role: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles', namespaced: true },
  RoleBinding: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'rolebindings', namespaced: true },
  ValidatingAdmissionPolicy: {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    plural: 'validatingadmissionpolicies',
    namespaced: false,
  },
  ValidatingAdmissionPolicyBinding: {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    plural: 'validatingadmissionpolicybindings',
    namespaced: false,
  },
};

export type InstallEnd =
  | { readonly kind: 'installed'; readonly objects: readonly string[] }
  /** `object` could not be applied; those before it were. */
  | { readonly kind: 'failed'; readonly object: string; readonly failure: ApiFailure }
  /** The CRDs were applied, but the API server does not serve them yet. */
  | { readonly kind: 'not-established'; readonly object: string };

/** Applies the objects one after another by server-side apply and waits until the API server serves the CRDs. */
export async function applyManifests(
  install: {
    cluster: ClusterPort;
    clock: Clock;
    objects: readonly ApiObject[];
    timeoutMs: number;
    onApplied: (object: string) => void;
  },
  signal: AbortSignal,
): Promise<InstallEnd> {
  const applied: string[] = [];
  for (const object of install.objects) {
    const { resource, name, label, namespace } = placeOf(object);
    const answer = await install.cluster.patch(
      {
        resource,
        name,
        patch: { type: 'apply', body: object, force: true },
        ...(namespace === undefined ? {} : { namespace }),
      },
      signal,
    );
    if (answer.kind !== 'ok') return { kind: 'failed', object: label, failure: answer };
    applied.push(label);
    install.onApplied(label);
  }
  const deadline = install.clock.monotonic() + install.timeoutMs;
  for (const object of install.objects.filter((candidate) => candidate.kind === 'CustomResourceDefinition')) {
    const { resource, name, label } = placeOf(object);
    for (;;) {
      const answer = await install.cluster.get({ resource, name }, signal);
      if (answer.kind === 'ok' && isEstablished(answer.value)) break;
      if (install.clock.monotonic() > deadline) return { kind: 'not-established', object: label };
      await install.clock.sleep(200, signal);
    }
  }
  return { kind: 'installed', objects: applied };
}

function placeOf(object: ApiObject): {
  resource: Resource;
  name: string;
  label: string;
  namespace: string | undefined;
} {
  const kind = object.kind ?? '';
  const resource = resources[kind];
  if (resource === undefined) throw new Error(`install does not know where kind ${kind} is served`);
  const { name = '', namespace } = object.metadata;
  return { resource, name, namespace, label: `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}` };
}

function isEstablished(object: ApiObject): boolean {
  const status = object['status'];
  if (typeof status !== 'object' || status === null || !('conditions' in status) || !Array.isArray(status.conditions))
    return false;
  return status.conditions.some(
    (condition: unknown) =>
      typeof condition === 'object' &&
      condition !== null &&
      'type' in condition &&
      condition.type === 'Established' &&
      'status' in condition &&
      condition.status === 'True',
  );
}
