import type { ApiFailure } from './clusterPort.js';

export type CacheHealth =
  | { readonly kind: 'current' }
  /** `since`: wall clock, milliseconds. */
  | { readonly kind: 'stale'; readonly resource: string; readonly since: number; readonly message: string };

/** Remembers which resources cannot be followed, and since when. */
export class HealthRecord {
  readonly #stale = new Map<string, { readonly since: number; readonly failure: ApiFailure }>();

  /** Undefined: what is kept of this resource is current again. */
  record(resource: string, failure: ApiFailure | undefined, now: number): void {
    if (failure === undefined) this.#stale.delete(resource);
    else this.#stale.set(resource, { since: this.#stale.get(resource)?.since ?? now, failure });
  }

  /** The resource that has been stale for longest, or `current`. */
  health(): CacheHealth {
    const [oldest] = [...this.#stale].sort(([, a], [, b]) => a.since - b.since);
    if (oldest === undefined) return { kind: 'current' };
    const [resource, { since, failure }] = oldest;
    return { kind: 'stale', resource, since, message: failure.message };
  }
}
