import type { ClusterPort } from './clusterPort.js';
import { LeaseLost, type FenceAnswer } from './heldLease.js';

/**
 * The same port, whose every write and eviction first asks the fence (DESIGN, rule 12) and rejects with
 * {@link LeaseLost} once the lease is lost. Reads pass.
 */
export function fenced(cluster: ClusterPort, fence: () => FenceAnswer): ClusterPort {
  const check = (): void => {
    const answer = fence();
    if (answer.kind === 'lost') throw new LeaseLost(answer.reason);
  };
  return {
    target: cluster.target,
    get: async (request, signal) => await cluster.get(request, signal),
    list: async (request, signal) => await cluster.list(request, signal),
    watch: (request, signal) => cluster.watch(request, signal),
    discover: async (kind, signal) => await cluster.discover(kind, signal),
    readiness: async (signal) => await cluster.readiness(signal),
    serverVersion: async (signal) => await cluster.serverVersion(signal),
    async create(request, signal) {
      check();
      return await cluster.create(request, signal);
    },
    async replace(request, signal) {
      check();
      return await cluster.replace(request, signal);
    },
    async patch(request, signal) {
      check();
      return await cluster.patch(request, signal);
    },
    async delete(request, signal) {
      check();
      return await cluster.delete(request, signal);
    },
    async evict(request, signal) {
      check();
      return await cluster.evict(request, signal);
    },
    close: () => {
      cluster.close();
    },
  };
}
