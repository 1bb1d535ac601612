import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterPort } from '../cluster/clusterPort.js';
import type { ConnectOptions } from '../kubernetes/connect.js';
import { homeDirectory, type ClusterOptions, type CommandIo } from './io.js';
import { userAgentOf } from './userAgent.js';

/** No API call may take longer; a watch has its own bound. */
const requestTimeoutMs = 30_000;

/** Connects as kubectl does: --kubeconfig, then $KUBECONFIG, then ~/.kube/config, then the pod's service account. */
export async function connectCluster(
  io: CommandIo,
  options: ClusterOptions & { readonly command: string; readonly onAnswer?: ConnectOptions['onAnswer'] },
): Promise<ClusterPort> {
  const { connect } = await import('../kubernetes/connect.js');
  const inHome = join(homeDirectory(io), '.kube', 'config');
  // An empty KUBECONFIG counts as none.
  const named = options.kubeconfig ?? io.env['KUBECONFIG'] ?? '';
  const kubeconfigPath = named === '' && existsSync(inHome) ? inHome : named;
  return await connect({
    ...(kubeconfigPath === '' ? {} : { kubeconfigPath }),
    ...(options.context === undefined ? {} : { context: options.context }),
    inCluster: io.env['KUBERNETES_SERVICE_HOST'] !== undefined,
    userAgent: userAgentOf(options.command),
    clock: io.clock,
    requestTimeoutMs,
    ...(options.onAnswer === undefined ? {} : { onAnswer: options.onAnswer }),
  });
}
