import type { ClusterPort, EvictionAnswer } from '../../cluster/clusterPort.js';

/** Every answer that an eviction can get. */
export const evictionAnswers = [
  'accepted',
  'gone',
  'budget',
  'denied',
  'throttled',
  'namespace-terminating',
  'refused',
  'unreachable',
] as const satisfies readonly EvictionAnswer['kind'][];

/** The same port, which tells what came of each eviction. */
export function countedEvictions(cluster: ClusterPort, count: (answer: EvictionAnswer['kind']) => void): ClusterPort {
  return {
    target: cluster.target,
    get: async (request, signal) => await cluster.get(request, signal),
    list: async (request, signal) => await cluster.list(request, signal),
    watch: (request, signal) => cluster.watch(request, signal),
    discover: async (kind, signal) => await cluster.discover(kind, signal),
    readiness: async (signal) => await cluster.readiness(signal),
    serverVersion: async (signal) => await cluster.serverVersion(signal),
    create: async (request, signal) => await cluster.create(request, signal),
    replace: async (request, signal) => await cluster.replace(request, signal),
    patch: async (request, signal) => await cluster.patch(request, signal),
    delete: async (request, signal) => await cluster.delete(request, signal),
    async evict(request, signal) {
      const answer = await cluster.evict(request, signal);
      count(answer.kind);
      return answer;
    },
    close: () => {
      cluster.close();
    },
  };
}
