import type { Clock } from '../time/clock.js';
import { backOffMs, type BackOff } from './backOff.js';
import type { ApiFailure, ClusterPort, ListRequest, Resource, WatchEvent } from './clusterPort.js';

/** What {@link followResource} needs of a resource that it keeps current; WatchedResource is one. */
export interface FollowedResource {
  readonly resource: Resource;
  /** Which objects of the resource are meant; absent: all in the cluster. */
  readonly scope?: { readonly namespace: string; readonly fieldSelector?: string; readonly labelSelector?: string };
  listAll(
    cluster: ClusterPort,
    signal: AbortSignal,
  ): Promise<
    | { readonly kind: 'ok'; readonly value: { readonly resourceVersion: string; readonly changed: boolean } }
    | ApiFailure
  >;
  apply(event: Exclude<WatchEvent, { type: 'failed' }>): boolean;
}

export interface FollowOptions {
  readonly followed: FollowedResource;
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** The store has changed. */
  readonly onChange: () => void;
  /** The first list is there, or never will be (a failure that waiting does not mend). */
  readonly onFirstList: (failure: ApiFailure | undefined) => void;
  /** Undefined: what is kept is current. */
  readonly onHealth: (failure: ApiFailure | undefined) => void;
}

const backOff: BackOff = { firstMs: 500, longestMs: 15_000 };

/** A watch that ends sooner than this without a word counts as failing. */
const shortestWatchMs = 1000;

/**
 * Keeps a resource current until the signal aborts: lists, then watches; watches again from the last version after a
 * clean end, lists again after 410, and waits (full jitter) after any other failure. Rejects with the signal's reason.
 */
export async function followResource(options: FollowOptions): Promise<never> {
  const { followed, cluster, clock, random, signal, onChange, onFirstList, onHealth } = options;
  let failures = 0;
  let expiries = 0;
  let listedOnce = false;
  const wait = async (failure: ApiFailure): Promise<void> => {
    onHealth(failure);
    await clock.sleep(backOffMs(backOff, failures, random), signal);
    failures += 1;
  };

  for (;;) {
    const listed = await followed.listAll(cluster, signal);
    if (listed.kind !== 'ok') {
      if (!listedOnce && isLasting(listed)) onFirstList(listed);
      await wait(listed);
      continue;
    }
    let { resourceVersion } = listed.value;
    if (listed.value.changed) onChange();
    onHealth(undefined);
    if (!listedOnce) onFirstList(undefined);
    listedOnce = true;

    let expired = false;
    while (!expired) {
      const startedAt = clock.monotonic();
      let failure: ApiFailure | undefined;
      let heard = false;
      for await (const event of cluster.watch(
        { resource: followed.resource, ...followed.scope, resourceVersion },
        signal,
      )) {
        if (event.type === 'failed') {
          failure = event.failure;
          break;
        }
        heard = true;
        failures = 0;
        expiries = 0;
        onHealth(undefined);
        resourceVersion = versionOf(event) ?? resourceVersion;
        if (followed.apply(event)) onChange();
      }
      signal.throwIfAborted();
      if (failure === undefined && !heard && clock.monotonic() - startedAt < shortestWatchMs) {
        failure = { kind: 'unreachable', message: `the server ended the watch of ${followed.resource.plural} at once` };
      }
      if (failure === undefined) continue;
      expired = failure.kind === 'gone';
      if (expired) expiries += 1;
      // A list mends an expired version; only where that does not help it is a failure like others.
      if (!expired || expiries > 1) await waitUntilAnswered(failure);
    }
  }

  /** A watch tells nothing while all is quiet: a list of one object proves that the server answers again. */
  async function waitUntilAnswered(failure: ApiFailure): Promise<void> {
    const probe: ListRequest = { resource: followed.resource, ...followed.scope, limit: 1 };
    let latest = failure;
    for (;;) {
      await wait(latest);
      const answer = await cluster.list(probe, signal);
      if (answer.kind === 'ok') break;
      latest = answer;
    }
    onHealth(undefined);
  }
}

/** Failures that the same request will meet again. */
function isLasting(failure: ApiFailure): boolean {
  return failure.kind === 'forbidden' || failure.kind === 'not-found' || failure.kind === 'invalid';
}

function versionOf(event: Exclude<WatchEvent, { type: 'failed' }>): string | undefined {
  return event.type === 'bookmark' ? event.resourceVersion : event.object.metadata.resourceVersion;
}
