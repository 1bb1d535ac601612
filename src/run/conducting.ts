import type { ClusterPort } from '../cluster/clusterPort.js';
import type { OwnerKey } from '../cluster/view.js';
import type { WatchCache } from '../cluster/watchCache.js';
import type { SharedEvictions } from '../drain/sharedEvictions.js';
import type { HostPorts } from '../host/hostPort.js';
import type { Journal } from '../journal/entry.js';
import type { Playbook } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import type { RunControl } from './runControl.js';
import type { RunStop } from './runEnd.js';
import type { RunStore } from './store.js';
import type { RunWindow } from './runWindow.js';

/** All that the conductor of a run and its turns work with. */
export interface Conducting {
  readonly playbook: Playbook;
  readonly cluster: ClusterPort;
  readonly cache: WatchCache;
  /** Undefined in a rehearsal: no host is asked for anything. */
  readonly hosts: HostPorts | undefined;
  readonly clock: Clock;
  /** Chance in [0, 1), for jitter. */
  readonly random: () => number;
  readonly journal: Journal;
  readonly store: RunStore;
  /** What people want of the run. */
  readonly control: RunControl;
  /** When turns may start. */
  readonly window: RunWindow;
  /** How long a turn of the node may well take, milliseconds. */
  readonly turnLengthMs: (node: string) => number;
  /** Runs `work` when no other such work runs: requests are not answered while a turn is chosen. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  /** The nodes whose turns this actor has begun and not ended: no request changes them. */
  readonly inHand: Set<string>;
  /** The nodes that this actor has given the steering taint and not taken it back from. */
  readonly steered: Set<string>;
  /** Displaced owners that were waited for as long as settle.timeout allows: only nodes with their replicas wait on. */
  readonly givenUp: Set<OwnerKey>;
  /** What the drains of these turns have under way: each counts the others' evictions as its own. */
  readonly evictions: SharedEvictions;
  readonly namespace: string;
  readonly fence: () => void;
  /** Nodes that the playbook selects now: one that it does no longer is skipped. */
  readonly selected: ReadonlySet<string>;
  /** Nodes this call may take; undefined: all. */
  readonly only: ReadonlySet<string> | undefined;
  /** The node that this actor runs on, where it is known (rule 13). */
  readonly ownNode?: string | undefined;
  /** That node, where another actor may take it. */
  readonly leftToOthers?: string | undefined;
  /** Whether a paused run is waited with until somebody resumes it. */
  readonly staysWithPaused: boolean;
  /** Aborts when the lease is lost. */
  readonly signal: AbortSignal;
  /** Aborts when the run is asked to stop, and when the lease is lost. */
  readonly stop: AbortSignal;
  /** The signal that asked to stop, once `stop` has aborted. */
  readonly stoppedBy: () => RunStop | undefined;
}
