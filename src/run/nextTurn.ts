import type { NodesPolicy } from '../playbook/playbook.js';
import type { Desired } from './desired.js';
import { isHostTouched } from './hostTouched.js';
import type { RunState, TurnPhase } from './state.js';
import { mustStop } from './stopRule.js';

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

const beyondCordon: ReadonlySet<string> = new Set<TurnPhase>([
  'Draining',
  'Updating',
  'Rebooting',
  'Verifying',
  'Uncordoning',
  'Settling',
]);

/** True where the node's cordon stands, or has stood and is gone again. */
export function isBeyondCordon(phase: string): boolean {
  return beyondCordon.has(phase);
}

export interface NextTurnInput {
  readonly state: RunState;
  readonly desired: Pick<Desired, 'state'>;
  readonly policy: Pick<NodesPolicy, 'canaries' | 'concurrency' | 'stopAfterFailures'>;
  /** Nodes whose turns this actor has in work. */
  readonly taken: ReadonlySet<string>;
  /** Nodes this call may take; undefined: all. A turn in work is finished whatever this says. */
  readonly only: ReadonlySet<string> | undefined;
  /** Tries of each node in this call. */
  readonly tries: ReadonlyMap<string, number>;
  readonly attempts: number;
  /** A node that another actor takes: the one that this process runs on (rule 13). */
  readonly leftToOthers?: string | undefined;
  /** Whether a turn of the node that starts now ends before the window closes. */
  readonly fits: (node: string) => boolean;
  /** Whether a person holds the node. */
  readonly isHeld: (node: string) => boolean;
}

/** What the conductor does next. */
export type NextTurn =
  | { readonly kind: 'take'; readonly node: string }
  /** None begins before one of those in work has ended. */
  | { readonly kind: 'wait' }
  /** Nodes are left, and a person wants none of them to begin. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'end'; readonly why: 'finished' | 'failures' | 'aborted' | 'deleted' | 'window' | 'own-node' };

/**
 * A turn in work goes on, whatever is wanted of the run. No other begins once the run is aborted, deleted, paused or
 * stopped by failures, nor one that would not end before the window closes.
 */
export function nextTurn(input: NextTurnInput): NextTurn {
  const { state, taken } = input;
  const order = knownOrder(state);
  const started = order.filter((node) => isInWork(phaseOf(state, node)) && !taken.has(node));
  const mine = started.find((node) => node !== input.leftToOthers);
  if (mine !== undefined) return { kind: 'take', node: mine };
  if (started.length > 0) return taken.size === 0 ? { kind: 'end', why: 'own-node' } : wait;
  const next = taken.size >= turnsAtOnce(input, order) ? wait : nextToBegin(input, order);
  return next.kind === 'take' || taken.size === 0 ? next : wait;
}

/**
 * The node that would begin next if there were room for it; undefined where none may begin, whatever the room. Only one
 * whose turn was not tried yet.
 */
export function nodeAhead(input: NextTurnInput): string | undefined {
  const { state } = input;
  const next = nextToBegin(
    input,
    (state.status.order ?? []).filter((node) => state.turns.has(node)),
  );
  if (next.kind !== 'take') return undefined;
  const { phase, retryFrom, cordoned } = state.turns.get(next.node)?.status ?? { phase: 'Pending' };
  return phase === 'Pending' && retryFrom === undefined && cordoned !== true ? next.node : undefined;
}

const wait = { kind: 'wait' } as const;

/** A canary has its turn alone: what it shows is known before the others begin. */
function turnsAtOnce(input: NextTurnInput, order: readonly string[]): number {
  return areCanariesOver(input, order) ? input.policy.concurrency : 1;
}

function areCanariesOver(
  { state, policy }: Pick<NextTurnInput, 'state' | 'policy'>,
  order: readonly string[],
): boolean {
  return order.slice(0, policy.canaries).every((node) => hasEnded.has(phaseOf(state, node)));
}

const hasEnded: ReadonlySet<string> = new Set<TurnPhase>(['Done', 'Skipped', 'Failed', 'Blocked']);

function nextToBegin(input: NextTurnInput, order: readonly string[]): Exclude<NextTurn, { kind: 'wait' }> {
  const { state, desired, policy } = input;
  if (desired.state === 'Abort' || desired.state === 'AbortNow') return { kind: 'end', why: 'aborted' };
  if (state.isDeleted) return { kind: 'end', why: 'deleted' };
  if (nodesToCome(input).length === 0) return { kind: 'end', why: 'finished' };
  if (mustStop({ failed: failedNodes(state), order, policy })) return { kind: 'end', why: 'failures' };
  if (desired.state === 'Pause') return { kind: 'paused' };
  const nodes = nodesInQuestion(input).filter((name) => mayStart(input, name));
  const node = nodes.find((name) => name !== input.leftToOthers);
  if (node !== undefined) return { kind: 'take', node };
  return { kind: 'end', why: nodes.length > 0 ? 'own-node' : 'window' };
}

/** Those of {@link nodesToCome} of which the first that may start is the next: a canary is not passed over. */
export function nodesInQuestion(
  input: Pick<NextTurnInput, 'state' | 'policy' | 'only' | 'taken' | 'tries' | 'attempts'>,
): string[] {
  const nodes = nodesToCome(input);
  return areCanariesOver(input, knownOrder(input.state)) ? nodes : nodes.slice(0, 1);
}

/**
 * A node that is out of service because of us comes back whatever the window says: it is finished, or given back where
 * its host is untouched. The latter not while a person holds it, who stands above the undo.
 */
export function mayStart(
  { state, fits, isHeld }: Pick<NextTurnInput, 'state' | 'fits' | 'isHeld'>,
  node: string,
): boolean {
  const status = state.turns.get(node)?.status;
  return fits(node) || (status?.cordoned === true && (isHostTouched(status) || !isHeld(node)));
}

/** Failed turns that nobody has let the run go on in spite of. */
export function failedNodes(state: Pick<RunState, 'turns'>): string[] {
  return [...state.turns.values()]
    .filter(({ status }) => status.phase === 'Failed' && status.acknowledgedBy === undefined)
    .map(({ node }) => node);
}

/**
 * The nodes that may still begin their turn in this call, in this order: first those that are out of service, because
 * what others wait for may be missing with them; then those that a person asked to retry; then those that have not begun,
 * in their order; then those that were deferred or blocked, as often as the playbook allows in a window.
 */
export function nodesToCome(input: Pick<NextTurnInput, 'state' | 'only' | 'taken' | 'tries' | 'attempts'>): string[] {
  const { state, only, taken, tries, attempts } = input;
  const allowed = knownOrder(state).filter((node) => (only === undefined || only.has(node)) && !taken.has(node));
  const tried = (node: string) => tries.get(node) ?? 0;
  const isRetried = (node: string) => state.turns.get(node)?.status.retryFrom !== undefined;
  const isOut = (node: string) => state.turns.get(node)?.status.cordoned === true;
  const pending = allowed.filter((node) => phaseOf(state, node) === 'Pending');
  const nodes = [
    ...pending.filter((node) => isOut(node) && (isRetried(node) || tried(node) === 0)),
    ...pending.filter(isRetried),
    ...pending.filter((node) => tried(node) === 0),
    ...allowed.filter((node) => phaseOf(state, node) === 'Deferred' && tried(node) < attempts),
    ...allowed.filter((node) => phaseOf(state, node) === 'Blocked' && tried(node) === 0),
  ];
  return [...new Set(nodes)];
}

/** A node that was gone before it got a turn has none. */
function knownOrder(state: RunState): string[] {
  return (state.status.order ?? []).filter((node) => state.turns.has(node));
}

function phaseOf(state: RunState, node: string): string {
  return state.turns.get(node)?.status.phase ?? 'Pending';
}
