import type { RunState, TurnStatus } from '../run/state.js';
import { plainText } from './plainText.js';
import { waitText } from './waitText.js';

/**
 * One line a change: what is new in `state` against `before`. A wait is told once, with until
 * when.
 */
export function runLines(before: RunState | undefined, state: RunState): string[] {
  const lines: string[] = [];
  if (before?.status.phase !== state.status.phase) lines.push(`run ${state.name}: ${state.status.phase}`);
  const wait = state.status.waitingFor;
  if (wait !== undefined && wait.what !== before?.status.waitingFor?.what)
    lines.push(`run ${state.name}: ${waitText(wait)}`);
  for (const turn of state.turns.values()) {
    lines.push(...turnLines(turn.node, before?.turns.get(turn.node)?.status, turn.status));
  }
  return lines;
}

function turnLines(node: string, before: TurnStatus | undefined, status: TurnStatus): string[] {
  const lines: string[] = [];
  if (before?.phase !== status.phase && (before !== undefined || status.phase !== 'Pending')) {
    lines.push(`${node}: ${status.phase}${status.message === undefined ? '' : ` - ${plainText(status.message)}`}`);
  }
  const wait = status.waitingFor;
  if (wait !== undefined && wait.what !== before?.waitingFor?.what) {
    lines.push(`${node}: ${waitText(wait)}`);
  }
  return lines;
}
