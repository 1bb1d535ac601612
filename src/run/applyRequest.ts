import { isHostTouched } from './hostTouched.js';
import type { WrittenRequest } from './desired.js';
import type { JudgedRequest } from './judgeRequest.js';
import { phaseOfStage, stages, type Stage } from './stages.js';
import type { JobRecord, RunState, TurnStatus } from './state.js';

/** What answering a request writes: changes of turns by node, and the answer in words. */
export interface AppliedRequest {
  readonly turns: ReadonlyMap<string, Partial<TurnStatus>>;
  /** Begins with `done:` or `refused:`. */
  readonly result: string;
}

/** Ends of a job that are final on the host: it will never be followed again. */
const finalStates: readonly (string | undefined)[] = ['exited', 'timed-out', 'vanished'];

/**
 * What a judged request changes. A turn that was changed by this very request before (the actor died before it wrote
 * the answer) is not changed again.
 */
export function applyRequest(
  state: RunState,
  request: WrittenRequest,
  options: { readonly judged: JudgedRequest; readonly now: string },
): AppliedRequest {
  const { now } = options;
  const by = request.by ?? 'somebody who did not say who';
  const applied = [...state.turns.values()].filter(({ status }) => status.lastRequest === request.id);
  if (applied.length > 0) {
    return answer(`done: ${request.verb} of ${applied.map(({ node }) => node).join(', ')}`);
  }
  const { judged } = options;
  switch (judged.kind) {
    case 'refused':
      return answer(`refused: ${judged.message}`);
    case 'resume':
      return acknowledge(state, { id: request.id, by });
    case 'turn': {
      const status = state.turns.get(judged.node)?.status ?? { phase: 'Pending' };
      if (judged.verb === 'skip') return skip(judged.node, status, { request, by, now });
      const refusal = judged.verb === 'retry-again' ? noSecondExecution(status) : undefined;
      if (refusal !== undefined) return answer(`refused: ${refusal}`);
      const change = judged.verb === 'retry' ? retry(status, by) : retryAgain(status);
      return {
        result: `done: ${judged.node} has its turn again, from step ${change.retryFrom ?? 'Preparing'}`,
        turns: new Map([
          [
            judged.node,
            {
              ...change,
              phase: 'Pending',
              message: `${by} asked for ${judged.verb === 'retry' ? 'a retry' : 'a retry with another execution of the script'}.`,
              lastRequest: request.id,
              failure: undefined,
              acknowledgedBy: undefined,
              finishedAt: undefined,
            },
          ],
        ]),
      };
    }
  }
}

/** Failures so far do not stop the run any more. */
function acknowledge(state: RunState, request: { id: string; by: string }): AppliedRequest {
  const failed = [...state.turns.values()].filter(
    ({ status }) => status.phase === 'Failed' && status.acknowledgedBy === undefined,
  );
  if (failed.length === 0) return answer('done: no failure stands in the way of the run');
  return {
    result: `done: the run goes on in spite of ${failed.map(({ node }) => node).join(', ')}`,
    turns: new Map(failed.map(({ node }) => [node, { acknowledgedBy: request.by, lastRequest: request.id }])),
  };
}

function skip(
  node: string,
  status: TurnStatus,
  asked: { request: WrittenRequest; by: string; now: string },
): AppliedRequest {
  const { request, by, now } = asked;
  const reason = request.reason === undefined ? '' : `: ${request.reason}`;
  const left =
    status.cordoned === true ? ` Node ${node} stays cordoned; when it is fit for pods: kubectl uncordon ${node}` : '';
  return {
    result: `done: ${node} is skipped`,
    turns: new Map([
      [
        node,
        {
          phase: 'Skipped',
          message: `Skipped by ${by}${reason}.${left}`,
          skippedBy: by,
          finishedAt: now,
          lastRequest: request.id,
          waitingFor: undefined,
        },
      ],
    ]),
  };
}

/**
 * The turn goes on at the step that failed. A script that ended on the host is not run again: whoever asks has mended
 * the host. A turn that was undone begins anew, scripts included, because nothing had been changed.
 */
function retry(status: TurnStatus, by: string): Partial<TurnStatus> {
  if (status.cordoned !== true && status.failure?.phase !== 'Settling') {
    return { retryFrom: 'Preparing', jobs: jobsWhere(status, (job) => job.state !== undefined, again) };
  }
  const retryFrom = status.failure?.phase ?? 'Checking';
  const isUntouched = !isHostTouched(status);
  return {
    retryFrom,
    jobs: jobsWhere(
      status,
      (_job, stage) => stage === failedStage(status),
      (job) => {
        if (isUntouched) return again(job);
        return finalStates.includes(job.state) ? { ...job, vouchedBy: by } : intentOf(job);
      },
    ),
  };
}

/** The script that failed, else the update, runs once more; a boot that was proved before it counts no more. */
function retryAgain(status: TurnStatus): Partial<TurnStatus> {
  const stage = stageToRepeat(status);
  const job = stage === undefined ? undefined : status.jobs?.[stage];
  if (stage === undefined || job === undefined) return { retryFrom: 'Preparing' };
  const isInService = status.cordoned !== true;
  return {
    retryFrom: isInService ? 'Preparing' : phaseOfStage[stage],
    jobs: { ...status.jobs, [stage]: again(job) },
    ...(isHostTouched(status) && !isInService ? { touchedBefore: true } : {}),
    rebootRequestedAt: undefined,
    bootIdAfter: undefined,
  };
}

function noSecondExecution(status: TurnStatus): string | undefined {
  const stage = stageToRepeat(status);
  const job = stage === undefined ? undefined : status.jobs?.[stage];
  if (stage === undefined || job === undefined)
    return 'no script was run in this turn; ask for a retry without --again.';
  if (job.state !== undefined && job.state !== 'no-contact' && job.state !== 'still-running') return undefined;
  return `whether script ${stage} still runs on the host is not known; ask for a retry without --again, which follows it.`;
}

function stageToRepeat(status: TurnStatus): Stage | undefined {
  return failedStage(status) ?? (status.jobs?.update === undefined ? undefined : 'update');
}

/** The script that did not do what it should; undefined where the turn failed for another reason. */
function failedStage(status: TurnStatus): Stage | undefined {
  const failed = stages.find((stage) => {
    const job = status.jobs?.[stage];
    return job !== undefined && job.vouchedBy === undefined && (job.state !== 'exited' || job.exitCode !== 0);
  });
  return failed ?? (status.failure?.code === 'no-reboot-answer' ? 'update' : undefined);
}

function again(job: JobRecord): JobRecord {
  return { ...job, again: true };
}

/** The job as it stood before its end was recorded: the host is asked anew. */
function intentOf({ execution, intentAt, bootIdBefore }: JobRecord): JobRecord {
  return { execution, intentAt, bootIdBefore };
}

function jobsWhere(
  status: TurnStatus,
  holds: (job: JobRecord, stage: string) => boolean,
  change: (job: JobRecord) => JobRecord,
): TurnStatus['jobs'] {
  if (status.jobs === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(status.jobs).map(([stage, job]) => [
      stage,
      job !== undefined && holds(job, stage) ? change(job) : job,
    ]),
  );
}

function answer(result: string): AppliedRequest {
  return { turns: new Map(), result };
}
