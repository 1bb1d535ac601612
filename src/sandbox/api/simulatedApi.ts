import type {
  ApiList,
  ApiObject,
  EvictionRequest,
  ListRequest,
  ObjectRequest,
  Patch,
  Resource,
  WatchRequest,
  WriteRequest,
} from '../../cluster/clusterPort.js';

/**
 * The API server of the sandbox: objects, versions, watches and the decisions about writes, without sockets and without
 * time passing. Every call is decided at once; objects are never changed, only replaced, so that nobody need copy them.
 * `by` is the user name of whoever asks.
 */
export interface SimulatedApi {
  get(request: ObjectRequest): Reply<ApiObject>;
  list(request: ListRequest): Reply<ApiPage>;
  /** Tells the events after `resourceVersion`: past ones before this returns, each other one inside the write. */
  watch(request: WatchRequest, listener: (event: ApiEvent) => void): Reply<{ stop(): void }>;
  create(request: WriteRequest & { readonly object: ApiObject }, by: string): Reply<ApiObject>;
  replace(request: WriteRequest & { readonly object: ApiObject }, by: string): Reply<ApiObject>;
  patch(request: WriteRequest & { readonly name: string; readonly patch: ApiPatch }, by: string): Reply<ApiObject>;
  delete(request: DeleteRequest, by: string): Reply<ApiObject>;
  evict(request: ApiEviction, by: string): Reply<undefined>;
  /** What is served, for discovery; grows with each CustomResourceDefinition. */
  served(): readonly ServedResource[];
  /** Hears of every stored change, inside the write, after the watches. The answer ends it. */
  observe(listener: (change: Change) => void): () => void;
  /** The version of the last change. */
  version(): string;
  /** Forgets the history, as the server does after five minutes: older versions and continue tokens have expired (410). */
  compact(): void;
}

/** How much is left is told only where nothing but the namespace selects. */
export type ApiPage = ApiList & { readonly remainingItemCount?: number };

export type Reply<T> =
  { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'refused'; readonly status: Refusal };

/** What the server says when it refuses: the parts of a `Status` object that clients look at. */
export interface Refusal {
  readonly code: number;
  /** `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`, `Expired`, `TooManyRequests` … (apimachinery, meta/v1/types.go) */
  readonly reason: string;
  readonly message: string;
  readonly details?: {
    readonly group?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason: string; readonly message: string; readonly field?: string }[];
  };
}

/** Strategic merge patches come from kubectl only (cordon, label). */
export type ApiPatch = Patch | { readonly type: 'strategic'; readonly body: Readonly<Record<string, unknown>> };

export interface DeleteRequest extends WriteRequest {
  readonly name: string;
  readonly uid?: string;
  readonly gracePeriodSeconds?: number;
  /** `Background` where absent. */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** An eviction as any client may send it: kubectl names no UID. */
export type ApiEviction = Omit<EvictionRequest, 'uid'> & { readonly uid?: string };

export type ApiEvent =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: ApiObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

export interface Change {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly resource: Resource;
  readonly object: ApiObject;
  /** What was there before; undefined for `added`. */
  readonly before: ApiObject | undefined;
  readonly by: string;
}

export interface ServedResource extends Resource {
  readonly kind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
}
