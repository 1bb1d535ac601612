import type { StepEnd } from '../outcome.js';
import type { TurnContext } from '../turnContext.js';
import { runScript } from './runScript.js';
import { hostIsNode } from './hostIsNode.js';

/** Before the cordon: the team's `prepare` script, for what may be done while the node is in service (downloads). */
export async function prepareHost(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  if (turn.playbook.host.scripts.prepare === undefined || turn.run.rehearsal) return { kind: 'done' };
  if (turn.status().jobs?.prepare === undefined) {
    const identity = await hostIsNode(turn, signal);
    if (identity.kind !== 'ok') return { kind: 'blocked', message: identity.message };
    await turn.save({ bootIdBefore: identity.bootId });
  }
  return await runScript(turn, 'prepare', signal);
}
