import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { recordOf, stringOf } from '../../../src/cluster/json.js';
import { isInWork } from '../../../src/run/nextTurn.js';
import { nameOf, nodeOfTurn, runStatusOf, turnStatusOf, type Truth } from '../invariants/truth.js';
import { playbookName } from '../nightPlaybook.js';

/** The month of a run, `yyyy-mm`, by its name. */
export function monthOf(run: string): string {
  return run.slice(playbookName.length + 1).slice(0, 7);
}

/** The run of this month's windows. */
export function runOfMonth(month: string): string {
  return `${playbookName}-${month}`;
}

/** All runs, the newest last. */
export function runsByMonth(truth: Truth): readonly ApiObject[] {
  return [...truth.runs()].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

export function newestRun(truth: Truth): ApiObject | undefined {
  return runsByMonth(truth).at(-1);
}

/** Nobody goes on with it. */
export function isOver(run: ApiObject): boolean {
  const { phase } = runStatusOf(run);
  return phase === 'Completed' || phase === 'Superseded';
}

export function runOfTurn(turn: ApiObject): string {
  return stringOf(recordOf(turn['spec'])['run']) ?? '';
}

export function turnsOf(truth: Truth, run: string): readonly ApiObject[] {
  return truth.turns().filter((turn) => runOfTurn(turn) === run);
}

export function turnOf(truth: Truth, run: string, node: string): ApiObject | undefined {
  return turnsOf(truth, run).find((turn) => nodeOfTurn(turn) === node);
}

/** Turns between their first step and their end, of runs that are not over. */
export function turnsInWork(truth: Truth): readonly ApiObject[] {
  const over = new Set(truth.runs().filter(isOver).map(nameOf));
  return truth.turns().filter((turn) => !over.has(runOfTurn(turn)) && isInWork(turnStatusOf(turn).phase ?? 'Pending'));
}
