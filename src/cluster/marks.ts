import { parseJson, recordOf, stringOf, timeOf } from './json.js';
import type { NodeView } from './view.js';

/** What Turnus and people write on nodes, and Turnus on the pod template of a Deployment. */
export const marks = {
  /** Annotation: the run whose cordon this is. Set and removed together with the cordon. */
  cordonedBy: 'turnus.dev/cordoned-by',
  /** Annotation of a person: do not go on with this node, and why. */
  hold: 'turnus.dev/hold',
  /** Annotation: what the playbook's `duringTurn` set on the node, and what stood there before. */
  duringTurn: 'turnus.dev/during-turn',
  /** Annotation: `{"time", "run"}` of the last turn that ended well. */
  lastTurn: 'turnus.dev/last-turn',
  /** Label (default of the playbook): this node is not taken. */
  exclude: 'turnus.dev/exclude',
  /** Annotation of a pod template: for which run and node the Deployment was restarted, as `run/node`. */
  restartedFor: 'turnus.dev/restarted-for',
} as const;

/** When a node had its last turn, and in which run. */
export interface LastTurn {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly run: string;
}

/** The run that marks this node's cordon as its own; undefined where none does. */
export function cordonedByOf(node: NodeView): string | undefined {
  return node.annotations[marks.cordonedBy];
}

/** Why a person holds this node; undefined where nobody does. */
export function holdOf(node: NodeView): string | undefined {
  return node.annotations[marks.hold];
}

/** The last turn as the node's annotation tells it; undefined where there is none or it cannot be read. */
export function lastTurnOf(node: NodeView): LastTurn | undefined {
  const text = node.annotations[marks.lastTurn];
  const mark = text === undefined ? {} : recordOf(parseJson(text));
  const time = timeOf(mark['time']);
  const run = stringOf(mark['run']);
  return time === undefined || run === undefined ? undefined : { time, run };
}

/** The annotation's text. */
export function lastTurnText({ time, run }: LastTurn): string {
  return JSON.stringify({ time: new Date(time).toISOString(), run });
}
