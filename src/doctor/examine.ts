import type { ClusterPort } from '../cluster/clusterPort.js';
import { judgeReachable } from './apiChecks.js';
import { onCluster, skipped, type DoctorReport } from './check.js';
import { checkCluster } from './clusterChecks.js';
import { clusterReader } from './clusterReader.js';
import { checkNodes, type NodeExamination } from './nodeChecks.js';
import { readInventory } from './readInventory.js';
import { reportOf } from './report.js';

export interface Examination extends NodeExamination {
  readonly cluster: ClusterPort;
}

/**
 * Looks at everything that a run needs, cluster and hosts in parallel, and judges it. Changes nothing: it reads, and asks
 * by reviews, which store nothing.
 *
 * @throws TurnusError `node-not-selected`, `selector-invalid`, `no-nodes` where the call is narrowed to what is not there
 */
export async function examine(examination: Examination, signal: AbortSignal): Promise<DoctorReport> {
  const { playbook, cluster, clock } = examination;
  const common = { playbook, target: cluster.target, checkedAtMs: clock.now() };
  const reader = clusterReader({ cluster, clock }, signal);
  const version = await reader.ask((until) => cluster.serverVersion(until));
  if (version.kind !== 'ok') {
    const judged = [
      judgeReachable({ target: cluster.target, version, roundTripMs: undefined }),
      skipped('nodes', 'Not known: `api-reachable` failed. No host was asked, because it is the nodes that name them.'),
    ];
    return reportOf({ ...common, clusterUid: undefined, checks: onCluster(judged) });
  }
  const listing = readInventory(reader);
  const [ofCluster, ofNodes] = await Promise.all([
    checkCluster({ reader, playbook, version, listing }),
    listing.then((inventory) => checkNodes(examination, inventory, signal)),
  ]);
  return reportOf({ ...common, clusterUid: ofCluster.uid, checks: [...ofCluster.checks, ...ofNodes] });
}
