import { recoverySentence, unrecovered } from '../../drain/recovery.js';
import { isDeadlineExceeded } from '../../time/clock.js';
import { formatDuration } from '../../time/duration.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, type TurnContext } from '../turnContext.js';

/**
 * Before the next turn: the node stays Ready for the settle time, and every owner displaced by this turn has
 * min(Ready before, desired now) Ready replicas again (rule 5).
 */
export async function settleTurn(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const { timeMs, timeoutMs } = turn.playbook.settle;
  const deadline = turn.clock.deadline(timeMs + timeoutMs, signal);
  const until = turn.clock.now() + timeMs + timeoutMs;
  let quietSince = turn.clock.monotonic();
  let open: string[] = [];
  try {
    for (;;) {
      const version = turn.cache.version();
      open = openMatters(turn);
      const now = turn.clock.monotonic();
      if (open.length > 0) quietSince = now;
      const leftMs = timeMs - (now - quietSince);
      if (open.length === 0 && leftMs <= 0) return { kind: 'done' };
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
    return {
      kind: 'not-recovered',
      message: `Node ${turn.nodeName} is back in service, but not everything recovered: ${open.join('; ')}.`,
    };
  } finally {
    deadline.clear();
    turn.waiting(undefined);
  }
}

function openMatters(turn: TurnContext): string[] {
  const view = turn.cache.view();
  const displaced = new Map((turn.status().displaced ?? []).map(({ owner, readyBefore }) => [owner, readyBefore]));
  const open = unrecovered({ view, displaced }).map(recoverySentence);
  const node = currentNode(turn);
  if (node !== undefined && !node.ready) open.push(`node ${turn.nodeName} is not Ready`);
  return open;
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
