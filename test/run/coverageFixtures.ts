import { lastTurnText, marks } from '../../src/cluster/marks.js';
import type { NodeView } from '../../src/cluster/view.js';
import type { RecordedRun, RecordedTurn } from '../../src/run/completedTurn.js';
import type { JudgedPlaybook } from '../../src/run/coverage.js';
import type { TurnStatus } from '../../src/run/state.js';
import { node } from '../drain/clusterFixtures.js';
import { nodesPolicy } from './runFixtures.js';

export const dayMs = 86_400_000;
export const now = Date.parse('2026-11-30T12:00:00Z');

/** So many days before now, RFC 3339. */
export function daysAgo(days: number): string {
  return new Date(now - days * dayMs).toISOString();
}

/** A node that was registered so many days ago, with a mark of its last turn where one is given. */
export function aged(
  name: string,
  days: number,
  changes: Partial<NodeView> & { readonly mark?: { readonly run: string; readonly days: number } } = {},
): NodeView {
  const { mark, ...others } = changes;
  const text = mark && lastTurnText({ time: now - mark.days * dayMs, run: mark.run });
  return node(name, {
    createdAt: now - days * dayMs,
    annotations: text === undefined ? {} : { [marks.lastTurn]: text },
    ...others,
  });
}

/** A turn of a node with the UID that {@link node} gives it. */
export function turn(name: string, status: TurnStatus, changes: Partial<RecordedTurn> = {}): RecordedTurn {
  return { node: name, nodeUid: `uid-of-${name}`, createdAt: 0, status, ...changes };
}

/** A Done turn that ended so many days ago. */
export function doneTurn(name: string, days: number, changes: Partial<RecordedTurn> = {}): RecordedTurn {
  return turn(name, { phase: 'Done', finishedAt: daysAgo(days) }, changes);
}

/** A completed run of playbook monthly over the nodes of its turns. */
export function recordedRun(
  name: string,
  turns: readonly RecordedTurn[],
  changes: Partial<RecordedRun> = {},
): RecordedRun {
  return {
    name,
    playbook: 'monthly',
    rehearsal: false,
    createdAt: 0,
    phase: 'Completed',
    order: turns.map((one) => one.node),
    turns,
    ...changes,
  };
}

export function judgedPlaybook(changes: Partial<JudgedPlaybook> = {}): JudgedPlaybook {
  return { name: 'monthly', snapshotOf: undefined, nodes: nodesPolicy, coverageMs: 40 * dayMs, ...changes };
}
