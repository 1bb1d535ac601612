import type { ApiObject, ObjectMeta } from '../../cluster/clusterPort.js';
import { conflict, invalid, ok, wroteFirst, type Refused } from './refusals.js';
import { hasStatus, type ResourceDefinition } from './resourceDefinition.js';
import { sameJson } from './sameJson.js';
import type { Reply } from './simulatedApi.js';
import { withoutEmptyFields } from './storedForm.js';

/** A change that a client wants. */
export interface WantedUpdate {
  readonly current: ApiObject;
  /** The object after the change, as the client sent it or as its patch makes it. */
  readonly wanted: ApiObject;
  readonly subresource: string | undefined;
  readonly method: 'replace' | 'patch';
}

/**
 * The object as the API server would store it after a change; `current` itself where nothing changes. A write to the
 * object leaves its status alone, and one to the status the rest (the strategies in pkg/registry).
 */
export function updatedObject(resource: ResourceDefinition, update: WantedUpdate): Reply<ApiObject> {
  const { current, wanted, subresource } = update;
  const refusal = refusedMetadata(resource, update);
  if (refusal !== undefined) return refusal;
  const body = withoutEmptyFields(resource, bodyOf(resource, update));
  const keepsMetadata = wanted.metadata === current.metadata || (subresource === 'status' && resource.custom);
  const changed = keepsMetadata
    ? { ...body, metadata: current.metadata }
    : withMetadata(body, systemMetadata(wanted.metadata, current.metadata));
  if (sameJson(changed, current)) return ok(current);
  const { generation = 1 } = current.metadata;
  const counts = resource.countsGenerations && isNewGeneration(resource, changed, current);
  return ok(counts ? withMetadata(changed, { ...changed.metadata, generation: generation + 1 }) : changed);
}

/** Why the metadata that a client sent do not fit the object's (apimachinery, pkg/api/validation/objectmeta.go). */
function refusedMetadata(resource: ResourceDefinition, { current, wanted, method }: WantedUpdate): Refused | undefined {
  const { name = '', uid = '', resourceVersion } = current.metadata;
  const asked = wanted.metadata;
  if (asked.name !== undefined && asked.name !== name) {
    return invalid(resource, name, 'metadata.name', `Invalid value: "${asked.name}": field is immutable`);
  }
  if (asked.uid !== undefined && asked.uid !== '' && asked.uid !== uid) {
    return method === 'replace'
      ? conflict(
          resource.qualified,
          name,
          `Precondition failed: UID in precondition: ${asked.uid}, UID in object meta: ${uid}`,
        )
      : invalid(resource, name, 'metadata.uid', `Invalid value: "${asked.uid}": field is immutable`);
  }
  if (method === 'replace' && resource.wantsVersion && (asked.resourceVersion ?? '') === '') {
    return invalid(resource, name, 'metadata.resourceVersion', 'Invalid value: 0: must be specified for an update');
  }
  if ((asked.resourceVersion ?? '') !== '' && asked.resourceVersion !== resourceVersion) {
    return wroteFirst(resource, name);
  }
  return undefined;
}

/** The object with this metadata, without what is undefined or empty: Go leaves empty maps and lists out. */
export function withMetadata(
  object: ApiObject,
  metadata: { readonly [Field in keyof ObjectMeta]: ObjectMeta[Field] | undefined },
): ApiObject {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(metadata)) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'object' && Object.keys(value).length === 0) continue;
    kept[name] = value;
  }
  return { ...object, metadata: kept };
}

function bodyOf(resource: ResourceDefinition, { current, wanted, subresource }: WantedUpdate): ApiObject {
  if (subresource === 'status') return withStatus({ ...current, metadata: wanted.metadata }, wanted['status']);
  const body = { ...wanted, apiVersion: resource.apiVersion, kind: resource.kind };
  return hasStatus(resource) ? withStatus(body, current['status']) : body;
}

function withStatus(object: ApiObject, status: unknown): ApiObject {
  if (status !== undefined && status !== null) return { ...object, status };
  const { status: _status, ...others } = object;
  return others;
}

/** What a client says, with what only the server decides. */
function systemMetadata(asked: ObjectMeta, current: ObjectMeta) {
  return {
    ...asked,
    name: current.name,
    generateName: current.generateName,
    namespace: current.namespace,
    uid: current.uid,
    resourceVersion: current.resourceVersion,
    generation: current.generation,
    creationTimestamp: current.creationTimestamp,
    deletionTimestamp: current.deletionTimestamp,
    deletionGracePeriodSeconds: current.deletionGracePeriodSeconds,
  };
}

/** A custom object's generation counts everything but metadata and status, a built-in one's the specification. */
function isNewGeneration(resource: ResourceDefinition, changed: ApiObject, current: ApiObject): boolean {
  if (!resource.custom && hasStatus(resource)) return !sameJson(changed['spec'], current['spec']);
  const content = ({ metadata: _metadata, status: _status, ...others }: ApiObject) => others;
  return !sameJson(content(changed), content(current));
}
