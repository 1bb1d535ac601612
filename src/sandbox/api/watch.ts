import type { WatchRequest } from '../../cluster/clusterPort.js';
import type { ObjectStore } from './objectStore.js';
import type { StoredChange } from './objectTable.js';
import { badRequest, expired, ok } from './refusals.js';
import type { ResourceDefinition } from './resourceDefinition.js';
import { selectionOf } from './selection.js';
import type { ApiEvent, Reply } from './simulatedApi.js';

/**
 * Tells the changes after a version, past ones before it returns. An object that enters the selection is `added`, one
 * that leaves it `deleted` (apiserver, pkg/storage/cacher/cache_watcher.go). Version `0` or none: what is there first.
 */
export function watch(
  store: ObjectStore,
  resource: ResourceDefinition,
  request: WatchRequest,
  listener: (event: ApiEvent) => void,
): Reply<{ stop(): void }> {
  const selection = selectionOf(resource, request);
  if (selection.kind === 'refused') return selection;
  const { matches } = selection;
  const { resourceVersion } = request;
  if (!/^\d*$/.test(resourceVersion)) return badRequest(`invalid resource version "${resourceVersion}"`);
  const fromNow = resourceVersion === '' || resourceVersion === '0';
  const after = fromNow ? store.version : Number(resourceVersion);
  if (fromNow) {
    const { keys, objects } = store.table(resource);
    const present = keys.flatMap((key) => objects.get(key) ?? []);
    for (const object of present) if (matches(object)) listener({ type: 'added', object });
  }
  let stopped = false;
  const unfollow = store.follow(resource, after, (change) => {
    const event = stopped ? undefined : eventOf(change, matches);
    if (event !== undefined) listener(event);
  });
  if (unfollow === undefined) {
    return expired(`too old resource version: ${resourceVersion} (${store.version})`);
  }
  return ok({
    stop() {
      stopped = true;
      unfollow();
    },
  });
}

function eventOf(
  { type, object, before }: StoredChange,
  matches: (object: StoredChange['object']) => boolean,
): ApiEvent | undefined {
  const matched = before !== undefined && matches(before);
  if (type === 'deleted') return matched ? { type, object } : undefined;
  if (matches(object)) return { type: matched ? 'modified' : 'added', object };
  if (!matched) return undefined;
  // It was last seen as it was before, and is gone since this version.
  const { resourceVersion = '' } = object.metadata;
  return { type: 'deleted', object: { ...before, metadata: { ...before.metadata, resourceVersion } } };
}
