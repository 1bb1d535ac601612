import type { RunState, TurnStatus } from '../run/state.js';
import { formatDuration } from '../time/duration.js';
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

/** What came of the run: each node's phase, durations, evictions, then what a person must do. */
export function runSummary(state: RunState): string[][] {
  const rows = [['NODE', 'PHASE', 'DURATION', 'DRAIN', 'UPDATE', 'REBOOT', 'EVICTIONS', 'REMARK']];
  for (const node of state.status.order ?? []) {
    const status = state.turns.get(node)?.status;
    if (status === undefined) continue;
    rows.push([
      node,
      status.phase,
      span(status.startedAt, status.finishedAt),
      stepSpan(status, 'Draining'),
      stepSpan(status, 'Updating'),
      stepSpan(status, 'Rebooting'),
      status.evictions === undefined ? '-' : String(status.evictions),
      status.message ?? '',
    ]);
  }
  return rows;
}

function stepSpan(status: TurnStatus, phase: string): string {
  const step = (status.steps ?? []).findLast((candidate) => candidate.phase === phase);
  return span(step?.startedAt, step?.finishedAt);
}

function span(from: string | undefined, to: string | undefined): string {
  return from === undefined || to === undefined ? '-' : formatDuration(Date.parse(to) - Date.parse(from));
}
