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
    ...cluster,
    async evict(request, signal) {
      const answer = await cluster.evict(request, signal);
      count(answer.kind);
      return answer;
    },
  };
}
