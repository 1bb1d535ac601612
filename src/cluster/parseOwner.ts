import { controllerOf } from './apiObject.js';
import type { ApiObject } from './clusterPort.js';
import { numberOf, recordOf, stringOf } from './json.js';
import { responsibleOf } from './responsible.js';
import { parseRollout } from './rollout.js';
import type { ControllerReference, OwnerView } from './view.js';

/** Kubernetes' own controllers of pods. */
export type BuiltInOwnerKind = 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet' | 'ReplicationController';

const apiVersions: Readonly<Record<BuiltInOwnerKind, string>> = {
  Deployment: 'apps/v1',
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  ReplicationController: 'v1',
};

/** A built-in controller as an OwnerView; in lists the API leaves kind and version out, so the kind is handed in. */
export function parseOwner(object: ApiObject, kind: BuiltInOwnerKind): OwnerView {
  const { metadata } = object;
  const spec = recordOf(object['spec']);
  // The API server writes the default 1 into every object it stores.
  const desired = kind === 'DaemonSet' ? undefined : (numberOf(spec['replicas']) ?? 1);
  const responsible = responsibleOf(metadata);
  return {
    namespace: stringOf(metadata.namespace) ?? '',
    apiVersion: apiVersions[kind],
    kind,
    name: stringOf(metadata.name) ?? '',
    uid: stringOf(metadata.uid) ?? '',
    desired,
    terminating: metadata.deletionTimestamp !== undefined,
    ...(kind === 'StatefulSet' && spec['podManagementPolicy'] !== 'Parallel' ? { ordered: true } : {}),
    ...(kind === 'Deployment' && desired === 1 ? { rollout: parseRollout(object, desired) } : {}),
    ...(Object.keys(responsible).length === 0 ? {} : { responsible }),
  };
}

/** A ReplicaSet: itself, and what controls it (a Deployment, or a custom kind such as a Rollout). */
export interface ReplicaSetOwner {
  readonly owner: OwnerView;
  readonly controller: ControllerReference | undefined;
}

export function parseReplicaSet(object: ApiObject): ReplicaSetOwner {
  const controller = controllerOf(object);
  return {
    owner: parseOwner(object, 'ReplicaSet'),
    controller:
      controller === undefined
        ? undefined
        : { apiVersion: controller.apiVersion, kind: controller.kind, name: controller.name, uid: controller.uid },
  };
}

/** True for the reference to one of Kubernetes' own kinds, not to a namesake in another group. */
export function isBuiltIn(
  reference: { readonly apiVersion: string; readonly kind: string },
  kind: BuiltInOwnerKind,
): boolean {
  return reference.kind === kind && reference.apiVersion === apiVersions[kind];
}

const knownKinds: ReadonlyMap<string, string> = new Map([
  ...Object.entries(apiVersions),
  ['Job', 'batch/v1'],
  ['Node', 'v1'],
]);

/**
 * True where the owner has to be asked for its scale: neither one of Kubernetes' own controllers, nor a Job, nor the
 * node of a mirror pod.
 */
export function isForeign(reference: { readonly apiVersion: string; readonly kind: string }): boolean {
  return knownKinds.get(reference.kind) !== reference.apiVersion;
}

/** A Job of batch/v1: it has no scale, and its pods end by themselves. */
export function isJob(reference: { readonly apiVersion: string; readonly kind: string }): boolean {
  return reference.kind === 'Job' && reference.apiVersion === 'batch/v1';
}
