import { recoverySentence, unrecovered, type Unrecovered } from '../../drain/recovery.js';
import { isDeadlineExceeded } from '../../time/clock.js';
import { formatDuration } from '../../time/duration.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, type TurnContext } from '../turnContext.js';

/**
 * Before the next turn: the node stays Ready for the settle time, and every owner displaced by this turn has
 * min(Ready before, desired now) Ready replicas again (rule 5). Owners that do not come back in time are written down:
 * the node is proved and in service, and other nodes keep their replicas.
 */
export async function settleTurn(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const { timeMs, timeoutMs } = turn.playbook.settle;
  const deadline = turn.clock.deadline(timeMs + timeoutMs, signal);
  const until = turn.clock.now() + timeMs + timeoutMs;
  let quietSince = turn.clock.monotonic();
  try {
    for (;;) {
      const version = turn.cache.version();
      const open = openMatters(turn);
      const now = turn.clock.monotonic();
      if (open.length > 0) quietSince = now;
      const leftMs = timeMs - (now - quietSince);
      if (open.length === 0 && leftMs <= 0) return settled(turn);
      turn.waiting(
        open.length > 0
          ? { what: open.join('; '), untilMs: until, who: 'the controllers of these workloads' }
          : {
              what: `${formatDuration(timeMs)} without a change for the worse after ${turn.nodeName}`,
              untilMs: turn.clock.now() + leftMs,
            },
      );
      await nextLook(turn, { version, afterMs: open.length > 0 ? 5000 : leftMs }, deadline.signal);
    }
  } catch (error) {
    if (!isDeadlineExceeded(deadline.signal) || signal.aborted) throw error;
    return await givenUp(turn);
  } finally {
    deadline.clear();
    turn.waiting(undefined);
  }
}

function openMatters(turn: TurnContext): string[] {
  const open = missingOwners(turn).map(recoverySentence);
  return isUnready(turn) ? [...open, `node ${turn.nodeName} is not Ready`] : open;
}

function missingOwners(turn: TurnContext): readonly Unrecovered[] {
  const displaced = new Map((turn.status().displaced ?? []).map(({ owner, readyBefore }) => [owner, readyBefore]));
  return unrecovered({ view: turn.cache.view(), displaced });
}

function isUnready(turn: TurnContext): boolean {
  return currentNode(turn)?.ready === false;
}

/** What an earlier attempt to settle has left is over. */
function settled(turn: TurnContext): StepEnd {
  const { message, unrecovered: left } = turn.status();
  if (message !== undefined || left !== undefined) turn.note({ message: undefined, unrecovered: undefined });
  return { kind: 'done' };
}

async function givenUp(turn: TurnContext): Promise<StepEnd> {
  const missing = missingOwners(turn);
  // All came back in time, only not for as long as the settle time.
  if (missing.length === 0 && !isUnready(turn)) return settled(turn);
  const message = `Node ${turn.nodeName} is back in service, but not everything recovered: ${openMatters(turn).join('; ')}`;
  if (isUnready(turn)) return { kind: 'not-recovered', message: `${message}.` };
  const owners = new Set(missing.map(({ owner }) => owner));
  await turn.save({
    message,
    unrecovered: (turn.status().displaced ?? []).filter(({ owner }) => owners.has(owner)),
  });
  await turn.record({ type: 'gate.checked', node: turn.nodeName, moment: 'settling', notRecovered: message });
  return { kind: 'done' };
}

/** Resolves at the next change of the cluster or after `afterMs`, whichever comes first. */
async function nextLook(
  turn: TurnContext,
  look: { version: number; afterMs: number },
  signal: AbortSignal,
): Promise<void> {
  const pause = turn.clock.deadline(Math.max(1, look.afterMs), signal);
  try {
    await turn.cache.changed(look.version, pause.signal);
  } catch (error) {
    if (!isDeadlineExceeded(pause.signal) || signal.aborted) throw error;
  } finally {
    pause.clear();
  }
}
