import type { OwnerKey } from '../cluster/view.js';
import type { DisplacedOwners } from '../drain/recovery.js';
import type { LeftShort } from '../gates/notRecoveredGate.js';
import { isInWork } from './nextTurn.js';
import type { TurnStatus } from './state.js';

/** A turn as far as it matters for what it took from others. */
export interface LeavingTurn {
  readonly node: string;
  readonly status: Pick<TurnStatus, 'phase' | 'cordoned' | 'displaced' | 'unrecovered'>;
}

/**
 * The owners that turns have left behind, each with the most that it had Ready before one of them: turns that were given
 * up, and those that were done though not everything had come back.
 */
export function leftDisplaced(turns: Iterable<LeavingTurn>): DisplacedOwners {
  const left = new Map<OwnerKey, number>();
  for (const { status } of turns) {
    for (const { owner, readyBefore } of leftBy(status)) left.set(owner, Math.max(readyBefore, left.get(owner) ?? 0));
  }
  return left;
}

/** What the gates of this node count; former attempts of its own until it is cordoned again. */
export function leftShortFor(turns: Iterable<LeavingTurn>, node: string): LeftShort {
  const all = [...turns];
  const others = all.filter((turn) => turn.node !== node);
  const own = all
    .filter(({ node: name, status }) => name === node && status.cordoned !== true && status.phase !== 'Done')
    .map(({ status }) => ({ node, status: { ...status, phase: 'Pending' } }));
  return { displaced: leftDisplaced([...others, ...own]), byItself: new Set(leftDisplaced(own).keys()) };
}

/** What the turn has left behind; nothing while it is in work: then it waits itself. */
export function leftBy({
  phase,
  displaced = [],
  unrecovered = [],
}: LeavingTurn['status']): NonNullable<TurnStatus['displaced']> {
  // Where a turn is undone it waits for nothing any more.
  if (isInWork(phase) && phase !== 'Undoing') return [];
  return phase === 'Done' ? unrecovered : displaced;
}
