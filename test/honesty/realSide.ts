import { randomUUID } from 'node:crypto';
import { startCluster } from '../cluster/cluster.js';
import { nodePower } from '../cluster/hosts/nodePower.js';
import type { Side, SideOptions } from './side.js';

/** The real control plane, with kubelets played by kwok. */
export async function openRealSide({ nodes }: SideOptions): Promise<Side> {
  const cluster = await startCluster({ nodes });
  const stopping = new AbortController();
  cluster.onStop(async () => {
    stopping.abort();
    return await Promise.resolve();
  });
  const { signal } = stopping;
  return {
    ...cluster,
    name: 'real control plane',
    machine: (node) => {
      const power = nodePower({ api: cluster.api, node });
      return {
        goDown: () => power.lose({ bootId: randomUUID(), bootDelayMs: 0, holdDown: true, signal }),
        boot: async () => {
          await power.release(signal);
          await cluster.untilNodeReady(node);
          await power.restartPods(signal);
        },
      };
    },
  };
}
