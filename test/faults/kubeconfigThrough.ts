import { readFile } from 'node:fs/promises';
import type { Cluster } from '../cluster/cluster.js';

/** The cluster's kubeconfig, with another port of the API server's own address: its certificate is good there too. */
export async function kubeconfigThrough(cluster: Cluster, port: number): Promise<string> {
  const text = await readFile(cluster.kubeconfigPath, 'utf8');
  const { hostname } = new URL(cluster.server);
  const through = text.replaceAll(cluster.server, `https://${hostname}:${String(port)}`);
  if (through === text) throw new Error('the kubeconfig does not name the API server as the cluster does');
  return through;
}
