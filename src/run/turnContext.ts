import type { ApiFailure, ClusterPort } from '../cluster/clusterPort.js';
import type { ClusterServices } from '../cluster/services.js';
import type { NodeView } from '../cluster/view.js';
import type { WatchCache } from '../cluster/watchCache.js';
import type { SharedEvictions } from '../drain/sharedEvictions.js';
import type { LeftShort } from '../gates/notRecoveredGate.js';
import type { HostPort } from '../host/hostPort.js';
import type { JournalRecord } from '../journal/entry.js';
import type { Playbook } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import type { StepEnd } from './outcome.js';
import type { TurnPhase, TurnStatus } from './state.js';

/** A step of the turn: asks the world whether its result is already there, acts, waits inside, and says how it ended. */
export interface Step {
  readonly phase: TurnPhase;
  readonly run: (turn: TurnContext, signal: AbortSignal) => Promise<StepEnd>;
}

/** How far a drain is. */
export interface DrainedSoFar {
  readonly podsLeft: number | undefined;
  readonly evictions: number;
}

/** What a step sees and may use. */
export interface TurnContext {
  readonly run: { readonly name: string; readonly uid: string; readonly rehearsal: boolean };
  readonly playbook: Playbook;
  readonly nodeName: string;
  /** What Deployments carry that the turn restarts, before the node's name. */
  readonly restartedAs: string;
  /** A person's cordon that carries no mark does not stand in the way (turnus drain). */
  readonly acceptsUnmarkedCordon?: boolean | undefined;
  /** The node that this actor runs on, where it is known (rule 13). */
  readonly ownNode?: string | undefined;
  /** Aborts when the lease is lost; not when a person asks the run to stop. For what must not be left half done. */
  readonly signal: AbortSignal;
  /** Every write goes through the fence. */
  readonly cluster: ClusterPort;
  readonly cache: WatchCache;
  readonly host: HostPort;
  readonly clock: Clock;
  /** Of every turn in work. */
  readonly evictions: SharedEvictions;
  /** UIDs of controllers whose pods this turn has evicted since the node was last cordoned, as far as this process knows. */
  readonly evictedControllers: Set<string>;
  /** Owners that other turns, and former attempts of this one, have left short as far as is known. */
  readonly leftShort: () => LeftShort;
  /** What the API server calls, as the check before the cordon has read it, and when (monotonic, milliseconds). */
  services:
    { readonly read: ClusterServices; readonly namespaces: ReadonlySet<string>; readonly atMs: number } | undefined;
  /** Whether a turn that starts now ends before the window closes. */
  readonly stillFits: () => boolean;
  /** Throws LeaseLost; called immediately before each command that acts on the host. */
  readonly fence: () => void;
  readonly status: () => TurnStatus;
  save(change: Partial<TurnStatus>): Promise<void>;
  /** Known here at once and written with the next save, which follows soon: for what is found out again after a crash. */
  note(change: Partial<TurnStatus>): void;
  /** Says what the turn waits for now; undefined when it goes on. */
  waiting(wait: { what: string; untilMs?: number; who?: string } | undefined, progress?: DrainedSoFar): void;
  /**
   * Reads the run and the clock again and acts on what people want now, and on a window that has closed (rule 10);
   * rejects where that ends the turn. Answers why the run could not be read.
   */
  rereadDesired(signal: AbortSignal): Promise<ApiFailure | undefined>;
  /** Appends to the journal and flushes it. */
  record(record: JournalRecord): Promise<void>;
  /** Writes the journal's head into the run's status: before cordon, job, reboot and uncordon. */
  anchor(): Promise<void>;
  /** An event on the node and on the run; best effort, and nothing waits for it. */
  announce(event: { reason: string; message: string; type: 'Normal' | 'Warning' }): void;
}

/** The node as the cache sees it now. */
export function currentNode(turn: TurnContext): NodeView | undefined {
  return turn.cache.view().nodes.get(turn.nodeName);
}

/** Wall clock as it is written into objects. */
export function timestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** The end of a step whose node is no longer in the cluster. */
export function vanished(turn: TurnContext): StepEnd {
  return { kind: 'vanished', message: `Node ${turn.nodeName} is no longer in the cluster.` };
}
