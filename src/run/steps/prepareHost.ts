import type { StepEnd } from '../outcome.js';
import type { TurnContext } from '../turnContext.js';
import { hostIsNode } from './hostIsNode.js';
import { runScriptOrDefer } from './runScript.js';

/** Before the cordon: the team's `prepare` script, for what may be done while the node is in service (downloads). It may have run ahead of the turn. */
export async function prepareHost(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  return await runScriptOrDefer(turn, { stage: 'prepare', beforeStart: () => hostIsNode(turn, signal) }, signal);
}
