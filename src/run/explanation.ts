import { matchesLabels, parseLabelSelector } from '../cluster/labelSelector.js';
import type { ClusterView, NodeView } from '../cluster/view.js';
import { controlPlaneProof } from '../gates/controlPlaneGate.js';
import type { NodeToEvaluate } from '../gates/evaluateNode.js';
import type { Finding } from '../gates/finding.js';
import type { NodesPolicy } from '../playbook/playbook.js';
import { concernsOn, type Concern } from './concerns.js';
import { readDesired } from './desired.js';
import { failedNodes, isInWork } from './nextTurn.js';
import type { RunState, TurnState, Wait } from './state.js';
import { mustStop } from './stopRule.js';

/** Why a node has no turn, or waits in it: everything that is known of it at this moment. */
export interface Explanation {
  readonly node: string;
  readonly playbook: string;
  /** The run whose playbook was taken; undefined: that of the call. */
  readonly playbookOf: string | undefined;
  readonly selection: Selection;
  /** What keeps the node from its turn, or the turn from its end; [] where nothing does. */
  readonly inTheWay: readonly Obstacle[];
  /** What the gates say besides, and nobody needs to change before the turn. */
  readonly toKnow: readonly ExplainedFinding[];
  /** Undefined: the gates do not count, because the turn has passed them or the node is gone. */
  readonly moment: NodeToEvaluate['moment'] | undefined;
  readonly isHostAsked: boolean;
  /** The last run that has the node, or would have it; undefined where there is none or it was not read. */
  readonly run: RunAtWork | undefined;
  /** Undefined where the run has none for the node. */
  readonly turn: TurnState | undefined;
  /** Why no run was looked at. */
  readonly runsNotRead: string | undefined;
}

export type Selection = 'selected' | 'excluded' | 'not-matched' | 'control-plane' | 'not-in-the-cluster';

export type Obstacle =
  | ({ readonly kind: 'gate' } & ExplainedFinding)
  | { readonly kind: 'node' | 'selection' | 'run' | 'turn'; readonly message: string; readonly hint: string };

export interface ExplainedFinding {
  readonly finding: Finding;
  /** The workloads meant; [] where it is the platform team's. */
  readonly concerns: readonly Concern[];
}

/** The run as far as it decides when the node has its turn. */
export interface RunAtWork {
  readonly name: string;
  readonly phase: string;
  readonly message: string | undefined;
  readonly waitingFor: Wait | undefined;
  /** Of the node in the order of turns, from 1; undefined where it is not in it. */
  readonly place: number | undefined;
  readonly of: number;
  /** The other nodes whose turns are in work. */
  readonly inWork: readonly { readonly node: string; readonly phase: string; readonly waitingFor: Wait | undefined }[];
}

export interface NodeToExplain {
  readonly node: string;
  readonly view: ClusterView;
  readonly playbook: { readonly name: string; readonly nodes: NodesPolicy };
  readonly playbookOf: string | undefined;
  readonly state: RunState | undefined;
  readonly runsNotRead: string | undefined;
  /** What the gates say at this moment; [] where they do not count. */
  readonly findings: readonly Finding[];
  readonly isHostAsked: boolean;
}

/** Puts together what stands in the way of a node. */
export function explanation(facts: NodeToExplain): Explanation {
  const { node, view, playbook, state, findings } = facts;
  const turn = state?.turns.get(node);
  const selection = selectionOf(view, node, playbook.nodes);
  const concernsOf = concernsOn(view);
  const explained = findings.map((finding) => ({ finding, concerns: concernsOf({ node, finding }) }));
  return {
    node,
    playbook: playbook.name,
    playbookOf: facts.playbookOf,
    selection,
    inTheWay: [
      ...selectionObstacle(selection, facts),
      ...runObstacle(state, node, playbook.nodes),
      ...turnObstacle(turn, state),
      ...explained
        .filter(({ finding }) => finding.severity === 'block')
        .map((finding) => ({ kind: 'gate', ...finding }) as const),
    ],
    toKnow: explained.filter(({ finding }) => finding.severity !== 'block'),
    moment: momentOf(turn, view.nodes.get(node)),
    isHostAsked: facts.isHostAsked,
    run: state && runAtWork(state, node),
    turn,
    runsNotRead: facts.runsNotRead,
  };
}

/** As which moment the gates are asked; undefined where they no longer count: the drain is over, or the node is gone. */
export function momentOf(
  turn: TurnState | undefined,
  node: NodeView | undefined,
): NodeToEvaluate['moment'] | undefined {
  if (node === undefined) return undefined;
  const phase = turn?.status.phase ?? 'Pending';
  switch (phase) {
    case 'Cordoning':
    case 'Draining':
      return 'after-cordon';
    case 'Preparing':
    case 'Checking':
      return 'before-cordon';
    default:
      return isInWork(phase) ? undefined : 'before-cordon';
  }
}

function selectionOf(view: ClusterView, name: string, policy: NodesPolicy): Selection {
  const node = view.nodes.get(name);
  if (node === undefined) return 'not-in-the-cluster';
  if (Object.hasOwn(node.labels, policy.exclude)) return 'excluded';
  if (controlPlaneProof(view, node) !== undefined) return 'control-plane';
  const parsed = parseLabelSelector(policy.selector);
  const matches = parsed.kind === 'ok' && matchesLabels(parsed.selector, node.labels);
  return matches ? 'selected' : 'not-matched';
}

function selectionObstacle(
  selection: Selection,
  { node, playbook }: Pick<NodeToExplain, 'node' | 'playbook'>,
): Obstacle[] {
  const { selector, exclude } = playbook.nodes;
  switch (selection) {
    case 'selected':
    case 'control-plane':
      // The gate says it, with what proves it.
      return [];
    case 'excluded':
      return [
        {
          kind: 'selection',
          message: `Playbook ${playbook.name} leaves out node ${node}: it carries the label ${exclude}.`,
          hint: `To let it have its turn: kubectl label node ${node} ${exclude}-`,
        },
      ];
    case 'not-matched':
      return [
        {
          kind: 'selection',
          message: `Playbook ${playbook.name} does not select node ${node}: its selector is ${JSON.stringify(selector)}.`,
          hint: 'Change spec.nodes.selector or the labels of the node; another playbook may select it.',
        },
      ];
    case 'not-in-the-cluster':
      return [
        {
          kind: 'node',
          message: `Node ${node} is not in the cluster any more.`,
          hint: 'Look at the machine; its turn says what was done to it.',
        },
      ];
  }
}

/** A run that begins no other turn stands in the way of those that have not begun. */
function runObstacle(state: RunState | undefined, node: string, policy: NodesPolicy): Obstacle[] {
  const phase = state?.turns.get(node)?.status.phase ?? 'Pending';
  if (state === undefined || phase === 'Done' || isInWork(phase) || !inOrder(state, node)) return [];
  if (isOver(state)) return [];
  const desired = readDesired(state.spec);
  const { name } = state;
  if (desired.state !== 'Run') {
    const what = desired.state === 'Pause' ? 'is paused' : 'was aborted';
    const by = desired.by === undefined ? '' : ` by ${desired.by}`;
    const reason = desired.reason === undefined ? '' : ` (${desired.reason})`;
    return [
      {
        kind: 'run',
        message: `Run ${name} ${what}${by}${reason}; it begins no other turn.`,
        hint: `To let it go on: turnus resume ${name}`,
      },
    ];
  }
  const failed = failedNodes(state).filter((other) => other !== node);
  if (!mustStop({ failed, order: state.status.order ?? [], policy })) return [];
  return [
    {
      kind: 'run',
      message: `Run ${name} has stopped, because the turn of ${failed.join(', ')} failed; it begins no other.`,
      hint: `turnus status ${name} says what to do with it.`,
    },
  ];
}

function turnObstacle(turn: TurnState | undefined, state: RunState | undefined): Obstacle[] {
  if (turn === undefined || state === undefined || isOver(state)) return [];
  const { status, node } = turn;
  const message = status.message ?? `The turn of node ${node} in run ${state.name} is ${status.phase}.`;
  if (status.phase === 'Failed') {
    const next = status.failure?.next[0] ?? `turnus status ${state.name} says what to do.`;
    return [{ kind: 'turn', message, hint: next }];
  }
  if (status.phase !== 'Skipped' || status.skippedBy === undefined) return [];
  return [{ kind: 'turn', message, hint: 'The next run takes it again.' }];
}

function runAtWork(state: RunState, node: string): RunAtWork {
  const { status } = state;
  const order = status.order ?? [];
  const place = order.indexOf(node);
  return {
    name: state.name,
    phase: status.phase,
    message: status.message,
    waitingFor: status.waitingFor,
    place: place === -1 ? undefined : place + 1,
    of: order.length,
    inWork: [...state.turns.values()]
      .filter((turn) => turn.node !== node && isInWork(turn.status.phase))
      .map((turn) => ({ node: turn.node, phase: turn.status.phase, waitingFor: turn.status.waitingFor })),
  };
}

/** Nothing is left to be done in the run: its records are history. */
function isOver(state: RunState): boolean {
  return ['Completed', 'Superseded'].includes(state.status.phase);
}

function inOrder(state: RunState, node: string): boolean {
  return state.status.order?.includes(node) === true;
}
