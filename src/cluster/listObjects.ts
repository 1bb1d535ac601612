import type { ApiAnswer, ApiObject, ClusterPort, Resource } from './clusterPort.js';

/** As many objects a page as kubectl asks for. */
const pageSize = 500;

/** How often a list begins again because its continue token has expired. */
const maxRestarts = 2;

/** Every object of a resource, read consistently, page by page. */
export async function listObjects(
  request: { readonly cluster: ClusterPort; readonly resource: Resource; readonly namespace?: string },
  signal: AbortSignal,
): Promise<ApiAnswer<readonly ApiObject[]>> {
  const { cluster, ...place } = request;
  let objects: ApiObject[] = [];
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
    objects.push(...page.value.items);
    continueToken = page.value.continueToken;
    if (continueToken === undefined) return { kind: 'ok', value: objects };
  }
}
