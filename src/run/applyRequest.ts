import { isHostTouched } from './hostTouched.js';
import type { WrittenRequest } from './desired.js';
import type { JudgedRequest } from './judgeRequest.js';
import {
  failedStage,
  hasEnded,
  intentOf,
  isOver,
  nextExecution,
  noSecondExecution,
  stageToRepeat,
} from './execution.js';
import { hasLeft } from './hasLeft.js';
import { phaseOfStage } from './stages.js';
import type { JobRecord, RunState, TurnStatus } from './state.js';

/** What answering a request writes: changes of turns by node, and the answer in words. */
export interface AppliedRequest {
  readonly turns: ReadonlyMap<string, Partial<TurnStatus>>;
  /** Begins with `done:` or `refused:`. */
  readonly result: string;
}

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
  if (applied.length > 0 && request.verb !== 'resume') {
    return answer(`done: ${request.verb} of ${applied.map(({ node }) => node).join(', ')}`);
  }
  const { judged } = options;
  switch (judged.kind) {
    case 'refused':
      return answer(`refused: ${judged.message}`);
    case 'resume':
      return acknowledge(state, { id: request.id, by });
    case 'accept':
      return accept(state, judged, { id: request.id, by, now });
    case 'turn': {
      const status = state.turns.get(judged.node)?.status ?? { phase: 'Pending' };
      if (judged.verb === 'skip') return skip(judged.node, status, { request, by, now });
      const isUndo = status.failure?.code === 'undo-not-joined';
      const refusal = judged.verb === 'retry-again' && !isUndo ? noSecondExecution(status) : undefined;
      if (refusal !== undefined) return answer(`refused: ${refusal}`);
      const change = isUndo ? undoAgain(status) : judged.verb === 'retry' ? retry(status, by) : retryAgain(status);
      return {
        result: `done: ${judged.node} has its turn again, from step ${change.retryFrom ?? change.phase ?? 'Preparing'}`,
        turns: new Map([
          [
            judged.node,
            {
              phase: 'Pending',
              ...change,
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

/** The finding blocks the node no longer; a turn that was left because of it is taken again. */
function accept(
  state: RunState,
  { node, code, reason }: Extract<JudgedRequest, { kind: 'accept' }>,
  request: { id: string; by: string; now: string },
): AppliedRequest {
  const status = state.turns.get(node)?.status ?? { phase: 'Pending' };
  const { id, by, now } = request;
  const accepted = [
    ...(status.accepted ?? []).filter((before) => before.code !== code),
    { code, by, reason, time: now },
  ];
  const wasLeft = status.phase === 'Blocked' || status.phase === 'Deferred';
  const again = { phase: 'Pending', retryFrom: 'Preparing', message: `${by} accepted ${code}: ${reason}` };
  const next = status.phase === 'Failed' ? '; the turn is Failed and has its turn again with a retry' : '';
  return {
    result: `done: ${code} does not hold up ${node} in this run${next}`,
    turns: new Map([[node, { accepted, lastRequest: id, ...(wasLeft ? again : {}) }]]),
  };
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
  const away = hasLeft(status) ? ', and script join, which follows script leave, has not run there' : '';
  const left =
    status.cordoned === true
      ? ` Node ${node} stays cordoned${away}; when it is fit for pods: kubectl uncordon ${node}`
      : '';
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
 * the host. A turn whose node is in service begins anew, scripts included.
 */
function retry(status: TurnStatus, by: string): Partial<TurnStatus> {
  if (status.cordoned !== true && status.failure?.phase !== 'Settling') return anew(status);
  const failed = failedStage(status);
  const isUntouched = !isHostTouched(status);
  const jobs = jobsWhere(status, (job, stage) => {
    if (stage !== failed || job.state === undefined) return job;
    if (!isOver(job)) return intentOf(job);
    return isUntouched || !hasEnded(job) ? { ...job, again: true } : { ...job, vouchedBy: by };
  });
  const isForgotten = !isUntouched && !isHostTouched({ ...status, jobs });
  return { ...provenAgain(status), jobs, ...(isForgotten ? { touchedBefore: true } : {}) };
}

/** The undo goes on: a `leave` that may still run is followed to its end, `join` is executed, and the turn begins anew. */
function undoAgain({ jobs }: TurnStatus): Partial<TurnStatus> {
  const leave = jobs?.leave;
  return {
    phase: 'Undoing',
    undoTo: 'Pending',
    jobs: jobs && {
      ...jobs,
      leave: leave === undefined || isOver(leave) ? leave : intentOf(leave),
      join: nextExecution(jobs.join),
    },
  };
}

/** What was proved before the failure may have changed since: the boot and the health are proved again. */
function provenAgain(status: TurnStatus): Partial<TurnStatus> {
  const phase = status.failure?.phase ?? 'Checking';
  if (phase !== 'Verifying' && phase !== 'Uncordoning') return { retryFrom: phase };
  return status.bootIdAfter === undefined
    ? { retryFrom: 'Verifying' }
    : { retryFrom: 'Rebooting', bootIdAfter: undefined };
}

/** The script that failed, else the update, runs once more; a boot that was proved before it counts no more. */
function retryAgain(status: TurnStatus): Partial<TurnStatus> {
  if (status.cordoned !== true) return anew(status);
  const stage = stageToRepeat(status);
  const job = stage === undefined ? undefined : status.jobs?.[stage];
  if (stage === undefined || job === undefined) return { retryFrom: 'Preparing' };
  return {
    retryFrom: phaseOfStage[stage],
    jobs: { ...status.jobs, [stage]: { ...job, again: true } },
    ...(isHostTouched(status) ? { touchedBefore: true } : {}),
    rebootRequestedAt: undefined,
    bootIdAfter: undefined,
  };
}

/**
 * A node in service was proved or never touched, so that what its scripts did before is no reason to keep it out. One
 * whose end is not known is asked for first; it may still run.
 */
function anew(status: TurnStatus): Partial<TurnStatus> {
  return {
    retryFrom: 'Preparing',
    jobs: jobsWhere(status, (job) => {
      if (job.state === undefined) return job;
      return isOver(job) ? { ...job, changed: 'no', again: true } : intentOf(job);
    }),
    touchedBefore: undefined,
    rebootRequestedAt: undefined,
    bootIdAfter: undefined,
  };
}

function jobsWhere(status: TurnStatus, change: (job: JobRecord, stage: string) => JobRecord): TurnStatus['jobs'] {
  if (status.jobs === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(status.jobs).map(([stage, job]) => [stage, job === undefined ? job : change(job, stage)]),
  );
}

function answer(result: string): AppliedRequest {
  return { turns: new Map(), result };
}
