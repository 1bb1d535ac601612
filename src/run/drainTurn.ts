import type { HeldLease } from '../cluster/heldLease.js';
import { LeaseLost } from '../cluster/heldLease.js';
import { nothingDuringTurn } from '../cluster/duringTurn.js';
import { fenced } from '../cluster/fencedPort.js';
import { sharedEvictions } from '../drain/sharedEvictions.js';
import type { JournalRecord } from '../journal/entry.js';
import type { Clock } from '../time/clock.js';
import { drainMark } from './drainMark.js';
import type { PreparedDrain } from './prepareDrain.js';
import type { TurnStatus } from './state.js';
import { timestamp, type TurnContext } from './turnContext.js';

/** The status of a drain by hand: in this process alone, since no object of the cluster keeps it. */
export interface DrainMemory {
  /** The node was cordoned before this call, which leaves it so whatever happens. */
  readonly foundCordoned: boolean;
  status: TurnStatus;
}

/**
 * What the steps of a turn work with where no run is behind them: the status is kept in memory, no host is asked, and
 * there is no record in the cluster to anchor the journal in.
 */
export function drainTurn(parts: {
  readonly prepared: PreparedDrain;
  readonly clock: Clock;
  readonly memory: DrainMemory;
  /** Undefined where there is no Lease to hold. */
  readonly lease: HeldLease | undefined;
  readonly record: (record: JournalRecord) => Promise<void>;
  readonly onChange: (status: TurnStatus) => void;
}): TurnContext {
  const { prepared, clock, memory, lease, onChange } = parts;
  const { node, cluster } = prepared;
  const change = (changes: Partial<TurnStatus>) => {
    memory.status = { ...memory.status, ...changes };
    onChange(memory.status);
  };
  const fence = lease === undefined ? () => ({ kind: 'ok' as const }) : () => lease.fence();
  return {
    run: { name: drainMark(prepared.user), uid: '', rehearsal: true },
    // What nodes carry during their turn is for turns: nobody would take it off after a drain by hand.
    playbook: { ...prepared.playbook, duringTurn: nothingDuringTurn },
    nodeName: node.name,
    restartedAs: prepared.restartedAs,
    acceptsUnmarkedCordon: true,
    ownNode: prepared.ownNode,
    signal: lease?.signal ?? new AbortController().signal,
    cluster: fenced(cluster, fence),
    cache: prepared.cache,
    get host(): never {
      throw new Error(`a drain by hand asked the host of ${node.name}`);
    },
    clock,
    evictions: sharedEvictions(),
    evictedControllers: new Set(),
    services: undefined,
    leftShort: () => ({ displaced: new Map(), byItself: new Set() }),
    fence: () => {
      const held = fence();
      if (held.kind === 'lost') throw new LeaseLost(held.reason);
    },
    status: () => memory.status,
    save: (changes) => {
      change(changes);
      return Promise.resolve();
    },
    note: change,
    waiting: (wait, progress) => {
      const before = memory.status.waitingFor;
      const since = before?.what === wait?.what ? before?.since : undefined;
      change({
        ...progress,
        waitingFor: wait && {
          what: wait.what,
          since: since ?? timestamp(clock),
          until: wait.untilMs === undefined ? undefined : timestampOf(wait.untilMs),
          who: wait.who,
        },
      });
    },
    stillFits: () => true,
    rereadDesired: () => Promise.resolve(undefined),
    record: parts.record,
    anchor: () => Promise.resolve(),
    announce: () => undefined,
  };
}

function timestampOf(time: number): string {
  return new Date(time).toISOString();
}
