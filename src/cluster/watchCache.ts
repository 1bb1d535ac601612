import { setMaxListeners } from 'node:events';
import { DeadlineExceeded, type Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import { Background } from './background.js';
import { HealthRecord, type CacheHealth } from './cacheHealth.js';
import { ChangeSignal } from './changeSignal.js';
import type { ApiAnswer, ApiFailure, ClusterPort } from './clusterPort.js';
import { clusterStores, followedResources, viewBuilder } from './clusterStores.js';
import { followResource, type FollowedResource } from './followResource.js';
import { orAborted } from './orAborted.js';
import { refreshNode, type NodeRefresh } from './refreshNode.js';
import { ScaleOwners } from './scaleOwners.js';
import type { ClusterView } from './view.js';

/** The live copy of the cluster from which views are taken. */
export interface WatchCache {
  /** An immutable snapshot; the same one until something changes. */
  view(): ClusterView;
  /** Grows with every change. */
  version(): number;
  /** Resolves as soon as the version is above `afterVersion`. Rejects with the signal's reason. */
  changed(afterVersion: number, signal: AbortSignal): Promise<void>;
  /**
   * The first answer of `check` that is not undefined, asked now and at every change. Rejects with the signal's
   * reason; a deadline's reason then says for what (`what`, as in "pod web-0 to leave node-1") it waited.
   */
  until<T>(wait: {
    readonly what: string;
    readonly check: (view: ClusterView) => T | undefined;
    readonly signal: AbortSignal;
  }): Promise<T>;
  /**
   * Reads a node and its pods consistently, with the budgets and owners of those that would move where these are asked
   * for, merges them and answers the merged view. To be used before anything is decided about the node (rule 1).
   */
  refreshNode(
    node: { readonly name: string; readonly what: NodeRefresh },
    signal: AbortSignal,
  ): Promise<ApiAnswer<ClusterView>>;
  /** Whether the copy follows the cluster; `stale` names the resource that has not been heard of for longest. */
  health(): CacheHealth;
  /** Ends the watches; waits reject. */
  close(): Promise<void>;
}

/** Something that does not end the cache but that people should know. */
export interface CacheProblem {
  /** Plural name of the resource, or `Kind namespace/name` of an owner whose scale cannot be read. */
  readonly subject: string;
  readonly failure: ApiFailure;
}

export interface WatchCacheOptions {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Ends the cache like `close`. */
  readonly signal: AbortSignal;
  readonly onProblem?: (problem: CacheProblem) => void;
}

/**
 * Lists and watches nodes, namespaces, pods, budgets, volumes and owners; resolves when all of them are there once. An unreachable
 * server is waited for until the signal aborts.
 *
 * @throws TurnusError `cluster-not-readable` where the server refuses one of the lists
 */
export async function openWatchCache(options: WatchCacheOptions): Promise<WatchCache> {
  const { cluster, clock, onProblem = () => undefined } = options;
  const background = new Background(options.signal);
  const { signal } = background;
  const changes = new ChangeSignal();
  const health = new HealthRecord();
  const scales = new ScaleOwners({
    cluster,
    clock,
    onProblem: ({ kind, namespace, name }, failure) => {
      onProblem({ subject: `${kind} ${namespace}/${name}`, failure });
    },
  });
  const stores = clusterStores(scales);
  const onChange = () => {
    changes.changed();
  };

  /** Starts to follow a resource; resolves when it is listed once. */
  const follow = async (followed: FollowedResource): Promise<void> => {
    const { plural } = followed.resource;
    const firstList = new Promise<void>((resolve, reject) => {
      const onFirstList = (failure: ApiFailure | undefined) => {
        if (failure === undefined) resolve();
        else reject(notReadable(plural, failure));
      };
      const onHealth = (failure: ApiFailure | undefined) => {
        health.record(plural, failure, clock.now());
        if (failure !== undefined) onProblem({ subject: plural, failure });
      };
      background.run(
        followResource({ followed, cluster, clock, random: options.random, signal, onChange, onFirstList, onHealth }),
      );
    });
    await orAborted(firstList, signal);
  };
  const close = async (): Promise<void> => {
    await background.close(new Error('the watch cache is closed'));
  };
  const firstLists = followedResources(stores).map(follow);
  try {
    await Promise.all(firstLists);
    await scales.readNoted(signal);
  } catch (error) {
    await Promise.allSettled([close(), ...firstLists]);
    throw error;
  }
  background.run(scales.follow(onChange, signal));
  changes.changed();

  const build = viewBuilder(stores, scales);
  let latest: { readonly version: number; readonly view: ClusterView } | undefined;
  const view = (): ClusterView => {
    if (latest?.version !== changes.version) latest = { version: changes.version, view: build(clock.now()) };
    return latest.view;
  };
  const changed = async (afterVersion: number, waiting: AbortSignal): Promise<void> => {
    await changes.after(afterVersion, AbortSignal.any([waiting, signal]));
  };

  return {
    view,
    version: () => changes.version,
    changed,
    health: () => health.health(),
    close,

    async until({ what, check, signal: waiting }) {
      for (;;) {
        const { version } = changes;
        const answer = check(view());
        if (answer !== undefined) return answer;
        try {
          await changed(version, waiting);
        } catch (error) {
          if (!(error instanceof DeadlineExceeded)) throw error;
          throw new DeadlineExceeded(`waited for ${what}: ${error.message}`, { cause: error });
        }
      }
    },

    async refreshNode(node, waiting) {
      const either = AbortSignal.any([waiting, signal]);
      // Its lists run in parallel, and each listens to it.
      setMaxListeners(0, either);
      const refreshed = await refreshNode({ stores, scales, cluster }, node, either);
      if (refreshed.kind !== 'ok') return refreshed;
      // Also without a change the view is now known to be of this moment.
      changes.changed();
      return { kind: 'ok', value: view() };
    },
  };
}

function notReadable(plural: string, failure: ApiFailure): TurnusError {
  return new TurnusError({
    code: 'cluster-not-readable',
    message: `The cluster does not let us list and watch ${plural}: ${failure.message}`,
    hint: 'Turnus needs to read nodes, namespaces, pods, their volumes and owners, and poddisruptionbudgets: bind the ClusterRole turnus that "turnus install" made.',
    exitCode: 3,
  });
}
