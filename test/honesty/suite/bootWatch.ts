import type { TestApi } from '../../cluster/api.js';
import type { Node } from '../../cluster/objects.js';

/** Which boot ids the nodes have shown since the watch began. */
export interface BootWatch {
  /** How often a node has come back as another boot. */
  boots(node: string): number;
  stop(): Promise<void>;
}

export async function watchBoots(api: TestApi): Promise<BootWatch> {
  const seen = new Map<string, Set<string>>();
  const see = ({ metadata, status }: Node): void => {
    const ids = seen.get(metadata.name) ?? new Set();
    seen.set(metadata.name, ids.add(status.nodeInfo.bootID));
  };
  const stopping = new AbortController();
  const { signal } = stopping;
  const { items, resourceVersion } = await api.listWithVersion({ kind: 'Node' });
  items.forEach(see);
  const ended = api
    .watch({ kind: 'Node', resourceVersion, signal }, ({ object }) => {
      see(object);
    })
    .catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  return {
    boots: (node) => (seen.get(node)?.size ?? 1) - 1,
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
