import type { ApiAnswer, ApiObject, ClusterPort, Resource } from './clusterPort.js';

/** As many objects a page as kubectl asks for. */
const pageSize = 500;

/** How often a list begins again because its continue token has expired. */
const maxRestarts = 2;

interface ListPlace {
  readonly cluster: ClusterPort;
  readonly resource: Resource;
  readonly namespace?: string;
}

/** Every object of a resource, read consistently, page by page. */
export async function listObjects(request: ListPlace, signal: AbortSignal): Promise<ApiAnswer<readonly ApiObject[]>> {
  return await listKept({ ...request, keep: (object) => object }, signal);
}

/**
 * What `keep` makes of every object of a resource, but for those of which it makes undefined: of a large list no more
 * than a page is in memory.
 */
export async function listKept<Kept>(
  request: ListPlace & { readonly keep: (object: ApiObject) => Kept | undefined },
  signal: AbortSignal,
): Promise<ApiAnswer<readonly Kept[]>> {
  const { cluster, keep, ...place } = request;
  let objects: Kept[] = [];
  let continueToken: string | undefined;
  for (let restarts = 0; ;) {
    const page = await cluster.list(
      { ...place, limit: pageSize, ...(continueToken === undefined ? {} : { continueToken }) },
      signal,
    );
    if (page.kind === 'gone' && continueToken !== undefined && restarts < maxRestarts) {
      restarts += 1;
      objects = [];
      continueToken = undefined;
      continue;
    }
    if (page.kind !== 'ok') return page;
    for (const item of page.value.items) {
      const kept = keep(item);
      if (kept !== undefined) objects.push(kept);
    }
    continueToken = page.value.continueToken;
    if (continueToken === undefined) return { kind: 'ok', value: objects };
  }
}
