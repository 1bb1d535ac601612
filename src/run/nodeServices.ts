import { podsOnNode } from '../cluster/podsInView.js';
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
  const pods = node === undefined ? [...view.pods.values()] : podsOnNode(view, node);
  const hasDaemonSets = pods.some(({ controller }) => controller?.kind === 'DaemonSet');
  return {
    all: beforeCordon && hasDaemonSets && playbook.host.scripts.leave === undefined,
    namespaces: new Set(pods.map(({ namespace }) => namespace)),
  };
}

/** Webhooks and aggregated APIs rarely come and go: what the check before the cordon has read counts so long after it. */
const keptForMs = 60_000;

/** The Services that the turn's node asks about; a short outage of the API server is waited out. */
export async function readNodeServices(
  turn: TurnContext,
  { view, beforeCordon }: { readonly view: ClusterView; readonly beforeCordon: boolean },
  signal: AbortSignal,
): Promise<ClusterServices> {
  const { cluster, playbook, nodeName: node } = turn;
  const wanted = wantedServices({ view, playbook, beforeCordon, node });
  const { services: known } = turn;
  const atMs = turn.clock.monotonic();
  if (!beforeCordon && known !== undefined && isFresh(known, wanted, atMs)) return known.read;
  const read = await untilAnswered(
    turn,
    {
      what: 'what the API server calls can be read',
      attempt: () => readServices({ cluster, wanted }, signal),
      failureOf: passingFailureOf,
    },
    signal,
  );
  turn.services = { read, namespaces: wanted.namespaces, atMs };
  return read;
}

type KnownServices = NonNullable<TurnContext['services']>;

/** All of it was read, a short while ago, for all the namespaces that matter now. */
function isFresh(known: KnownServices, wanted: WantedServices, nowMs: number): boolean {
  if (nowMs - known.atMs > keptForMs || known.read.unread.length > 0) return false;
  return [...wanted.namespaces].every((namespace) => known.namespaces.has(namespace));
}
