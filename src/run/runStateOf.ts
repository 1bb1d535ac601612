import type { RunObject, TurnObject } from './objects.js';
import type { RunState } from './state.js';

/** The state that the objects of a run hold together. */
export function runStateOf({ run, turns }: { run: RunObject; turns: readonly TurnObject[] }): RunState {
  return {
    name: run.name,
    uid: run.uid,
    spec: run.spec,
    status: run.status,
    isDeleted: run.terminating,
    turns: new Map(turns.map(({ spec, status }) => [spec.node, { node: spec.node, nodeUid: spec.nodeUid, status }])),
  };
}
