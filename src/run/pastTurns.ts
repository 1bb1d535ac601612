import type { ClusterPort } from '../cluster/clusterPort.js';
import { inParallel } from '../cluster/inParallel.js';
import { readInstallation } from '../install/installation.js';
import { pastTurn, turnsLookedAt, type PastTurn } from './forecastRun.js';
import { listAllRuns, readRunState } from './listRuns.js';

/** Runs whose turns are read: those that say most, with a few that left some nodes. */
const runsRead = turnsLookedAt + 3;
const readsAtOnce = 4;

/**
 * The turns that former runs have done, rehearsals left out. [] where Turnus is not installed, or its objects may not
 * be read or cannot be understood: a plan needs none of that.
 */
export async function readPastTurns(cluster: ClusterPort, signal: AbortSignal): Promise<readonly PastTurn[]> {
  try {
    const { namespace } = await readInstallation(cluster, signal);
    const runs = (await listAllRuns({ cluster, namespace }, signal)).slice(0, runsRead);
    const states = await inParallel(runs, readsAtOnce, async (run) => {
      try {
        return await readRunState({ cluster, namespace, run }, signal);
      } catch {
        signal.throwIfAborted();
        return undefined;
      }
    });
    return states
      .filter((state) => state !== undefined && !state.spec.rehearsal)
      .flatMap((state) => [...(state?.turns.values() ?? [])])
      .flatMap(({ node, status }) => pastTurn(node, status) ?? []);
  } catch {
    signal.throwIfAborted();
    return [];
  }
}
