import type { RunState, TurnPhase } from './state.js';

const inWork: ReadonlySet<string> = new Set<TurnPhase>([
  'Preparing',
  'Checking',
  'Cordoning',
  'Draining',
  'Updating',
  'Rebooting',
  'Verifying',
  'Uncordoning',
  'Settling',
  'Undoing',
]);

/** True while the node is between its first step and its end. */
export function isInWork(phase: string): boolean {
  return inWork.has(phase);
}

export interface NextTurnInput {
  readonly state: RunState;
  /** Nodes this call may take; undefined: all. A turn in work is finished whatever this says. */
  readonly only: ReadonlySet<string> | undefined;
  /** Tries of each node in this call. */
  readonly tries: ReadonlyMap<string, number>;
  readonly attempts: number;
}

/**
 * The node whose turn is next: first one that is in work (a crash came between), then those that have not begun, in
 * their order, then those that were deferred or blocked, as often as the playbook allows in a window.
 */
export function nextTurn(input: NextTurnInput): string | undefined {
  const { state } = input;
  const order = state.status.order ?? [];
  const phaseOf = (node: string) => state.turns.get(node)?.status.phase ?? 'Pending';
  const started = order.find((node) => isInWork(phaseOf(node)));
  if (started !== undefined) return started;
  const allowed = order.filter((node) => input.only === undefined || input.only.has(node));
  const tried = (node: string) => input.tries.get(node) ?? 0;
  return (
    allowed.find((node) => phaseOf(node) === 'Pending' && tried(node) === 0) ??
    allowed.find((node) => phaseOf(node) === 'Deferred' && tried(node) < input.attempts) ??
    allowed.find((node) => phaseOf(node) === 'Blocked' && tried(node) === 0)
  );
}
