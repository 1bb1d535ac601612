import type { ApiFailure, ApiObject, ClusterPort, Resource } from '../cluster/clusterPort.js';
import { Background } from '../cluster/background.js';
import { HealthRecord, type CacheHealth } from '../cluster/cacheHealth.js';
import { ChangeSignal } from '../cluster/changeSignal.js';
import { followResource } from '../cluster/followResource.js';
import { numberOf, recordOf } from '../cluster/json.js';
import { orAborted } from '../cluster/orAborted.js';
import { WatchedResource } from '../cluster/watchedResource.js';
import { playbookResource, runResource, turnResource } from '../run/objects.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import { eitherSignal } from './eitherSignal.js';

const configMapResource: Resource = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };

/** What is in Turnus' own namespace, followed by watches: as it stands there, not yet understood. */
export interface OwnObjects {
  playbooks(): readonly ApiObject[];
  runs(): readonly ApiObject[];
  turns(): readonly ApiObject[];
  /** The number of the last entry of its journal that the run's status tells; -1 where there is none. */
  journalSeqOf(run: string): number;
  health(): CacheHealth;
  readonly version: number;
  /** Grows with changes of playbooks and ConfigMaps alone. */
  readonly sourcesVersion: number;
  /** Resolves as soon as something newer than `afterVersion` is there; rejects with the signal's reason. */
  changed(afterVersion: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface OwnObjectsOptions {
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly clock: Clock;
  /** Chance in [0, 1), for jitter. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** False where playbooks are files: their objects and ConfigMaps may not be readable then. */
  readonly withPlaybooks: boolean;
  readonly onProblem: (resource: string, failure: ApiFailure) => void;
}

/**
 * Lists and watches playbooks, runs and turns, and ConfigMaps because playbooks name them; resolves when all are there
 * once.
 *
 * @throws TurnusError `own-objects-not-readable`
 */
export async function followOwnObjects(options: OwnObjectsOptions): Promise<OwnObjects> {
  const { namespace, withPlaybooks } = options;
  const background = new Background(options.signal);
  const changes = new ChangeSignal();
  const health = new HealthRecord();
  const watched = (resource: Resource, keep: (object: ApiObject) => ApiObject = asItIs) =>
    new WatchedResource<ApiObject>({ resource, scope: { namespace }, parse: keep, scopeOf: () => undefined });
  const playbooks = watched(playbookResource);
  const runs = watched(runResource);
  const turns = watched(turnResource);
  // Only that one has changed is of interest: what is in them may be large.
  const configMaps = watched(configMapResource, ({ metadata }) => ({ metadata }));
  let sourcesVersion = 0;
  const sources = [playbooks, configMaps];
  const follow = async (followed: WatchedResource<ApiObject>) => {
    const { plural } = followed.resource;
    const firstList = new Promise<void>((resolve, reject) => {
      background.run(
        followResource({
          followed,
          cluster: options.cluster,
          clock: options.clock,
          random: options.random,
          signal: background.signal,
          onChange: () => {
            if (sources.includes(followed)) sourcesVersion += 1;
            changes.changed();
          },
          onFirstList: (failure) => {
            if (failure === undefined) resolve();
            else reject(notReadable(plural, namespace, failure));
          },
          onHealth: (failure) => {
            health.record(plural, failure, options.clock.now());
            if (failure !== undefined) options.onProblem(plural, failure);
          },
        }),
      );
    });
    await orAborted(firstList, background.signal);
  };
  const close = () => background.close(new Error('the own objects are no longer followed'));
  const firstLists = [runs, turns, ...(withPlaybooks ? sources : [])].map(follow);
  try {
    await Promise.all(firstLists);
  } catch (error) {
    await Promise.allSettled([close(), ...firstLists]);
    throw error;
  }
  const valuesOf = (resource: WatchedResource<ApiObject>) => [...resource.store.snapshot().values()];
  return {
    playbooks: () => valuesOf(playbooks),
    runs: () => valuesOf(runs),
    turns: () => valuesOf(turns),
    journalSeqOf(run) {
      const object = runs.store.snapshot().get(`${namespace}/${run}`);
      return numberOf(recordOf(recordOf(object?.['status'])['journal'])['seq']) ?? -1;
    },
    health: () => health.health(),
    get version() {
      return changes.version;
    },
    get sourcesVersion() {
      return sourcesVersion;
    },
    async changed(afterVersion, signal) {
      const either = eitherSignal(signal, background.signal);
      await changes.after(afterVersion, either.signal).finally(either.clear);
    },
    close,
  };
}

function asItIs(object: ApiObject): ApiObject {
  return object;
}

function notReadable(plural: string, namespace: string, failure: ApiFailure): TurnusError {
  return new TurnusError({
    code: 'own-objects-not-readable',
    message: `The cluster does not let us list and watch ${plural} in namespace ${namespace}: ${failure.message}`,
    hint: 'turnus serve needs what "turnus install --with serve" grants.',
    exitCode: 2,
  });
}
