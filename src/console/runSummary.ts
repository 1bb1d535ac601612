import type { RunState, TurnState, TurnStatus } from '../run/state.js';
import { failureReport } from './failureReport.js';
import { plainText } from './plainText.js';
import { table } from './table.js';
import { spanMs, spanText } from './timeText.js';
import { turnsInOrder } from './turnsInOrder.js';
import type { CollectedWait } from './waitCollector.js';

/** A shorter wait is not worth a line. */
const shortestWaitMs = 1000;

/**
 * What came of the run: where each node stands and how long it took, the longest waits, and what a person must do: a
 * block for each node that failed or was left by a gate.
 */
export function runSummary(
  state: RunState,
  seen: { readonly longestWaits: readonly CollectedWait[]; readonly now: number },
): string[] {
  return [
    ...table([
      ['NODE', 'PHASE', 'DURATION', 'DRAIN', 'UPDATE', 'REBOOT', 'VERIFY', 'EVICTIONS'],
      ...turnsInOrder(state).map(summaryRow),
    ]),
    ...waitLines(seen.longestWaits),
    ...needsAPerson(state).flatMap((turn) => ['', ...failureReport(turn, seen.now)]),
  ];
}

/** Turns that a person must look at, in the order of the run: the failed ones first. */
export function needsAPerson(state: RunState): TurnState[] {
  const turns = turnsInOrder(state);
  return ['Failed', 'Blocked', 'Deferred'].flatMap((phase) => turns.filter(({ status }) => status.phase === phase));
}

function summaryRow({ node, status }: TurnState): string[] {
  return [
    plainText(node),
    plainText(status.phase),
    spanText(spanMs(status.startedAt, status.finishedAt)),
    ...['Draining', 'Updating', 'Rebooting', 'Verifying'].map((phase) => stepsText(status, phase)),
    status.evictions === undefined ? '-' : String(status.evictions),
  ];
}

/** All steps of a phase added up: a turn that was undone has more than one. The last one may have ended with the turn. */
function stepsText(status: TurnStatus, phase: string): string {
  const steps = status.steps ?? [];
  const spans = steps.flatMap((step, place) => {
    if (step.phase !== phase) return [];
    return spanMs(step.startedAt, step.finishedAt ?? steps[place + 1]?.startedAt ?? status.finishedAt) ?? [];
  });
  return spans.length === 0 ? '-' : spanText(spans.reduce((sum, ms) => sum + ms));
}

function waitLines(waits: readonly CollectedWait[]): string[] {
  const long = waits.filter(({ totalMs }) => totalMs >= shortestWaitMs);
  if (long.length === 0) return [];
  return [
    '',
    'Longest waits:',
    ...long.map(({ node, what, totalMs }) => `  ${spanText(totalMs)}: ${node === undefined ? '' : `${node}: `}${what}`),
  ];
}
