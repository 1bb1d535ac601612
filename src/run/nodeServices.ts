import { passingFailureOf, readServices, type ClusterServices, type WantedServices } from '../cluster/services.js';
import type { ClusterView } from '../cluster/view.js';
import type { StoredPlaybook } from '../playbook/storedPlaybook.js';
import { untilAnswered } from './steps/untilAnswered.js';
import type { TurnContext } from './turnContext.js';

/**
 * Which Services the gates of these nodes ask about. Those behind which DaemonSet pods are matter before the cordon
 * alone, and only where no `leave` script sees to their traffic.
 */
export function wantedServices({
  view,
  playbook,
  beforeCordon,
  node,
}: {
  readonly view: ClusterView;
  readonly playbook: Pick<StoredPlaybook, 'host'>;
  readonly beforeCordon: boolean;
  /** Undefined: every node. */
  readonly node?: string;
}): WantedServices {
  const pods = [...view.pods.values()].filter(({ nodeName }) => node === undefined || nodeName === node);
  const hasDaemonSets = pods.some(({ controller }) => controller?.kind === 'DaemonSet');
  return {
    all: beforeCordon && hasDaemonSets && playbook.host.scripts.leave === undefined,
    namespaces: new Set(pods.map(({ namespace }) => namespace)),
  };
}

/** The Services that the turn's node asks about; a short outage of the API server is waited out. */
export async function readNodeServices(
  turn: TurnContext,
  { view, beforeCordon }: { readonly view: ClusterView; readonly beforeCordon: boolean },
  signal: AbortSignal,
): Promise<ClusterServices> {
  const { cluster, playbook, nodeName: node } = turn;
  const wanted = wantedServices({ view, playbook, beforeCordon, node });
  return await untilAnswered(
    turn,
    {
      what: 'what the API server calls can be read',
      attempt: () => readServices({ cluster, wanted }, signal),
      failureOf: passingFailureOf,
    },
    signal,
  );
}
