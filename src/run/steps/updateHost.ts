import type { StepEnd } from '../outcome.js';
import type { TurnContext } from '../turnContext.js';
import { hostIsNode } from './hostIsNode.js';
import { readyToTouch } from './readyToTouch.js';
import { runScript } from './runScript.js';

/** The update itself: the team's script on the empty host, exactly once. */
export async function updateHost(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const beforeStart = async () => {
    const ready = await readyToTouch(turn, signal);
    return ready.kind === 'done' ? await hostIsNode(turn, signal) : ready;
  };
  return await runScript(turn, { stage: 'update', beforeStart }, signal);
}
