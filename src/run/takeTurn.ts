import { uncordon } from '../cluster/cordon.js';
import { LeaseLost } from '../cluster/heldLease.js';
import { cordonedByOf } from '../cluster/marks.js';
import { TurnusError } from '../turnusError.js';
import { isHostTouched } from './hostTouched.js';
import { decide, type Outcome, type StepEnd } from './outcome.js';
import type { TurnPhase } from './state.js';
import { turnSteps } from './turn.js';
import { currentNode, timestamp, type Step, type TurnContext } from './turnContext.js';

/** What the conductor must know of a turn that has ended, for now or for good. */
export type TurnEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'left'; readonly phase: TurnPhase; readonly run: 'go-on' | 'failure' | 'stop' };

/**
 * Takes one node through its turn, beginning at the step in which it stands. `stop` aborts when a person or the system
 * ends the run; what becomes of the node then is decided by the outcome table and done under `signal`.
 */
export async function takeTurn(
  turn: TurnContext,
  signals: { stop: AbortSignal; signal: AbortSignal },
): Promise<TurnEnd> {
  if (turn.status().phase === 'Undoing') return await finishUndoing(turn, signals.signal);
  for (const step of stepsFrom(turn.status().phase)) {
    await begin(turn, step);
    const end = await runStep(turn, step, signals.stop);
    if (end.kind === 'done') {
      await finishStep(turn);
      continue;
    }
    return await leave(turn, end, signals.signal);
  }
  await turn.record({ type: 'turn.finished', node: turn.nodeName, phase: 'Done' });
  await turn.save({ phase: 'Done', finishedAt: timestamp(turn.clock), message: undefined, waitingFor: undefined });
  await turn.announce({
    reason: 'TurnDone',
    message: `Turn of ${turn.nodeName} in run ${turn.run.name} is done`,
    type: 'Normal',
  });
  return { kind: 'done' };
}

/** A turn goes on at the step in which it was interrupted; one that has not begun, or was undone, from the first. */
function stepsFrom(phase: string): readonly Step[] {
  const place = turnSteps.findIndex((step) => step.phase === phase);
  return turnSteps.slice(Math.max(0, place));
}

async function begin(turn: TurnContext, step: Step): Promise<void> {
  const status = turn.status();
  const now = timestamp(turn.clock);
  if (status.phase === step.phase) return;
  if (status.startedAt === undefined || step === turnSteps[0]) {
    await turn.record({ type: 'turn.started', node: turn.nodeName, attempt: (status.attempts ?? 0) + 1 });
  }
  await turn.save({
    phase: step.phase,
    message: undefined,
    startedAt: status.startedAt ?? now,
    steps: [...(status.steps ?? []), { phase: step.phase, startedAt: now }],
  });
  await turn.announce({
    reason: step.phase,
    message: `Turn of ${turn.nodeName} in run ${turn.run.name}: ${step.phase}`,
    type: 'Normal',
  });
}

async function finishStep(turn: TurnContext): Promise<void> {
  const steps = turn.status().steps ?? [];
  const last = steps.at(-1);
  if (last === undefined) return;
  await turn.save({
    waitingFor: undefined,
    steps: [...steps.slice(0, -1), { ...last, finishedAt: timestamp(turn.clock) }],
  });
}

type StepOrStop = StepEnd | { readonly kind: 'stopped'; readonly message: string };

async function runStep(turn: TurnContext, step: Step, stop: AbortSignal): Promise<StepOrStop> {
  try {
    stop.throwIfAborted();
    return await step.run(turn, stop);
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    if (stop.reason instanceof LeaseLost) throw stop.reason;
    if (stop.aborted) return { kind: 'stopped', message: `Stopped while ${step.phase} (${reasonOf(stop)}).` };
    throw error;
  }
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
}

async function leave(
  turn: TurnContext,
  end: Exclude<StepOrStop, { kind: 'done' }>,
  signal: AbortSignal,
): Promise<TurnEnd> {
  const outcome: Outcome = end.kind;
  const decision = decide(outcome, isHostTouched(turn.status()));
  const phase: TurnPhase = decision.turn === 'same' ? (turn.status().phase as TurnPhase) : decision.turn;
  if (decision.node === 'undo') {
    await turn.save({ phase: 'Undoing', undoTo: phase, message: end.message, waitingFor: undefined });
    await undo(turn, signal);
  }
  await settlePhase(turn, phase, end.message);
  return { kind: 'left', phase, run: decision.run };
}

/** A crash came between the decision to undo and its end. */
async function finishUndoing(turn: TurnContext, signal: AbortSignal): Promise<TurnEnd> {
  const status = turn.status();
  const phase = (status.undoTo ?? 'Deferred') as TurnPhase;
  await undo(turn, signal);
  await settlePhase(turn, phase, status.message ?? '');
  return { kind: 'left', phase, run: phase === 'Failed' ? 'failure' : 'go-on' };
}

/** Tries of the uncordon that gives a node back, and the pause between them. */
const undoAttempts = 60;
const undoPauseMs = 1000;

/** Takes back the cordon, if it is ours (rule 10). */
async function undo(turn: TurnContext, signal: AbortSignal): Promise<void> {
  const { run, nodeName } = turn;
  const first = currentNode(turn);
  if (first === undefined || (turn.status().cordoned !== true && cordonedByOf(first) !== run.name)) return;
  await turn.record({ type: 'node.uncordoning', node: nodeName, undo: true });
  await turn.anchor();
  for (let attempt = 1; ; attempt += 1) {
    const node = currentNode(turn);
    if (node === undefined) return;
    const end = await uncordon({ cluster: turn.cluster, node, run: run.name, signal });
    if (end.kind === 'uncordoned') await turn.record({ type: 'node.uncordoned', node: nodeName, undo: true });
    if (end.kind !== 'failure') return;
    if (attempt === undoAttempts) {
      throw new TurnusError({
        code: 'undo-failed',
        message: `Node ${nodeName} could not be uncordoned: ${end.failure.message}`,
        hint: `Its host is untouched: kubectl uncordon ${nodeName}, or start the same command again.`,
        exitCode: 1,
      });
    }
    await turn.clock.sleep(undoPauseMs, signal);
  }
}

async function settlePhase(turn: TurnContext, phase: TurnPhase, message: string): Promise<void> {
  const status = turn.status();
  const goesOn = phase === status.phase;
  if (!goesOn) await turn.record({ type: 'turn.finished', node: turn.nodeName, phase, message });
  await turn.save({
    phase,
    message,
    undoTo: undefined,
    waitingFor: undefined,
    // Given back, the node starts anew: what the drain found then is no longer true.
    ...(status.phase === 'Undoing' ? { cordoned: undefined, displaced: undefined, boundControllers: undefined } : {}),
    ...(phase === 'Failed' ? { finishedAt: timestamp(turn.clock) } : {}),
  });
  if (!goesOn) {
    await turn.announce({ reason: `Turn${phase}`, message, type: phase === 'Failed' ? 'Warning' : 'Normal' });
  }
}
