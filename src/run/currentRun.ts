import type { NodeView } from '../cluster/view.js';
import type { RecordedRun, RecordedTurn } from './completedTurn.js';
import type { RunPhase } from './state.js';

/** Where the newest run of a playbook stands, for the nodes whose turn in it is not over. */
export interface CurrentRun {
  readonly run: string;
  readonly phase: string;
  /** Nodes of the run that are in the cluster and neither Done nor left out, in their order. */
  readonly toCome: readonly { readonly node: string; readonly phase: string }[];
  /** Nodes of the run that were not of its plan. */
  readonly joined: readonly string[];
  /** Nodes that the playbook selects and that are not in the run, or were registered anew since they came into it. */
  readonly notInRun: readonly string[];
  /** Nodes of the run whose turn is not over and that are not in the cluster. */
  readonly vanished: readonly string[];
}

/** The NodeTurns of a plan are made with the run; later ones are of nodes that joined. */
const planWithinMs = 5 * 60_000;

const isOver: ReadonlySet<string> = new Set<RunPhase>(['Completed', 'Superseded']);

/** Undefined where the playbook has no run, or the newest is over. Rehearsals do not count. */
export function currentRun(asked: {
  readonly playbook: string;
  /** Of any playbook, the newest first. */
  readonly runs: readonly RecordedRun[];
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** Those that the playbook selects. */
  readonly selected: readonly NodeView[];
}): CurrentRun | undefined {
  const { nodes } = asked;
  const newest = asked.runs.find((run) => run.playbook === asked.playbook && !run.rehearsal);
  if (newest === undefined || isOver.has(newest.phase)) return undefined;
  const turns = new Map(newest.turns.map((turn) => [turn.node, turn]));
  const open = newest.order.flatMap((node) => {
    const turn = turns.get(node);
    return turn === undefined || turn.status.phase === 'Done' || turn.status.phase === 'Skipped' ? [] : [turn];
  });
  return {
    run: newest.name,
    phase: newest.phase,
    toCome: open
      .filter((turn) => isOf(turn, nodes.get(turn.node)))
      .map(({ node, status }) => ({ node, phase: status.phase })),
    joined: joinedNodes(newest, { turns, nodes }),
    notInRun: asked.selected.filter((node) => !isOf(turns.get(node.name), node)).map(({ name }) => name),
    vanished: open.filter(({ node }) => !nodes.has(node)).map(({ node }) => node),
  };
}

/** Nodes that join are appended: at the end of the order, those that were made or taken in after the plan. */
function joinedNodes(
  run: RecordedRun,
  known: { turns: ReadonlyMap<string, RecordedTurn>; nodes: ReadonlyMap<string, NodeView> },
): string[] {
  const isLate = (name: string) => {
    const [turn, node] = [known.turns.get(name), known.nodes.get(name)];
    if (turn === undefined) return false;
    const isNewNode = node !== undefined && isOf(turn, node) && node.createdAt > run.createdAt;
    return isNewNode || turn.createdAt > run.createdAt + planWithinMs;
  };
  const lastOfPlan = run.order.findLastIndex((name) => !isLate(name));
  return run.order.slice(lastOfPlan + 1);
}

function isOf(turn: RecordedTurn | undefined, node: NodeView | undefined): boolean {
  return turn !== undefined && turn.nodeUid === node?.uid;
}
