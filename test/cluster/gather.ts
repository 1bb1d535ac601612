import type { Cluster } from './cluster.js';
import { createReady } from './waitForReady.js';
import type { Workload } from './waitForReady.js';

/** Creates the objects while only this node takes pods, so that all of theirs gather on it; returns when all are ready. */
export async function createAllOn(
  cluster: Pick<Cluster, 'api' | 'nodeNames'>,
  node: string,
  objects: Workload[],
  timeoutMs?: number,
): Promise<void> {
  const others = cluster.nodeNames.filter((name) => name !== node);
  const setUnschedulable = async (unschedulable: true | null): Promise<void> => {
    for (const name of others) await cluster.api.patch({ kind: 'Node', name }, { body: { spec: { unschedulable } } });
  };
  await setUnschedulable(true);
  try {
    await createReady(cluster.api, objects, timeoutMs);
  } finally {
    await setUnschedulable(null);
  }
}
