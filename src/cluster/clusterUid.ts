import type { ApiAnswer, ClusterPort } from './clusterPort.js';
import { stringOf } from './json.js';
import { resources } from './resources.js';

/** By what a cluster is known whatever its address: the uid of the namespace kube-system. */
export async function clusterUid(cluster: ClusterPort, signal: AbortSignal): Promise<ApiAnswer<string>> {
  const answer = await cluster.get({ resource: resources.namespaces, name: 'kube-system' }, signal);
  return answer.kind === 'ok' ? { kind: 'ok', value: stringOf(answer.value.metadata.uid) ?? '' } : answer;
}
