import type { ApiObject, Resource } from '../../cluster/clusterPort.js';
import { ownerReferencesOf } from '../../cluster/apiObject.js';
import { keyOf, ObjectTable, type StoredChange } from './objectTable.js';
import { tableName, type ResourceDefinition } from './resourceDefinition.js';
import type { Change } from './simulatedApi.js';

/** Where an object is kept. */
export interface Place {
  readonly resource: ResourceDefinition;
  readonly key: string;
}

interface Follower {
  /** Changes up to this version were told. */
  told: number;
  readonly hear: (change: StoredChange) => void;
}

/**
 * All objects of the cluster, as etcd keeps them: one counter of versions for all. Followers hear of every change in
 * the order of versions, inside the write; what they themselves write is told after the change they hear of.
 */
export class ObjectStore {
  readonly #historyLength: number;
  readonly #tables = new Map<string, ObjectTable>();
  readonly #places = new Map<string, Place>();
  /** By the UID of an owner, the UIDs of its dependents. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #followers = new Map<string, Set<Follower>>();
  readonly #observers = new Set<(change: Change) => void>();
  readonly #untold: { readonly table: string; readonly stored: StoredChange; readonly change: Change }[] = [];
  #telling = false;
  #version = 1;
  #forgottenTo = 0;

  constructor(historyLength: number) {
    this.#historyLength = historyLength;
  }

  get version(): number {
    return this.#version;
  }

  table(resource: Resource): ObjectTable {
    const name = tableName(resource);
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new ObjectTable(this.#historyLength);
      table.forget(this.#forgottenTo);
      this.#tables.set(name, table);
    }
    return table;
  }

  find({ resource, key }: Place): ApiObject | undefined {
    return this.table(resource).objects.get(key);
  }

  /** Where the object with this UID is. */
  placeOf(uid: string): Place | undefined {
    return this.#places.get(uid);
  }

  /** The UIDs of the objects that name this one as their owner. */
  dependentsOf(uid: string): readonly string[] {
    return [...(this.#dependents.get(uid) ?? [])];
  }

  /** Whether a namespace has objects left. */
  isEmpty(namespace: string): boolean {
    for (const place of this.#places.values()) {
      if (place.resource.namespaced && place.key.startsWith(`${namespace}/`)) return false;
    }
    return true;
  }

  /** Every object of a namespace. */
  placesIn(namespace: string): readonly Place[] {
    return [...this.#places.values()].filter(
      ({ resource, key }) => resource.namespaced && key.startsWith(`${namespace}/`),
    );
  }

  put(resource: ResourceDefinition, object: ApiObject, by: string): ApiObject {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    const { name = '', namespace } = object.metadata;
    const key = keyOf(resource.namespaced ? namespace : undefined, name);
    const before = this.find({ resource, key });
    if (before === undefined) this.#places.set(object.metadata.uid ?? '', { resource, key });
    this.#noteOwners(stored, before);
    this.#record(resource, { type: before === undefined ? 'added' : 'modified', key, object: stored, before }, by);
    return stored;
  }

  remove({ resource, key }: Place, by: string): void {
    const before = this.find({ resource, key });
    if (before === undefined) return;
    this.#version += 1;
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(this.#version) } };
    this.#places.delete(before.metadata.uid ?? '');
    this.#noteOwners(undefined, before);
    this.#record(resource, { type: 'deleted', key, object, before }, by);
  }

  /** Tells the changes of a resource after a version, past ones at once. Undefined where some are forgotten. */
  follow(resource: Resource, after: number, hear: (change: StoredChange) => void): (() => void) | undefined {
    const table = this.table(resource);
    let past = table.since(after);
    if (past === undefined) return undefined;
    const name = tableName(resource);
    const followers = this.#followers.get(name) ?? new Set<Follower>();
    this.#followers.set(name, followers);
    const follower: Follower = { told: after, hear };
    while (past !== undefined && past.length > 0) {
      for (const change of past) {
        follower.told = change.version;
        hear(change);
      }
      past = table.since(follower.told);
    }
    followers.add(follower);
    return () => {
      followers.delete(follower);
    };
  }

  observe(listener: (change: Change) => void): () => void {
    const own = (change: Change): void => {
      listener(change);
    };
    this.#observers.add(own);
    return () => {
      this.#observers.delete(own);
    };
  }

  forgetHistory(): void {
    this.#forgottenTo = this.#version;
    for (const table of this.#tables.values()) table.forget(this.#version);
  }

  #record(resource: ResourceDefinition, change: Omit<StoredChange, 'version'>, by: string): void {
    const stored: StoredChange = { ...change, version: this.#version };
    this.table(resource).record(stored);
    const { group, version, plural, namespaced } = resource;
    const { type, object, before } = change;
    this.#untold.push({
      table: tableName(resource),
      stored,
      change: { type, resource: { group, version, plural, namespaced }, object, before, by },
    });
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) this.#tell(next);
    } finally {
      this.#telling = false;
    }
  }

  #tell({ table, stored, change }: { table: string; stored: StoredChange; change: Change }): void {
    for (const follower of this.#followers.get(table) ?? []) {
      if (stored.version <= follower.told) continue;
      follower.told = stored.version;
      follower.hear(stored);
    }
    for (const observer of this.#observers) observer(change);
  }

  #noteOwners(object: ApiObject | undefined, before: ApiObject | undefined): void {
    if (object?.metadata.ownerReferences === before?.metadata.ownerReferences) return;
    const uid = object?.metadata.uid ?? before?.metadata.uid ?? '';
    for (const owner of before === undefined ? [] : ownerReferencesOf(before)) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
    for (const owner of object === undefined ? [] : ownerReferencesOf(object)) {
      const dependents = this.#dependents.get(owner.uid) ?? new Set<string>();
      this.#dependents.set(owner.uid, dependents.add(uid));
    }
  }
}
