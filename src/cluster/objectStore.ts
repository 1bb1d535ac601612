/** What is kept of one object. */
export interface StoredObject<T> {
  readonly key: string;
  readonly uid: string;
  /** Its resourceVersion as a number; 0 where it has none, which always counts as new. */
  readonly version: bigint;
  /** What a partial list can ask for: a pod's node, a budget's namespace. */
  readonly scope: string | undefined;
  readonly value: T;
}

/**
 * The kept objects of one resource, fed by a watch, by full lists and by consistent partial lists that run beside the
 * watch. Whatever arrives in whatever order, an older state never replaces a newer one:
 *
 * - an object replaces only one of a lower resourceVersion (numbers of one order: KEP-5504);
 * - an object missing from a list was deleted, unless it is newer than the list;
 * - a partial list is a floor of its scope: until the watch has come that far, its older events tell nothing new;
 * - a deletion seen while a partial list is under way outlives that list.
 */
export class ObjectStore<T> {
  readonly #objects = new Map<string, StoredObject<T>>();
  readonly #floors = new Map<string, bigint>();
  readonly #deletions = new Map<string, bigint>();
  #watchedTo = 0n;
  #partialLists = 0;
  #snapshot: ReadonlyMap<string, T> | undefined;

  /** The values by key; the same map until something changes. */
  snapshot(): ReadonlyMap<string, T> {
    this.#snapshot ??= new Map(Array.from(this.#objects.values(), ({ key, value }) => [key, value]));
    return this.#snapshot;
  }

  /** Takes an object from a list or an added or modified event. True when that changed something. */
  put(object: StoredObject<T>): boolean {
    const kept = this.#objects.get(object.key);
    if (object.version > 0n) {
      if (kept !== undefined && kept.version >= object.version) return false;
      if ((this.#deletions.get(object.uid) ?? 0n) >= object.version) return false;
      // At its floor the scope was listed without this state: the object was gone by then.
      if (object.version <= this.#floorOf(object.scope)) return kept !== undefined && this.#drop(kept);
    }
    this.#objects.set(object.key, object);
    this.#snapshot = undefined;
    return true;
  }

  /** Takes a deleted event; `version` is the deletion's own. True when that changed something. */
  delete(object: { readonly key: string; readonly uid: string; readonly version: bigint }): boolean {
    if (this.#partialLists > 0) this.#deletions.set(object.uid, object.version);
    const kept = this.#objects.get(object.key);
    if (kept === undefined || (object.version > 0n && kept.version > object.version)) return false;
    return this.#drop(kept);
  }

  /** Takes a complete, consistent list of one scope. */
  mergeScope(scope: string, objects: readonly StoredObject<T>[], version: bigint): boolean {
    const changed = this.#merge(objects, version, (kept) => kept.scope === scope);
    if (version > this.#watchedTo && version > this.#floorOf(scope)) this.#floors.set(scope, version);
    return changed;
  }

  /** Takes a complete list; the watch goes on from `version`. */
  mergeAll(objects: readonly StoredObject<T>[], version: bigint): boolean {
    if (version < this.#watchedTo) {
      // The server's data went back in time (a restored etcd): nothing kept can be compared with it.
      this.#objects.clear();
      this.#floors.clear();
      this.#watchedTo = 0n;
    }
    const changed = this.#merge(objects, version, () => true);
    this.reached(version);
    return changed;
  }

  /** The watch has told everything up to this version (an event or a bookmark). */
  reached(version: bigint): void {
    if (version <= this.#watchedTo) return;
    this.#watchedTo = version;
    for (const [scope, floor] of this.#floors) if (floor <= version) this.#floors.delete(scope);
  }

  /** Call before a partial list is asked for, and what it answers when that list is merged or has failed. */
  beginPartialList(): () => void {
    this.#partialLists += 1;
    return () => {
      this.#partialLists -= 1;
      if (this.#partialLists === 0) this.#deletions.clear();
    };
  }

  #merge(objects: readonly StoredObject<T>[], version: bigint, isListed: (kept: StoredObject<T>) => boolean): boolean {
    const present = new Set<string>();
    let changed = false;
    for (const object of objects) {
      present.add(object.key);
      changed = this.put(object) || changed;
    }
    for (const kept of this.#objects.values()) {
      if (!present.has(kept.key) && kept.version <= version && isListed(kept)) changed = this.#drop(kept) || changed;
    }
    return changed;
  }

  #floorOf(scope: string | undefined): bigint {
    return scope === undefined ? 0n : (this.#floors.get(scope) ?? 0n);
  }

  #drop(kept: StoredObject<T>): boolean {
    this.#snapshot = undefined;
    return this.#objects.delete(kept.key);
  }
}
