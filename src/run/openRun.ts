import type { ClusterPort } from '../cluster/clusterPort.js';
import { canonicalJson } from '../journal/canonicalJson.js';
import type { Playbook } from '../playbook/playbook.js';
import { TurnusError } from '../turnusError.js';
import { createRun, findRun, listRuns } from './findRun.js';
import { runName } from './identity.js';
import { isInWork } from './nextTurn.js';
import { runFinalizer } from './objects.js';
import type { RunObject, TurnObject } from './objects.js';
import { mustStop } from './stopRule.js';

/** A run as it was found or created. */
export interface OpenedRun {
  readonly run: RunObject;
  readonly turns: readonly TurnObject[];
  readonly isNew: boolean;
}

export interface RunRequest {
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly name: string;
  readonly playbook: Playbook;
  readonly clusterUid: string;
  readonly planHash: string;
  readonly requester: string;
  readonly change: string | undefined;
  readonly reason: string | undefined;
  readonly rehearsal: boolean;
}

/**
 * The name of the run that a call begins or continues now: one of this playbook with a turn in work, whatever month it
 * is from, else the month's. Rehearsals are numbered: the newest is continued while it is unfinished.
 */
export async function currentRunName(
  at: { cluster: ClusterPort; namespace: string; playbook: Playbook; now: number; rehearsal: boolean },
  signal: AbortSignal,
): Promise<string> {
  const { playbook, rehearsal } = at;
  const prefix = `${playbook.name}-`;
  const runs = (await listRuns({ cluster: at.cluster, namespace: at.namespace, prefix }, signal)).filter(
    ({ spec }) => spec.playbook.name === playbook.name && spec.rehearsal === rehearsal,
  );
  const inWork = runs.find((run) => run.finalizers.includes(runFinalizer));
  if (inWork !== undefined) return inWork.name;
  const name = { playbook: playbook.name, at: at.now, timeZone: playbook.schedule.timeZone };
  if (!rehearsal) return runName({ ...name, rehearsal: undefined });
  const stem = runName({ ...name, rehearsal: 0 }).slice(0, -1);
  const [newest] = runs
    .map((run) => ({
      phase: run.status.phase,
      number: Number(run.name.slice(stem.length)),
      isOfMonth: run.name.startsWith(stem),
    }))
    .filter(({ number, isOfMonth }) => isOfMonth && Number.isInteger(number))
    .sort((one, other) => other.number - one.number);
  if (newest === undefined) return runName({ ...name, rehearsal: 1 });
  const isFinished = ['Completed', 'Failed', 'Aborted', 'Superseded'].includes(newest.phase);
  return runName({ ...name, rehearsal: isFinished ? newest.number + 1 : newest.number });
}

/** Continues the run of this name or creates it. Refuses where it was made from another playbook or has failed. */
export async function openRun(request: RunRequest, signal: AbortSignal): Promise<OpenedRun> {
  const place = { cluster: request.cluster, namespace: request.namespace, name: request.name };
  const found = await findRun(place, signal);
  if (found === undefined) {
    const run = await createRun(
      {
        ...place,
        spec: {
          playbook: { name: request.playbook.name, snapshot: canonicalJson(request.playbook.normalised) },
          planHash: request.planHash,
          clusterUid: request.clusterUid,
          requester: request.requester,
          rehearsal: request.rehearsal,
          ...(request.change === undefined ? {} : { change: request.change }),
          ...(request.reason === undefined ? {} : { reason: request.reason }),
          desired: { state: 'Run' },
        },
      },
      signal,
    );
    return { run, turns: [], isNew: true };
  }
  refuseIfOther(found, request);
  return { ...found, isNew: false };
}

function refuseIfOther(found: { run: RunObject; turns: readonly TurnObject[] }, request: RunRequest): void {
  const { run, turns } = found;
  const deletion = `kubectl -n ${request.namespace} delete maintenancerun ${run.name}`;
  if (run.spec.planHash !== request.planHash) {
    throw new TurnusError({
      code: 'plan-changed',
      message: `Run ${run.name} was made from another plan (${run.spec.planHash.slice(0, 12)}, now ${request.planHash.slice(0, 12)}): the playbook or a file it names was changed since.`,
      hint: `Use the playbook as it was to finish the run, or end it with: ${deletion}. A changed playbook applies to the next run.`,
    });
  }
  const failed = turns.filter((turn) => turn.status.phase === 'Failed');
  const stops = mustStop({
    failed: failed.map((turn) => turn.spec.node),
    order: run.status.order ?? [],
    policy: request.playbook.nodes,
  });
  if (stops && !run.terminating && !turns.some((turn) => isInWork(turn.status.phase))) {
    throw new TurnusError({
      code: 'run-failed',
      message: `Run ${run.name} has stopped because of ${failed.map((turn) => `${turn.spec.node} (${turn.status.message ?? 'failed'})`).join('; ')}`,
      hint: `Mend the node and uncordon it yourself, then end the run with: ${deletion}, and start again; the nodes that are done stay done.`,
      exitCode: 4,
    });
  }
}
