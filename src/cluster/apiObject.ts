import type { ApiObject, OwnerReference } from './clusterPort.js';
import { isRecord, recordsOf, stringOf } from './json.js';

/** True for anything with `metadata`, as every object of the API has. */
export function isApiObject(value: unknown): value is ApiObject {
  return isRecord(value) && isRecord(value['metadata']);
}

/** The owner reference with `controller: true`; undefined where there is none or it is not complete. */
export function controllerOf(object: ApiObject): OwnerReference | undefined {
  return ownerReferencesOf(object).find((reference) => reference.controller === true);
}

/** The complete owner references of an object. */
export function ownerReferencesOf(object: ApiObject): readonly OwnerReference[] {
  return recordsOf(object.metadata.ownerReferences).flatMap((reference) => {
    const apiVersion = stringOf(reference['apiVersion']);
    const kind = stringOf(reference['kind']);
    const name = stringOf(reference['name']);
    const uid = stringOf(reference['uid']);
    if (apiVersion === undefined || kind === undefined || name === undefined || uid === undefined) return [];
    return [{ apiVersion, kind, name, uid, controller: reference['controller'] === true }];
  });
}

/**
 * A resource version as a number: the API server's are decimal and of one order for a resource (KEP-5504).
 * 0 where it is not decimal, so that such an object never counts as newer.
 */
export function resourceVersionOf(version: string | undefined): bigint {
  return version !== undefined && /^\d+$/.test(version) ? BigInt(version) : 0n;
}
