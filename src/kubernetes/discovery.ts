import type { ApiAnswer, DiscoveredResource } from '../cluster/clusterPort.js';
import { recordOf, recordsOf, stringOf } from '../cluster/json.js';
import type { Clock } from '../time/clock.js';
import { groupVersionPath } from './requestPath.js';

/** Answers which resource serves a kind; remembers each group version it has read. */
export interface Discovery {
  discover(
    kind: { readonly apiVersion: string; readonly kind: string },
    signal: AbortSignal,
  ): Promise<ApiAnswer<DiscoveredResource>>;
}

/** Gets the JSON at a path. */
type ReadJson = (path: string, signal: AbortSignal) => Promise<ApiAnswer<unknown>>;

/**
 * Discovery over `readJson`. A kind that is not in the remembered list is looked for again. Which group versions there
 * are is asked once for all kinds that are looked for at the same time.
 */
export function discovery(readJson: ReadJson, clock: Clock): Discovery {
  const known = new Map<string, ReadonlyMap<string, DiscoveredResource>>();
  const isServed = servedVersions(readJson, clock);
  return {
    async discover({ apiVersion, kind }, signal) {
      const remembered = known.get(apiVersion)?.get(kind);
      if (remembered !== undefined) return { kind: 'ok', value: remembered };
      const groupVersion = groupVersionOf(apiVersion);
      if (groupVersion.group !== '' && !(await isServed(apiVersion, signal))) {
        return { kind: 'not-found', message: `the API server does not serve ${apiVersion}` };
      }
      const answer = await readJson(groupVersionPath(groupVersion), signal);
      if (answer.kind !== 'ok') return answer;
      const byKind = resourcesOf(answer.value, groupVersion);
      known.set(apiVersion, byKind);
      const found = byKind.get(kind);
      if (found === undefined) return { kind: 'not-found', message: `${apiVersion} serves no kind ${kind}` };
      return { kind: 'ok', value: found };
    },
  };
}

/** How long the list of groups is believed: as long as one look at the cluster takes. */
const groupsBelievedMs = 2000;

/** Asks whether a group version is served; one that may be is looked for where the list of groups cannot be read. */
function servedVersions(readJson: ReadJson, clock: Clock) {
  let asked: { readonly at: number; readonly answer: Promise<ApiAnswer<unknown>> } | undefined;
  return async (apiVersion: string, signal: AbortSignal): Promise<boolean> => {
    const now = clock.monotonic();
    if (asked === undefined || now - asked.at > groupsBelievedMs)
      asked = { at: now, answer: readJson('/apis', signal) };
    let answer: ApiAnswer<unknown>;
    try {
      answer = await asked.answer;
    } catch {
      // Whoever asked first has been stopped.
      asked = undefined;
      signal.throwIfAborted();
      return true;
    }
    if (answer.kind !== 'ok') return true;
    return recordsOf(recordOf(answer.value)['groups']).some((group) =>
      recordsOf(group['versions']).some(({ groupVersion }) => groupVersion === apiVersion),
    );
  };
}

/** `apps/v1` or `v1` in its parts. */
function groupVersionOf(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** An APIResourceList by kind; subresources (`deployments/scale`) only tell what a resource can do. */
function resourcesOf(
  list: unknown,
  groupVersion: { group: string; version: string },
): ReadonlyMap<string, DiscoveredResource> {
  const entries = recordsOf(recordOf(list)['resources']);
  const names = new Set(entries.map((entry) => entry['name']));
  const isEviction = ({ group, version }: (typeof entries)[number]) => group === 'policy' && version === 'v1';
  const byKind = new Map<string, DiscoveredResource>();
  for (const entry of entries) {
    const plural = stringOf(entry['name']);
    const kind = stringOf(entry['kind']);
    if (plural === undefined || kind === undefined || plural.includes('/') || byKind.has(kind)) continue;
    byKind.set(kind, {
      ...groupVersion,
      plural,
      namespaced: entry['namespaced'] === true,
      scalable: names.has(`${plural}/scale`),
      ...(entries.some((other) => other['name'] === `${plural}/eviction` && isEviction(other))
        ? { evictable: true }
        : {}),
    });
  }
  return byKind;
}
