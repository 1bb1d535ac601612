import type { ApiObject } from '../../cluster/clusterPort.js';

/** A change as it is remembered. */
export interface StoredChange {
  readonly version: number;
  readonly type: 'added' | 'modified' | 'deleted';
  readonly key: string;
  /** As it is since; for `deleted` the last state, with the version of the deletion. */
  readonly object: ApiObject;
  readonly before: ApiObject | undefined;
}

/** Somebody who is told the changes of a table. */
export interface Follower {
  /** Changes up to this version were told. */
  told: number;
  readonly hear: (change: StoredChange) => void;
}

/** What a table contains, or contained at an earlier version. `keys` are in order. */
export interface Contents {
  readonly keys: readonly string[];
  readonly objects: ReadonlyMap<string, ApiObject>;
}

/** The objects of one resource by key (`namespace/name`, or `name`), and their last changes. */
export class ObjectTable implements Contents {
  readonly objects = new Map<string, ApiObject>();
  readonly followers = new Set<Follower>();
  readonly #keys: string[] = [];
  readonly #historyLength: number;
  #history: StoredChange[] = [];
  /** Changes up to this version are forgotten. */
  #forgottenTo = 0;

  /** At least `historyLength` changes are remembered, at most twice as many. */
  constructor(historyLength: number) {
    this.#historyLength = historyLength;
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  record(change: StoredChange): void {
    const { key, type, object } = change;
    if (type === 'deleted') {
      this.objects.delete(key);
      this.#keys.splice(firstAtLeast(this.#keys, key), 1);
    } else {
      if (type === 'added') this.#keys.splice(firstAtLeast(this.#keys, key), 0, key);
      this.objects.set(key, object);
    }
    this.#history.push(change);
    if (this.#history.length > 2 * this.#historyLength) {
      const dropped = this.#history.splice(0, this.#history.length - this.#historyLength);
      this.#forgottenTo = dropped.at(-1)?.version ?? this.#forgottenTo;
    }
  }

  tell(change: StoredChange): void {
    for (const follower of this.followers) {
      if (change.version <= follower.told) continue;
      follower.told = change.version;
      follower.hear(change);
    }
  }

  forget(upTo: number): void {
    this.#history = this.#history.filter(({ version }) => version > upTo);
    this.#forgottenTo = upTo;
  }

  /** The changes after a version; undefined where some of them are forgotten. */
  since(version: number): readonly StoredChange[] | undefined {
    if (version < this.#forgottenTo) return undefined;
    let start = this.#history.length;
    while (start > 0 && (this.#history[start - 1]?.version ?? 0) > version) start -= 1;
    return start === this.#history.length ? [] : this.#history.slice(start);
  }

  /** What the table contained at a version; undefined where that is forgotten. */
  at(version: number): Contents | undefined {
    const since = this.since(version);
    if (since === undefined || since.length === 0) return since === undefined ? undefined : this;
    const objects = new Map(this.objects);
    for (const { key, before } of since.toReversed()) {
      if (before === undefined) objects.delete(key);
      else objects.set(key, before);
    }
    return { objects, keys: [...objects.keys()].sort() };
  }
}

/** The index of the first key that is not below `wanted`; keys are in order. */
export function firstAtLeast(keys: readonly string[], wanted: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
