/**
 * What Turnus needs of a Kubernetes API, cut low: relists, expired versions and lost answers are visible to the
 * caller, so that a simulation can play them. `kubernetes` implements it on a real API server.
 *
 * Every call is bounded in time by the port itself (`unreachable`), and rejects with the signal's reason when the
 * caller's signal aborts; so does the iteration of a watch. Reads (and reviews, which store nothing) may be repeated
 * inside, writes never.
 */
export interface ClusterPort {
  /** One object. `subresource` reads for example `scale`. */
  get(request: ObjectRequest, signal: AbortSignal): Promise<ApiAnswer<ApiObject>>;
  /** One page of a list; go on with `continueToken` until it is absent. A `gone` answer means: begin again. */
  list(request: ListRequest, signal: AbortSignal): Promise<ApiAnswer<ApiList>>;
  /**
   * Events after `resourceVersion`. Ends when the server closes the watch or when nothing (not even a bookmark) was
   * heard for longer than the server allows; yields `failed` once, last, when it ends with an error.
   */
  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchEvent>;
  create(request: WriteRequest & { object: ApiObject }, signal: AbortSignal): Promise<ApiAnswer<ApiObject>>;
  /** PUT of a whole object, guarded by its `metadata.resourceVersion`. */
  replace(request: WriteRequest & { object: ApiObject }, signal: AbortSignal): Promise<ApiAnswer<ApiObject>>;
  patch(request: WriteRequest & { name: string; patch: Patch }, signal: AbortSignal): Promise<ApiAnswer<ApiObject>>;
  delete(request: WriteRequest & { name: string; uid?: string }, signal: AbortSignal): Promise<ApiAnswer<ApiObject>>;
  /** policy/v1 Eviction of exactly this pod (UID precondition). Not retried inside. */
  evict(request: EvictionRequest, signal: AbortSignal): Promise<EvictionAnswer>;
  /** Which resource serves this kind, from the server's discovery; `not-found` where nobody does. */
  discover(kind: { apiVersion: string; kind: string }, signal: AbortSignal): Promise<ApiAnswer<DiscoveredResource>>;
  /** Version text of the server (`/version`), also the cheapest proof that it is reachable. */
  serverVersion(signal: AbortSignal): Promise<ApiAnswer<string>>;
  /** Whether the server calls itself ready (`/readyz`), with its own words where it does not. */
  readiness(signal: AbortSignal): Promise<ApiAnswer<string>>;
  /** Where this port leads, for people: server URL, context and user names as configured. */
  readonly target: ClusterTarget;
  /** Closes the pooled connections. */
  close(): void;
}

/** Where a ClusterPort leads. */
export interface ClusterTarget {
  readonly server: string;
  readonly context: string;
  readonly user: string;
}

/** A resource in the API, for example `{group: 'apps', version: 'v1', plural: 'deployments', namespaced: true}`. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** A resource as the server's discovery describes it. */
export interface DiscoveredResource extends Resource {
  /** It has a scale. */
  readonly scalable: boolean;
  /** Its objects are evicted by policy/v1; only pods are. Absent: no. */
  readonly evictable?: true;
}

export interface ObjectRequest {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name: string;
  readonly subresource?: string;
}

export interface ListRequest {
  readonly resource: Resource;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects a page; absent: all at once. */
  readonly limit?: number;
  readonly continueToken?: string;
  /** Absent: a consistent read from the store. `0`: whatever the server's cache has. */
  readonly resourceVersion?: '0';
}

export interface WatchRequest {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion: string;
}

export interface WriteRequest {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly subresource?: string;
  /** Server-side dry run: validated and admitted, not stored. */
  readonly dryRun?: boolean;
}

export interface EvictionRequest {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Seconds; absent: the pod's own. At least 1, because 0 removes the object while containers still run. */
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: boolean;
}

/** RFC 6902 (`json`), RFC 7386 (`merge`) or server-side apply by field manager `turnus` (`apply`). */
export type Patch =
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly type: 'apply'; readonly body: ApiObject; readonly force: boolean };

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

/** An object as the API sends it. Only `metadata` is known here; the rooms parse what they need. */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export interface ObjectMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly [field: string]: unknown;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ApiList {
  readonly items: readonly ApiObject[];
  readonly resourceVersion: string;
  readonly continueToken?: string;
}

export type WatchEvent =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: ApiObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  | { readonly type: 'failed'; readonly failure: ApiFailure };

export type ApiAnswer<T> = { readonly kind: 'ok'; readonly value: T } | ApiFailure;

/** Why the API did not do what was asked. `message` is the server's own sentence where it sent one. */
export type ApiFailure =
  | { readonly kind: 'not-found'; readonly message: string }
  | { readonly kind: 'already-exists'; readonly message: string }
  /** 409: somebody else wrote first, or a precondition does not hold. */
  | { readonly kind: 'conflict'; readonly message: string }
  /** 410: the resource version or continue token has expired. */
  | { readonly kind: 'gone'; readonly message: string }
  /** 401 or 403. */
  | { readonly kind: 'forbidden'; readonly message: string }
  /** 400 or 422; a failed `test` operation of a JSON Patch is 422 too. */
  | { readonly kind: 'invalid'; readonly message: string }
  /** 429 of the server's own flow control. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number; readonly message: string }
  /** Any other status. */
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  /** No answer (connection, TLS, deadline): a write may or may not have happened. */
  | { readonly kind: 'unreachable'; readonly message: string };

/** Answers of an eviction (pkg/registry/core/pod/storage/eviction.go). */
export type EvictionAnswer =
  | { readonly kind: 'accepted' }
  /** The pod, or the pod with this UID, is no longer there. */
  | { readonly kind: 'gone' }
  /** 429 with cause DisruptionBudget. */
  | {
      readonly kind: 'budget';
      readonly budget: string | undefined;
      readonly retryAfterMs: number | undefined;
      readonly message: string;
    }
  /** An admission webhook said no, with whatever status, or could not be asked and must be. */
  | { readonly kind: 'denied'; readonly webhook: string; readonly message: string }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number; readonly message: string }
  /** The namespace is being deleted: the pod goes by itself. */
  | { readonly kind: 'namespace-terminating'; readonly message: string }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  | { readonly kind: 'unreachable'; readonly message: string };
