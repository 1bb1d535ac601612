import { holdOf, marks } from '../cluster/marks.js';
import { TurnusError } from '../turnusError.js';
import { isOver } from './execution.js';
import { hasLeft } from './hasLeft.js';
import { givenBack } from './newAttempt.js';
import type { StepEnd } from './outcome.js';
import { hostIsNode } from './steps/hostIsNode.js';
import { runScript } from './steps/runScript.js';
import { giveBack } from './steps/uncordonNode.js';
import { currentNode, type TurnContext } from './turnContext.js';

/** How an undo ended. */
export type UndoEnd =
  | { readonly kind: 'undone' }
  /** The node stays cordoned because a person holds it. */
  | { readonly kind: 'kept'; readonly message: string }
  /** The node stays cordoned because script `join` could not bring it back. */
  | { readonly kind: 'failed'; readonly message: string };

/**
 * Gives the node back as it was found: `join` where `leave` may have taken it out, then the cordon, if this turn has set
 * it (rule 10). A person's hold stands above the undo. Once begun it ends only with the lease, or by `abort --now`.
 */
export async function undo(turn: TurnContext, abortNow: AbortSignal): Promise<UndoEnd> {
  if (currentNode(turn) === undefined || turn.status().cordoned !== true) return { kind: 'undone' };
  const kept = keptByHold(turn);
  if (kept !== undefined) return kept;
  const back = await bringBack(turn, abortNow);
  if (back !== undefined) return { kind: 'failed', message: back };
  return keptByHold(turn) ?? (await takeCordonBack(turn));
}

function keptByHold(turn: TurnContext): UndoEnd | undefined {
  const { nodeName } = turn;
  const node = currentNode(turn);
  const hold = node && holdOf(node);
  if (hold === undefined) return undefined;
  return {
    kind: 'kept',
    message: `Node ${nodeName} stays cordoned because it is held (${hold}). When it may take pods: kubectl annotate node ${nodeName} ${marks.hold}- and kubectl uncordon ${nodeName}; the next turn of the node goes on with either.`,
  };
}

/** Answers why the node could not be brought back; undefined where it is, or where `leave` had not taken it out. */
async function bringBack(turn: TurnContext, abortNow: AbortSignal): Promise<string | undefined> {
  if (!hasLeft(turn.status())) return undefined;
  const signal = AbortSignal.any([turn.signal, abortNow]);
  try {
    signal.throwIfAborted();
    const why = (await endOfLeave(turn, signal)) ?? (await join(turn, signal));
    return why === undefined ? undefined : stays(turn, why);
  } catch (error) {
    if (turn.signal.aborted || !abortNow.aborted || error !== signal.reason) throw error;
    return stays(turn, 'the run was aborted at once before that.');
  } finally {
    turn.waiting(undefined);
  }
}

/** `join` never runs beside `leave`, and not on a host that was rebooted under it. Answers what is in the way of it. */
async function endOfLeave(turn: TurnContext, signal: AbortSignal): Promise<string | undefined> {
  const before = turn.status().jobs?.leave;
  if (before !== undefined && before.state === undefined) {
    const notBegun: StepEnd = { kind: 'deferred', message: 'an undo begins no leave' };
    await runScript(turn, { stage: 'leave', beforeStart: () => Promise.resolve(notBegun) }, signal);
  }
  const leave = turn.status().jobs?.leave;
  if (leave !== undefined && !isOver(leave)) return 'the end of script leave is not known, and it may still run.';
  return leave?.rebootedUnasked === true ? 'the host was rebooted while script leave ran.' : undefined;
}

async function join(turn: TurnContext, signal: AbortSignal): Promise<string | undefined> {
  if (!hasLeft(turn.status()) || turn.playbook.host.scripts.join === undefined) return undefined;
  const end = await runScript(turn, { stage: 'join', beforeStart: () => awaitHost(turn, signal) }, signal);
  if (end.kind !== 'done') return end.message;
  return turn.status().jobs?.join?.rebootedUnasked === true
    ? 'the host was rebooted while script join ran.'
    : undefined;
}

function stays({ nodeName }: TurnContext, why: string): string {
  return `Script leave had taken ${nodeName} out, and it was not brought back: ${why} The node stays cordoned.`;
}

/** A host that is away for a moment is no reason to leave its node out. */
const hostPatienceMs = 5 * 60_000;
const lookAgainMs = 5000;

async function awaitHost(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const until = turn.clock.now() + hostPatienceMs;
  const deadlineAt = turn.clock.monotonic() + hostPatienceMs;
  for (;;) {
    const identity = await hostIsNode(turn, signal);
    if (identity.kind !== 'deferred' || turn.clock.monotonic() >= deadlineAt) return identity;
    turn.waiting({
      what: `the host of ${turn.nodeName} to answer, so that script join can bring the node back: ${identity.message}`,
      untilMs: until,
      who: `the host of ${turn.nodeName}`,
    });
    await turn.clock.sleep(lookAgainMs, signal);
  }
}

async function takeCordonBack(turn: TurnContext): Promise<UndoEnd> {
  const { nodeName } = turn;
  const node = currentNode(turn);
  if (node === undefined) return { kind: 'undone' };
  await turn.record({ type: 'node.uncordoning', node: nodeName, undo: true });
  await turn.anchor();
  const end = await giveBack(turn, node, undefined);
  if (end.kind === 'uncordoned') await turn.record({ type: 'node.uncordoned', node: nodeName, undo: true });
  if (end.kind === 'failure' && end.failure.kind !== 'not-found') {
    throw new TurnusError({
      code: 'undo-failed',
      message: `Node ${nodeName} could not be uncordoned: ${end.failure.message}`,
      hint: `Its host is untouched: kubectl uncordon ${nodeName}, or start the same command again.`,
      exitCode: 1,
    });
  }
  await turn.save({ cordoned: undefined, boundControllers: undefined, ...givenBack(turn.status()) });
  return { kind: 'undone' };
}
