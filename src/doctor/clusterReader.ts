import type { ApiAnswer, ApiObject, ClusterPort, Resource } from '../cluster/clusterPort.js';
import type { Clock } from '../time/clock.js';
import { bounded } from './bounded.js';

/** No single question to the API server may take longer. */
const askWithinMs = 20_000;
/** A list of ten thousand pods comes in pages. */
const listWithinMs = 60_000;
const pageLength = 500;

/** Asks the API server, each question under a deadline of its own. Reads only. */
export interface ClusterReader {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  /** The answer, or `unreachable` where it did not come in time. */
  ask<T>(question: (signal: AbortSignal) => Promise<ApiAnswer<T>>): Promise<ApiAnswer<T>>;
  /** As {@link ask}, for questions that put what went wrong into their answer. */
  askFor<T>(question: (signal: AbortSignal) => Promise<T>, late: (message: string) => T): Promise<T>;
  /** Every object of a kind, in all namespaces; one that is not served has none. */
  listAll(resource: Resource): Promise<ApiAnswer<readonly ApiObject[]>>;
}

export function clusterReader(
  { cluster, clock }: { readonly cluster: ClusterPort; readonly clock: Clock },
  signal: AbortSignal,
): ClusterReader {
  const askFor: ClusterReader['askFor'] = async (ask, late) =>
    await bounded({ clock, withinMs: askWithinMs, ask, late }, signal);
  return {
    cluster,
    clock,
    askFor,
    ask: async (question) => await askFor(question, (message) => ({ kind: 'unreachable', message })),
    listAll: async (resource) =>
      await bounded(
        {
          clock,
          withinMs: listWithinMs,
          ask: (within) => pages(cluster, resource, within),
          late: (message): ApiAnswer<readonly ApiObject[]> => ({ kind: 'unreachable', message }),
        },
        signal,
      ),
  };
}

async function pages(
  cluster: ClusterPort,
  resource: Resource,
  signal: AbortSignal,
): Promise<ApiAnswer<readonly ApiObject[]>> {
  const items: ApiObject[] = [];
  let continueToken: string | undefined;
  do {
    const page = await cluster.list(
      { resource, limit: pageLength, ...(continueToken === undefined ? {} : { continueToken }) },
      signal,
    );
    if (page.kind === 'not-found') return { kind: 'ok', value: [] };
    if (page.kind !== 'ok') return page;
    items.push(...page.value.items);
    continueToken = page.value.continueToken;
  } while (continueToken !== undefined);
  return { kind: 'ok', value: items };
}
