import type { ClusterPort, ClusterTarget } from '../cluster/clusterPort.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import { credentialsOf, inClusterCredentials, type Credentials } from './credentials.js';
import { readKubeconfig } from './kubeconfig.js';
import { kubernetesPort } from './kubernetesPort.js';
import { transport, type OnAnswer } from './transport.js';

export interface ConnectOptions {
  /** One kubeconfig, or a list separated by `:` as in KUBECONFIG. */
  readonly kubeconfigPath?: string;
  /** Absent: the kubeconfig's current context. */
  readonly context?: string;
  /** Use the pod's service account where no kubeconfig is named. */
  readonly inCluster: boolean;
  /** `turnus/<version>` */
  readonly userAgent: string;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  /** Told of each exchange with the API server, for counting. Must not throw. */
  readonly onAnswer?: OnAnswer;
}

/**
 * Opens the way to a cluster. Reads the kubeconfig and runs its credential plugin, but asks the server nothing yet
 * and changes nothing.
 *
 * @throws TurnusError `no-kubeconfig`, `not-in-cluster`, `exec-plugin-failed`, `credentials-failed` and those of readKubeconfig
 */
export async function connect(options: ConnectOptions): Promise<ClusterPort> {
  const { target, credentials } = await credentialSourceOf(options);
  const { clock, userAgent, requestTimeoutMs, onAnswer } = options;
  const deadline = clock.deadline(requestTimeoutMs, new AbortController().signal);
  try {
    await credentials.current(deadline.signal);
  } catch (cause) {
    if (!deadline.signal.aborted) throw cause;
    throw new TurnusError({
      code: 'exec-plugin-failed',
      message: `The credential plugin of user "${target.user}" gave no answer within ${String(requestTimeoutMs)} ms`,
      hint: 'Run "kubectl auth whoami" with the same kubeconfig; it may be waiting for a login.',
      cause,
    });
  } finally {
    deadline.clear();
  }
  return kubernetesPort({
    transport: transport({ server: target.server, credentials, userAgent, clock, requestTimeoutMs, onAnswer }),
    target,
    clock,
    requestTimeoutMs,
    random: Math.random,
  });
}

async function credentialSourceOf(
  options: ConnectOptions,
): Promise<{ target: ClusterTarget; credentials: Credentials }> {
  const { kubeconfigPath = '', context, inCluster, clock } = options;
  if (kubeconfigPath !== '') {
    const selected = await readKubeconfig({ path: kubeconfigPath, ...(context === undefined ? {} : { context }) });
    return {
      target: { server: selected.server, context: selected.context, user: selected.userName },
      credentials: credentialsOf(selected, clock),
    };
  }
  if (!inCluster) {
    throw new TurnusError({
      code: 'no-kubeconfig',
      message: 'There is no kubeconfig: neither --kubeconfig nor KUBECONFIG names one, and there is none in ~/.kube',
      hint: 'Name one with --kubeconfig.',
    });
  }
  const { server, credentials } = inClusterCredentials(clock);
  return { target: { server, context: 'in-cluster', user: 'service account of the pod' }, credentials };
}
