import type { ApiObject, ClusterPort } from '../cluster/clusterPort.js';
import { inParallel } from '../cluster/inParallel.js';
import { recordOf } from '../cluster/json.js';
import { readInstallation } from '../install/installation.js';
import { pastTurn, turnsLookedAt, type PastTurn } from './forecastRun.js';
import { listAllRuns, readRunState } from './listRuns.js';

/** Runs whose turns are read: those that say most, with a few that left some nodes. */
const runsRead = turnsLookedAt + 3;
const readsAtOnce = 4;

/**
 * The turns that former runs of the playbook have done, rehearsals left out. [] where Turnus is not installed, or its objects may not
 * be read or cannot be understood: a plan needs none of that.
 */
export async function readPastTurns(
  { cluster, playbook }: { readonly cluster: ClusterPort; readonly playbook: string },
  signal: AbortSignal,
): Promise<readonly PastTurn[]> {
  try {
    const { namespace } = await readInstallation(cluster, signal);
    const all = await listAllRuns({ cluster, namespace }, signal);
    const runs = all.filter(({ object }) => isOfPlaybook(object, playbook)).slice(0, runsRead);
    const states = await inParallel(runs, readsAtOnce, async (run) => {
      try {
        return await readRunState({ cluster, namespace, run }, signal);
      } catch {
        signal.throwIfAborted();
        return undefined;
      }
    });
    return states
      .flatMap((state) => [...(state?.turns.values() ?? [])])
      .flatMap(({ node, status }) => pastTurn(node, status) ?? []);
  } catch {
    signal.throwIfAborted();
    return [];
  }
}

/** Read with distrust: a run that cannot be understood is passed over. */
function isOfPlaybook(object: ApiObject, playbook: string): boolean {
  const spec = recordOf(object['spec']);
  return recordOf(spec['playbook'])['name'] === playbook && spec['rehearsal'] !== true;
}
