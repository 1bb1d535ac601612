import type { ApiObject } from '../../cluster/clusterPort.js';
import { numberOf, recordOf } from '../../cluster/json.js';
import type { ResourceDefinition } from './resourceDefinition.js';

/** The `scale` subresource of an object (autoscaling/v1). */
export function scaleOf({ scale }: ResourceDefinition, object: ApiObject): ApiObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = object.metadata;
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: { replicas: numberAt(object, scale?.desired ?? []) },
    status: { replicas: numberAt(object, scale?.current ?? []) },
  };
}

/** The object with the replicas that a scale asks for; the scale's version must be the object's. */
export function applyScale({ scale }: ResourceDefinition, object: ApiObject, wanted: ApiObject): ApiObject {
  const replicas = numberOf(recordOf(wanted['spec'])['replicas']) ?? 0;
  const { resourceVersion } = wanted.metadata;
  const metadata = { ...object.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return { ...object, ...recordOf(withMember(object, scale?.desired ?? [], replicas)), metadata };
}

function numberAt(object: ApiObject, path: readonly string[]): number {
  let value: unknown = object;
  for (const member of path) value = recordOf(value)[member];
  return numberOf(value) ?? 0;
}

function withMember(parent: unknown, path: readonly string[], value: unknown): unknown {
  const [member, ...rest] = path;
  if (member === undefined) return value;
  return { ...recordOf(parent), [member]: withMember(recordOf(parent)[member], rest, value) };
}
