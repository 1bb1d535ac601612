import { localText } from '../calendar/localText.js';
import { formatDuration } from '../time/duration.js';
import type { Conducting } from './conducting.js';
import type { RunStop } from './runEnd.js';
import { closeOf, WindowClosed, type RunWindow } from './runWindow.js';
import type { RunState } from './state.js';

/** Why none of these nodes, one at least, begins its turn in this window, and when the next one opens. */
export function windowStop(
  { window, turnLengthMs, clock }: Pick<Conducting, 'window' | 'turnLengthMs' | 'clock'>,
  nodes: readonly string[],
): Extract<RunStop, { kind: 'window' }> {
  const opensAt = window.reopensAt();
  const lengths = nodes.map(turnLengthMs);
  const opens = opensAt !== undefined && opensAt <= clock.now() ? 'has opened' : 'opens';
  const next =
    opensAt === undefined
      ? 'No further one opens.'
      : `The next one ${opens} at ${localText(opensAt, window.timeZone)}.`;
  return { kind: 'window', opensAt, message: `${whyNow(window, Math.min(...lengths))} ${next}` };
}

/** Nodes whose turn did not begin, or was given back. */
export function nodesLeft({ status, turns }: Pick<RunState, 'status' | 'turns'>): string[] {
  return (status.order ?? []).filter((node) => {
    const phase = turns.get(node)?.status.phase;
    return phase === 'Pending' || phase === 'Deferred';
  });
}

function whyNow(window: RunWindow, turnMs: number): string {
  const reason: unknown = window.closed.reason;
  if (reason instanceof WindowClosed) return `${reason.message.charAt(0).toUpperCase()}${reason.message.slice(1)}.`;
  const closesAt = closeOf(window.state());
  if (closesAt === undefined) return 'No window is open.';
  return `The window closes at ${localText(closesAt, window.timeZone)}, and a turn may take ${formatDuration(turnMs)}.`;
}
