import { resourceVersionOf } from './apiObject.js';
import type { ApiAnswer, ApiObject, ClusterPort, Resource, WatchEvent } from './clusterPort.js';
import type { FollowedResource } from './followResource.js';
import { stringOf } from './json.js';
import { ObjectStore, type StoredObject } from './objectStore.js';

/** A resource that is listed and watched, with the store its parsed objects go to. */
export class WatchedResource<T> {
  readonly resource: Resource;
  /** Which objects are listed and watched; absent: all in the cluster. */
  readonly scope?: NonNullable<FollowedResource['scope']>;
  readonly store = new ObjectStore<T>();
  readonly #parse: (object: ApiObject) => T;
  readonly #scopeOf: (value: T) => string | undefined;
  readonly #onParsed: (value: T) => void;

  constructor(options: {
    readonly resource: Resource;
    /** Which objects are listed and watched; absent: all in the cluster. */
    readonly scope?: NonNullable<FollowedResource['scope']>;
    readonly parse: (object: ApiObject) => T;
    /** What partial lists of this resource are about. */
    readonly scopeOf: (value: T) => string | undefined;
    /** Hears of every value that is put into the store. */
    readonly onParsed?: (value: T) => void;
  }) {
    this.resource = options.resource;
    if (options.scope !== undefined) this.scope = options.scope;
    this.#parse = options.parse;
    this.#scopeOf = options.scopeOf;
    this.#onParsed = options.onParsed ?? (() => undefined);
  }

  /** Takes an event of the watch; answers whether the store changed. */
  apply(event: Exclude<WatchEvent, { type: 'failed' }>): boolean {
    if (event.type === 'bookmark') {
      this.store.reached(resourceVersionOf(event.resourceVersion));
      return false;
    }
    const object = this.#stored(event.object);
    const changed = event.type === 'deleted' ? this.store.delete(object) : this.store.put(object);
    this.store.reached(object.version);
    return changed;
  }

  /** Lists everything and replaces what is kept; answers the version from which to watch, and whether anything changed. */
  async listAll(
    cluster: ClusterPort,
    signal: AbortSignal,
  ): Promise<ApiAnswer<{ resourceVersion: string; changed: boolean }>> {
    const listed = await this.#list(cluster, this.scope ?? {}, signal);
    if (listed.kind !== 'ok') return listed;
    const { objects, resourceVersion } = listed.value;
    return {
      kind: 'ok',
      value: { resourceVersion, changed: this.store.mergeAll(objects, resourceVersionOf(resourceVersion)) },
    };
  }

  /** Lists one scope consistently and merges it; answers its values, and whether anything changed. */
  async listScope(
    cluster: ClusterPort,
    part: { readonly scope: string; readonly namespace?: string; readonly fieldSelector?: string },
    signal: AbortSignal,
  ): Promise<ApiAnswer<{ values: readonly T[]; changed: boolean }>> {
    const { scope, ...request } = part;
    const endPartialList = this.store.beginPartialList();
    try {
      const listed = await this.#list(cluster, request, signal);
      if (listed.kind !== 'ok') return listed;
      const { objects, resourceVersion } = listed.value;
      const changed = this.store.mergeScope(scope, objects, resourceVersionOf(resourceVersion));
      return { kind: 'ok', value: { values: objects.map(({ value }) => value), changed } };
    } finally {
      endPartialList();
    }
  }

  async #list(
    cluster: ClusterPort,
    request: { readonly namespace?: string; readonly fieldSelector?: string; readonly labelSelector?: string },
    signal: AbortSignal,
  ): Promise<ApiAnswer<{ objects: StoredObject<T>[]; resourceVersion: string }>> {
    let restarts = 0;
    let objects: StoredObject<T>[] = [];
    let continueToken: string | undefined;
    for (;;) {
      const page = await cluster.list(
        {
          resource: this.resource,
          ...request,
          limit: pageSize,
          ...(continueToken === undefined ? {} : { continueToken }),
        },
        signal,
      );
      if (page.kind === 'gone' && continueToken !== undefined && restarts < maxRestarts) {
        restarts += 1;
        objects = [];
        continueToken = undefined;
        continue;
      }
      if (page.kind !== 'ok') return page;
      for (const item of page.value.items) objects.push(this.#stored(item));
      continueToken = page.value.continueToken;
      if (continueToken === undefined)
        return { kind: 'ok', value: { objects, resourceVersion: page.value.resourceVersion } };
    }
  }

  #stored(object: ApiObject): StoredObject<T> {
    const { metadata } = object;
    const value = this.#parse(object);
    this.#onParsed(value);
    const name = stringOf(metadata.name) ?? '';
    return {
      key: this.resource.namespaced ? `${stringOf(metadata.namespace) ?? ''}/${name}` : name,
      uid: stringOf(metadata.uid) ?? '',
      version: resourceVersionOf(stringOf(metadata.resourceVersion)),
      scope: this.#scopeOf(value),
      value,
    };
  }
}

/** As many objects a page as kubectl and client-go ask for. */
const pageSize = 500;

/** How often a list begins again because its continue token has expired. */
const maxRestarts = 2;
