import { marks } from '../../cluster/marks.js';
import { isDeadlineExceeded } from '../../time/clock.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, type TurnContext } from '../turnContext.js';

/** A person's hold (annotation turnus.dev/hold) stops the turn here until it is taken away, at most settle.timeout. */
export async function awaitNoHold(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const timeoutMs = turn.playbook.settle.timeoutMs;
  const deadline = turn.clock.deadline(timeoutMs, signal);
  const until = turn.clock.now() + timeoutMs;
  try {
    for (;;) {
      const version = turn.cache.version();
      const reason = currentNode(turn)?.annotations[marks.hold];
      if (reason === undefined) return { kind: 'done' };
      turn.waiting({
        what: `the hold on node ${turn.nodeName} (${reason}) to be taken away`,
        untilMs: until,
        who: `whoever set it: kubectl annotate node ${turn.nodeName} ${marks.hold}-`,
      });
      await turn.cache.changed(version, deadline.signal);
    }
  } catch (error) {
    if (!isDeadlineExceeded(deadline.signal) || signal.aborted) throw error;
    const message = `Node ${turn.nodeName} is held by annotation ${marks.hold}: ${currentNode(turn)?.annotations[marks.hold] ?? ''}`;
    return { kind: 'deferred', message };
  } finally {
    deadline.clear();
    turn.waiting(undefined);
  }
}
