import type { NodesPolicy } from '../../src/playbook/playbook.js';
import type { RunSpec, RunState, RunStatus, TurnStatus } from '../../src/run/state.js';

export const nodesPolicy: NodesPolicy = {
  selector: '',
  exclude: 'turnus.dev/exclude',
  order: ['longestSinceTurn'],
  canaries: 1,
  concurrency: 1,
  maxUnavailable: 1,
  stopAfterFailures: 1,
  steer: 'taint',
};

export const runSpec: RunSpec = {
  playbook: { name: 'monthly', snapshot: '{"spec":{}}' },
  planHash: '0f'.repeat(32),
  clusterUid: '6f1c0a52-1111-4222-8333-444455556666',
  requester: 'anna@bank.example',
  rehearsal: false,
  desired: { state: 'Run' },
};

/** A run whose order is that of `turns`: each node with its phase, or with its whole status. */
export function runState(
  turns: Readonly<Record<string, string | TurnStatus>>,
  status: Partial<RunStatus> = {},
): RunState {
  return {
    name: 'monthly-2026-11',
    uid: 'uid-of-the-run',
    spec: runSpec,
    status: { phase: 'Running', order: Object.keys(turns), ...status },
    isDeleted: false,
    turns: new Map(
      Object.entries(turns).map(([node, turn]) => [
        node,
        { node, nodeUid: `uid-of-${node}`, status: typeof turn === 'string' ? { phase: turn } : turn },
      ]),
    ),
  };
}
