import type { ClusterPort } from '../cluster/clusterPort.js';
import type { NodeView } from '../cluster/view.js';
import { openWatchCache, type CacheProblem, type WatchCache } from '../cluster/watchCache.js';
import { permissionsFor } from '../install/accessRules.js';
import { conditionPermissions } from '../install/conditionAccess.js';
import { findLeaseNamespace } from '../install/installation.js';
import { wantsSurge, type Playbook } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import { drainRestartMark } from './drainMark.js';
import { ownNodeOf, type ThisMachine } from './ownNode.js';
import { checkedClusterUid, readUserName, refuseMissingPermissions, refuseUnreachable } from './preconditions.js';
import { locateConditions } from './readConditions.js';
import { unknownNode } from './unknownNode.js';

export interface DrainPreparation {
  readonly playbook: Playbook;
  readonly nodeName: string;
  /** Nothing will be changed: neither the Lease nor the permission to change anything is needed. */
  readonly dryRun: boolean;
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  /** Chance in [0, 1), for jitter. */
  readonly random: () => number;
  readonly thisMachine: ThisMachine;
  /** Ends the watches of the cache; until they are there, everything. */
  readonly signal: AbortSignal;
  readonly onProblem: (problem: CacheProblem) => void;
}

/** Everything that a drain by hand acts on. */
export interface PreparedDrain {
  readonly playbook: Playbook;
  readonly node: NodeView;
  readonly cluster: ClusterPort;
  readonly cache: WatchCache;
  /** Where the Lease is; undefined where Turnus is not installed (and for a dry run). */
  readonly namespace: string | undefined;
  /** Who asks, as the API server knows them. */
  readonly user: string;
  /** What Deployments carry that this drain restarts, before the node's name. */
  readonly restartedAs: string;
  /** The node that this process runs on, where that is known. */
  readonly ownNode: string | undefined;
  /** Ends the watches; the cluster's connections are the caller's. */
  close(): Promise<void>;
}

/**
 * Connects a drain by hand to the cluster. Refuses, before anything is touched, what cannot work.
 *
 * @throws TurnusError `unknown-node` and those of the preconditions of a run
 */
export async function prepareDrain(preparation: DrainPreparation): Promise<PreparedDrain> {
  const { playbook, nodeName, dryRun, cluster, clock, random, signal } = preparation;
  signal.throwIfAborted();
  await refuseUnreachable(cluster, signal);
  await checkedClusterUid({ cluster, expected: playbook.clusterUid, mustBeNamed: false }, signal);
  const namespace = dryRun ? undefined : await findLeaseNamespace(cluster, signal);
  const { conditions } = playbook.gates.clusterHealth;
  const located = await locateConditions({ cluster, conditions }, signal);
  const targets = located.flatMap(({ place }) => (place.kind === 'found' ? [place.target] : []));
  const wanted = dryRun
    ? permissionsFor('plan', '')
    : permissionsFor('drain', namespace ?? '', wantsSurge(playbook) ? ['surge'] : []);
  await refuseMissingPermissions({ cluster, wanted: [...wanted, ...conditionPermissions(targets)] }, signal);
  const user = await readUserName(cluster, signal);
  const cache = await openWatchCache({ cluster, clock, random, signal, onProblem: preparation.onProblem });
  const { nodes } = cache.view();
  const node = nodes.get(nodeName);
  if (node === undefined) {
    await cache.close();
    throw unknownNode(nodeName, [...nodes.keys()].sort());
  }
  const ownNode = ownNodeOf(nodes.values(), preparation.thisMachine);
  const restartedAs = drainRestartMark(user, clock.now());
  return { playbook, node, cluster, cache, namespace, user, restartedAs, ownNode, close: () => cache.close() };
}
