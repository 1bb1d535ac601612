import type { StepEnd } from '../outcome.js';
import type { TurnContext } from '../turnContext.js';
import { hostIsNode } from './hostIsNode.js';
import { readyToTouch } from './readyToTouch.js';
import { runScript } from './runScript.js';

/** The update itself: the team's script on the empty host, exactly once. */
export async function updateHost(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  if (turn.playbook.host.scripts.update === undefined || turn.run.rehearsal) return { kind: 'done' };
  if (turn.status().jobs?.update === undefined) {
    const ready = await readyToTouch(turn, signal);
    if (ready.kind !== 'done') return ready;
    const identity = await hostIsNode(turn, signal);
    if (identity.kind !== 'ok') return { kind: 'deferred', message: identity.message };
    await turn.save({ bootIdBefore: identity.bootId });
  }
  return await runScript(turn, 'update', signal);
}
