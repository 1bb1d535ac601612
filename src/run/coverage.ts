import type { ClusterView, NodeView } from '../cluster/view.js';
import type { NodesPolicy } from '../playbook/playbook.js';
import { lastCompletedTurn, type CompletedTurn, type RecordedRun } from './completedTurn.js';
import { currentRun, type CurrentRun } from './currentRun.js';
import { selectNodes } from './selectNodes.js';

/** A playbook by which nodes are judged. */
export interface JudgedPlaybook {
  readonly name: string;
  /** The run that keeps it; undefined where it was read from a file. */
  readonly snapshotOf: string | undefined;
  readonly nodes: NodesPolicy;
  /** `spec.schedule.coverage`; undefined where the playbook does not say. */
  readonly coverageMs: number | undefined;
}

/** Whether every node has had its turn in time. */
export interface Coverage {
  /** Milliseconds since the epoch. */
  readonly judgedAt: number;
  readonly playbooks: readonly PlaybookCoverage[];
  /** Nodes that none of these playbooks selects. */
  readonly notSelected: readonly string[];
}

export interface PlaybookCoverage extends Pick<JudgedPlaybook, 'snapshotOf' | 'coverageMs'> {
  readonly playbook: string;
  /** Alarms first, then those whose last turn, or registration, is the longest ago. */
  readonly nodes: readonly NodeCoverage[];
  readonly current: CurrentRun | undefined;
}

export interface NodeCoverage {
  readonly node: string;
  /**
   * `covered`: it had its turn within the coverage. `overdue`: that is longer ago. `never`: no turn of this machine is
   * known. `no-limit`: it had a turn, and the playbook gives no coverage.
   */
  readonly verdict: 'covered' | 'overdue' | 'never' | 'no-limit';
  /** Overdue, or in the cluster for longer than the coverage and never done. */
  readonly isAlarm: boolean;
  /** When the node was registered; milliseconds since the epoch. */
  readonly createdAt: number;
  readonly lastTurn: CompletedTurn | undefined;
  /** Since the last turn; undefined where there is none. */
  readonly ageMs: number | undefined;
  /** When a turn is due; milliseconds since the epoch. Undefined where the playbook gives no coverage. */
  readonly dueAt: number | undefined;
}

/** Judges the nodes of a view by the playbooks and what the runs, the newest first, have recorded. */
export function coverage(asked: {
  readonly view: Pick<ClusterView, 'nodes' | 'pods'>;
  readonly playbooks: readonly JudgedPlaybook[];
  readonly runs: readonly RecordedRun[];
  readonly now: number;
}): Coverage {
  const { view, runs, now } = asked;
  const selections = asked.playbooks.map((playbook) => ({ playbook, selected: selectNodes(view, playbook.nodes) }));
  const known = new Set(selections.flatMap(({ selected }) => selected.map(({ name }) => name)));
  return {
    judgedAt: now,
    playbooks: selections.map(({ playbook: { name, snapshotOf, coverageMs }, selected }) => ({
      playbook: name,
      snapshotOf,
      coverageMs,
      nodes: selected
        .map((node) => {
          const lastTurn = lastCompletedTurn({ playbook: name, node, runs, now });
          return judged(node, { lastTurn, coverageMs, now });
        })
        .sort(byUrgency),
      current: currentRun({ playbook: name, runs, nodes: view.nodes, selected }),
    })),
    notSelected: [...view.nodes.keys()].filter((name) => !known.has(name)).sort(),
  };
}

/** The nodes that need a turn at once, each once, in the order of their playbooks. */
export function alarmingNodes({ playbooks }: Pick<Coverage, 'playbooks'>): string[] {
  return [...new Set(playbooks.flatMap(({ nodes }) => nodes.filter(({ isAlarm }) => isAlarm).map(({ node }) => node)))];
}

function judged(
  node: NodeView,
  facts: { lastTurn: CompletedTurn | undefined; coverageMs: number | undefined; now: number },
): NodeCoverage {
  const { lastTurn, coverageMs, now } = facts;
  const { name, createdAt } = node;
  const dueAt = coverageMs === undefined ? undefined : (lastTurn?.at ?? createdAt) + coverageMs;
  const isAlarm = dueAt !== undefined && dueAt < now;
  return {
    node: name,
    verdict: lastTurn === undefined ? 'never' : dueAt === undefined ? 'no-limit' : isAlarm ? 'overdue' : 'covered',
    isAlarm,
    createdAt,
    lastTurn,
    ageMs: lastTurn && Math.max(0, now - lastTurn.at),
    dueAt,
  };
}

function byUrgency(one: NodeCoverage, other: NodeCoverage): number {
  const since = (node: NodeCoverage) => node.lastTurn?.at ?? node.createdAt;
  return Number(other.isAlarm) - Number(one.isAlarm) || since(one) - since(other) || (one.node < other.node ? -1 : 1);
}
