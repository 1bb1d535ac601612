import type { ApiAnswer, ClusterPort } from '../cluster/clusterPort.js';

const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true };

/**
 * When the kubelet last renewed its lease, as the text it wrote (RFC 3339 with microseconds). Two readings that differ
 * are two heartbeats, whatever the kubelet's clock says (KEP-0009: namespace kube-node-lease).
 */
export async function readHeartbeat(
  cluster: ClusterPort,
  node: string,
  signal: AbortSignal,
): Promise<ApiAnswer<string>> {
  const answer = await cluster.get({ resource: leases, namespace: 'kube-node-lease', name: node }, signal);
  if (answer.kind !== 'ok') return answer;
  const spec = answer.value['spec'];
  const renewTime = typeof spec === 'object' && spec !== null && 'renewTime' in spec ? spec.renewTime : undefined;
  return typeof renewTime === 'string'
    ? { kind: 'ok', value: renewTime }
    : { kind: 'invalid', message: `Lease kube-node-lease/${node} has no renewTime` };
}
