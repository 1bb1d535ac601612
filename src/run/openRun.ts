import type { ClusterPort } from '../cluster/clusterPort.js';
import { canonicalJson } from '../journal/canonicalJson.js';
import type { Playbook } from '../playbook/playbook.js';
import { TurnusError } from '../turnusError.js';
import { openRequests } from './ask.js';
import { readDesired } from './desired.js';
import { createRun, findRun } from './findRun.js';
import { failedNodes, isInWork } from './nextTurn.js';
import type { RunObject, TurnObject } from './objects.js';
import { runStateOf } from './runStateOf.js';
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
  /** The unfinished run that a new one supersedes. */
  readonly replaces: string | undefined;
  readonly playbook: Playbook;
  readonly clusterUid: string;
  readonly planHash: string;
  readonly requester: string;
  readonly change: string | undefined;
  readonly reason: string | undefined;
  /** Id of the trigger that a new run begins with; absent: there is none. */
  readonly trigger?: string | undefined;
  readonly rehearsal: boolean;
}

/** Continues the run of this name or creates it. Refuses where it was made from another plan, was aborted or failed. */
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
          ...(request.trigger === undefined ? {} : { trigger: request.trigger }),
          ...(request.replaces === undefined ? {} : { replaces: request.replaces }),
          desired: { state: 'Run' },
        },
      },
      signal,
    );
    return { run, turns: [], isNew: true };
  }
  refuseSuperseded(found.run);
  refuseOtherPlan(found.run, request.planHash);
  const isBusy = found.turns.some((turn) => isInWork(turn.status.phase));
  if (!isBusy && !found.run.terminating) {
    refuseAborted(found.run);
    refuseFailed(found, request.playbook);
  }
  return { ...found, isNew: false };
}

/** Another call has superseded the run while this one made its plan or waited for its answer. */
function refuseSuperseded({ name, status }: RunObject): void {
  if (status.phase !== 'Superseded') return;
  throw new TurnusError({
    code: 'run-superseded',
    message: `Run ${name} was superseded by ${status.supersededBy ?? 'another run'}; nothing was done.`,
    hint: 'Start the same command again: it goes on with the run that superseded it.',
    exitCode: 7,
  });
}

/** @throws TurnusError `plan-changed` where the playbook or a file that it names is another one than the run's */
export function refuseOtherPlan(run: RunObject, planHash: string): void {
  if (run.spec.planHash === planHash) return;
  throw new TurnusError({
    code: 'plan-changed',
    message: `Run ${run.name} was made from another plan (${run.spec.planHash.slice(0, 12)}, now ${planHash.slice(0, 12)}): the playbook or a file it names was changed since.`,
    hint: `Use the playbook as it was to finish the run, or supersede it, the nodes that are done staying done, with: turnus run -f PLAYBOOK --replace --reason TEXT (with turnus serve: turnus trigger ${run.spec.playbook.name} --replace --reason TEXT). Otherwise a changed playbook applies to the next run.`,
  });
}

function refuseAborted(run: RunObject): void {
  const { state, by, reason } = readDesired(run.spec);
  if (state !== 'Abort' && state !== 'AbortNow') return;
  throw new TurnusError({
    code: 'run-aborted',
    message: `Run ${run.name} was aborted by ${by ?? 'somebody who did not say who'}${reason === undefined ? '' : ` (${reason})`}; nothing was done.`,
    hint: `To let it go on: turnus resume ${run.name}, then start the same command again.`,
    exitCode: 7,
  });
}

/** A run that failures have stopped goes on only after a person has answered for them. */
function refuseFailed({ run, turns }: { run: RunObject; turns: readonly TurnObject[] }, playbook: Playbook): void {
  const state = runStateOf({ run, turns });
  const failed = failedNodes(state);
  if (!mustStop({ failed, order: run.status.order ?? [], policy: playbook.nodes }) || openRequests(run).length > 0) {
    return;
  }
  const told = failed.map((node) => `${node} (${state.turns.get(node)?.status.message ?? 'failed'})`);
  const next = failed.flatMap((node) => state.turns.get(node)?.status.failure?.next ?? []);
  const commands = next.length > 0 ? next : failed.map((node) => `turnus retry ${run.name} ${node}`);
  throw new TurnusError({
    code: 'run-failed',
    message: `Run ${run.name} has stopped because of ${told.join('; ')}`,
    hint: [
      'What to do next:',
      ...commands.map((command) => `  ${command}`),
      `  to let the failures stand and go on with the others: turnus resume ${run.name}`,
    ].join('\n'),
    exitCode: 4,
  });
}
