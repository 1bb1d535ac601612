import type { ApiObject } from '../../cluster/clusterPort.js';
import { ownerReferencesOf } from '../../cluster/apiObject.js';
import { keyOf, ObjectTable, type Follower, type StoredChange } from './objectTable.js';
import type { ResourceDefinition } from './resourceDefinition.js';
import type { Change } from './simulatedApi.js';

/** Where an object is kept. */
export interface Place {
  readonly resource: ResourceDefinition;
  readonly key: string;
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
  readonly #observers = new Set<(change: Change) => void>();
  readonly #untold: { readonly table: ObjectTable; readonly stored: StoredChange; readonly change: Change }[] = [];
  #telling = false;
  #version = 1;
  #forgottenTo = 0;

  constructor(historyLength: number) {
    this.#historyLength = historyLength;
  }

  get version(): number {
    return this.#version;
  }

  table({ qualified }: ResourceDefinition): ObjectTable {
    let table = this.#tables.get(qualified);
    if (table === undefined) {
      table = new ObjectTable(this.#historyLength);
      table.forget(this.#forgottenTo);
      this.#tables.set(qualified, table);
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

  /** `last` is how the object was when it went. */
  remove({ resource, key }: Place, last: ApiObject, by: string): void {
    const before = this.find({ resource, key });
    if (before === undefined) return;
    this.#version += 1;
    const object = { ...last, metadata: { ...last.metadata, resourceVersion: String(this.#version) } };
    this.#places.delete(before.metadata.uid ?? '');
    this.#noteOwners(undefined, before);
    this.#record(resource, { type: 'deleted', key, object, before }, by);
  }

  /** Tells the changes of a resource after a version, past ones at once. Undefined where some are forgotten. */
  follow(resource: ResourceDefinition, after: number, hear: (change: StoredChange) => void): (() => void) | undefined {
    const table = this.table(resource);
    const follower: Follower = { told: after, hear };
    let past = table.since(after);
    if (past === undefined) return undefined;
    while (past !== undefined && past.length > 0) {
      for (const change of past) {
        follower.told = change.version;
        hear(change);
      }
      past = table.since(follower.told);
    }
    table.followers.add(follower);
    return () => {
      table.followers.delete(follower);
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
    const table = this.table(resource);
    table.record(stored);
    const { type, object, before } = change;
    this.#untold.push({ table, stored, change: { type, resource, object, before, by } });
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
        next.table.tell(next.stored);
        for (const observer of this.#observers) observer(next.change);
      }
    } finally {
      this.#telling = false;
    }
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
