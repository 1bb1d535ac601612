import { LeaseLost } from '../cluster/heldLease.js';
import { HandOver } from './handOver.js';
import { failureCodeOf, failureReport, type TurnFailureCode } from './failure.js';
import { isHostTouched } from './hostTouched.js';
import { newAttempt } from './newAttempt.js';
import { decide, type Decision, type Outcome, type StepEnd } from './outcome.js';
import { turnPhases, type FailureReport, type TurnPhase, type TurnStatus } from './state.js';
import { rereadNode } from './steps/rereadNode.js';
import { setCordon } from './steps/setCordon.js';
import { turnSteps } from './turn.js';
import { currentNode, timestamp, type Step, type TurnContext } from './turnContext.js';
import { AbortRequested, openTurnStop, type RunStopSignals } from './turnStop.js';
import { undo } from './undoTurn.js';

/** What the conductor must know of a turn that has ended, for now or for good. */
export type TurnEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'left'; readonly phase: TurnPhase; readonly run: 'go-on' | 'failure' | 'stop' };

/**
 * Takes one node through its turn, beginning at the step in which it stands. The signals abort when a person or the
 * system ends the run; what becomes of the node then is decided by the outcome table and done all the same.
 */
export async function takeTurn(turn: TurnContext, signals: RunStopSignals): Promise<TurnEnd> {
  if (turn.status().phase === 'Undoing') return await finishUndoing(turn, signals.abortNow);
  const stop = openTurnStop(signals, turn.status);
  try {
    return await takeSteps(turn, { stop: stop.signal, abortNow: signals.abortNow });
  } finally {
    stop.close();
  }
}

async function takeSteps(
  turn: TurnContext,
  { stop, abortNow }: Pick<RunStopSignals, 'stop' | 'abortNow'>,
): Promise<TurnEnd> {
  let isFormerDone = false;
  for (const step of stepsFrom(firstStep(turn.status()))) {
    await begin(turn, step, isFormerDone);
    const end = await runStep(turn, step, stop);
    if (end.kind !== 'done') return await leave(turn, end, abortNow);
    isFormerDone = true;
  }
  const { message, unrecovered } = turn.status();
  await turn.record({
    type: 'turn.finished',
    node: turn.nodeName,
    phase: 'Done',
    ...(message === undefined ? {} : { message }),
  });
  const now = timestamp(turn.clock);
  await turn.save({ phase: 'Done', finishedAt: now, steps: endedSteps(turn.status(), now), waitingFor: undefined });
  turn.announce({
    reason: 'TurnDone',
    message: joined(`Turn of ${turn.nodeName} in run ${turn.run.name} is done.`, message),
    type: unrecovered === undefined ? 'Normal' : 'Warning',
  });
  return { kind: 'done' };
}

/** Between an interruption and now a node that waits for its uncordon may have become ill: its health is proved anew. */
function firstStep({ phase, retryFrom, cordoned }: TurnStatus): string {
  const step = retryFrom ?? phase;
  return step === 'Uncordoning' && cordoned === true ? 'Verifying' : step;
}

/** A turn goes on at the step in which it was interrupted; one that has not begun, or was undone, from the first. */
function stepsFrom(phase: string): readonly Step[] {
  const place = turnSteps.findIndex((step) => step.phase === phase);
  return turnSteps.slice(Math.max(0, place));
}

/** The end of the step before is in the same write: the node is out of service while requests are made. */
async function begin(turn: TurnContext, step: Step, isFormerDone: boolean): Promise<void> {
  const status = turn.status();
  const now = timestamp(turn.clock);
  if (status.phase === step.phase) {
    // The step goes on, maybe weeks after an actor died in it: that time was nobody's work, and is not its length.
    await turn.save({ steps: [...(status.steps ?? []), { phase: step.phase, startedAt: now }] });
    return;
  }
  if (status.startedAt === undefined || step === turnSteps[0]) {
    await turn.record({ type: 'turn.started', node: turn.nodeName, attempt: (status.attempts ?? 0) + 1 });
  }
  await turn.save({
    phase: step.phase,
    retryFrom: undefined,
    message: undefined,
    waitingFor: undefined,
    startedAt: status.startedAt ?? now,
    ...(step === turnSteps[0] ? newAttempt(status) : {}),
    steps: [...(isFormerDone ? endedSteps(status, now) : (status.steps ?? [])), { phase: step.phase, startedAt: now }],
  });
  turn.announce({
    reason: step.phase,
    message: `Turn of ${turn.nodeName} in run ${turn.run.name}: ${step.phase}`,
    type: 'Normal',
  });
}

/** The steps so far, of which the last ends now. */
function endedSteps({ steps = [] }: TurnStatus, now: string): NonNullable<TurnStatus['steps']> {
  const last = steps.at(-1);
  return last === undefined ? [] : [...steps.slice(0, -1), { ...last, finishedAt: now }];
}

type StepOrStop = StepEnd | { readonly kind: 'aborted-now' | 'handed-over'; readonly message: string };

async function runStep(turn: TurnContext, step: Step, stop: AbortSignal): Promise<StepOrStop> {
  try {
    stop.throwIfAborted();
    return await step.run(turn, stop);
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    if (stop.reason instanceof LeaseLost) throw stop.reason;
    if (stop.aborted) {
      return { kind: stopKind(stop.reason), message: `Stopped while ${step.phase} (${reasonOf(stop)}).` };
    }
    throw error;
  }
}

function stopKind(reason: unknown): 'aborted-now' | 'handed-over' | 'stopped' {
  if (reason instanceof HandOver) return 'handed-over';
  return reason instanceof AbortRequested && reason.now ? 'aborted-now' : 'stopped';
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
}

async function leave(
  turn: TurnContext,
  end: Exclude<StepOrStop, { kind: 'done' }>,
  abortNow: AbortSignal,
): Promise<TurnEnd> {
  const outcome: Outcome = end.kind;
  const status = turn.status();
  // A node that was given back already is not given back again, nor begun anew.
  const decision = decide(outcome, isHostTouched(status) || status.phase === 'Settling');
  const phase = decision.turn === 'same' ? phaseOf(status.phase) : decision.turn;
  let message = end.message;
  if (decision.node === 'undo') {
    await turn.save({ phase: 'Undoing', undoTo: phase, undoCode: failureCode(end), message, waitingFor: undefined });
    return await concludeUndo(turn, { ...decision, phase, code: failureCode(end), failedStep: status.phase }, abortNow);
  } else if (phase === 'Failed' && isHostTouched(status) && givenBackFrom.every((step) => step !== status.phase)) {
    message = joined(message, await keepCordoned(turn));
  }
  await settlePhase(turn, { phase, message, code: failureCode(end), failedStep: status.phase });
  return { kind: 'left', phase, run: decision.run };
}

/** Steps in which the node is proved already, and may be in service. */
const givenBackFrom: readonly TurnPhase[] = ['Uncordoning', 'Settling'];

/**
 * A node whose host was touched gets no pods while it is not proved (rule 6), also where somebody has uncordoned it in
 * between (rule 10). Answers why it could not be cordoned; undefined where it is.
 */
async function keepCordoned(turn: TurnContext): Promise<string | undefined> {
  const node = currentNode(turn);
  if (node === undefined || node.unschedulable) return undefined;
  const end = await setCordon(turn, node);
  if (end.kind === 'cordoned' || end.kind === 'already-ours' || end.kind === 'foreign') {
    // The next node is let go by what is known of this one, and the watch may lag.
    await rereadNode(turn, 'pods', turn.signal);
    return undefined;
  }
  return `Somebody uncordoned node ${turn.nodeName}, and it could not be cordoned again; run kubectl cordon ${turn.nodeName}.`;
}

/** What the failure report calls an end that makes the turn Failed. */
function failureCode(end: Exclude<StepOrStop, { kind: 'done' }>): TurnFailureCode {
  switch (end.kind) {
    case 'failed':
      return end.code;
    case 'blocked':
      return 'blocked-after-touch';
    case 'deferred':
      return 'deferred-after-touch';
    case 'not-recovered':
      return 'not-recovered';
    case 'vanished':
      return 'node-gone';
    case 'stopped':
    case 'handed-over':
    case 'aborted-now':
      return 'aborted';
  }
}

/** A crash came between the decision to undo and its end, or a person wants a failed undo to go on. */
async function finishUndoing(turn: TurnContext, abortNow: AbortSignal): Promise<TurnEnd> {
  const { undoTo, undoCode, steps = [] } = turn.status();
  const phase = phaseOf(undoTo ?? 'Deferred');
  const run = phase === 'Failed' ? 'failure' : 'go-on';
  const failedStep = steps.at(-1)?.phase ?? 'Checking';
  return await concludeUndo(turn, { phase, run, code: failureCodeOf(undoCode), failedStep }, abortNow);
}

/** Undoes, and ends the turn as it was decided, or as Failed where the node could not be brought back. */
async function concludeUndo(
  turn: TurnContext,
  end: { phase: TurnPhase; run: Decision['run']; code: TurnFailureCode; failedStep: string },
  abortNow: AbortSignal,
): Promise<TurnEnd> {
  const undone = await undo(turn, abortNow);
  const message = joined(turn.status().message ?? '', undone.kind === 'undone' ? undefined : undone.message);
  if (undone.kind === 'failed') {
    await settlePhase(turn, { phase: 'Failed', message, code: 'undo-not-joined', failedStep: end.failedStep });
    return { kind: 'left', phase: 'Failed', run: 'failure' };
  }
  await settlePhase(turn, { ...end, message });
  return { kind: 'left', phase: end.phase, run: end.run };
}

function phaseOf(phase: string): TurnPhase {
  return turnPhases.find((known) => known === phase) ?? 'Deferred';
}

function joined(message: string, more: string | undefined): string {
  return more === undefined ? message : `${message} ${more}`;
}

async function settlePhase(
  turn: TurnContext,
  end: { phase: TurnPhase; message: string; code: TurnFailureCode; failedStep: string },
): Promise<void> {
  const { phase, message } = end;
  const status = turn.status();
  const goesOn = phase === status.phase;
  const failed = phase === 'Failed' ? { failure: reportOf(turn, end) } : {};
  if (!goesOn) await turn.record({ type: 'turn.finished', node: turn.nodeName, phase, message, ...failed });
  await turn.save({
    phase,
    message,
    undoTo: undefined,
    undoCode: undefined,
    waitingFor: undefined,
    ...(phase === 'Failed' ? { finishedAt: timestamp(turn.clock), ...failed } : {}),
  });
  if (!goesOn) {
    turn.announce({ reason: `Turn${phase}`, message, type: phase === 'Failed' ? 'Warning' : 'Normal' });
  }
}

function reportOf(turn: TurnContext, end: { code: TurnFailureCode; failedStep: string }): FailureReport {
  const { run, nodeName, status } = turn;
  return failureReport({ run, node: nodeName, code: end.code, phase: end.failedStep, status: status() });
}
