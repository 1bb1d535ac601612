import type { ApiObject, Resource } from '../../src/cluster/clusterPort.js';
import type { JournalEntry } from '../../src/journal/entry.js';
import type { Change, SimulatedApi } from '../../src/sandbox/api/simulatedApi.js';
import type { Night, Violation } from './night.js';

/**
 * Who sees everything of a night: what each actor sends, what becomes of it, what it has been told, and every change in
 * the cluster and on the hosts. The invariants are witnesses.
 */
export interface Witness {
  /** First of all, when the night begins. */
  begins?(scene: NightScene): void;
  /** A port is called: the moment at which the actor has decided to act. */
  sent?(call: Call): void;
  /** The call reached the other side and was answered there; the actor may never hear of it. */
  arrived?(call: Call, answer: { readonly kind: string }): void;
  /** The actor is told of an object: by a list, a get, an answer to its write, or an event of a watch. */
  told?(actor: string, told: { readonly resource: Resource; readonly object: ApiObject; readonly gone: boolean }): void;
  /** Anything that is stored in the cluster, by whomever. */
  changed?(change: Change): void;
  /** What happens on a host. */
  onHost?(event: HostEvent): void;
  /** An actor begins, crashes (nothing of it happens any more), or ends by itself. */
  actor?(event: {
    readonly actor: string;
    readonly what: 'begins' | 'crashes' | 'ends';
    readonly exitCode?: number;
  }): void;
}

export interface Call {
  readonly actor: string;
  /** Counts the calls of this actor, from 1. */
  readonly number: number;
  readonly port: 'cluster' | 'host';
  /** Name of the port's function: `patch`, `evict`, `startJob`, `reboot` … */
  readonly verb: string;
  /** True where it changes something on the other side. */
  readonly isOutward: boolean;
  /** Of a cluster call. */
  readonly resource?: Resource;
  readonly namespace?: string;
  /** Of the object, or of the node whose host is called. */
  readonly name?: string;
  readonly subresource?: string;
  /** The whole request, as it was made. */
  readonly request: unknown;
}

export type HostEvent =
  /** The host began to execute a job that was not there before. */
  | { readonly kind: 'job-started'; readonly node: string; readonly job: string; readonly stage: string }
  | {
      readonly kind: 'job-ended';
      readonly node: string;
      readonly job: string;
      readonly stage: string;
      readonly how: string;
      readonly exitCode?: number;
    }
  | { readonly kind: 'went-down'; readonly node: string; readonly asked: boolean }
  | { readonly kind: 'booted'; readonly node: string; readonly bootId: string };

/** A witness with an opinion: what must hold in every night. */
export interface Invariant extends Witness {
  /** Asked when the night is over. */
  atEnd?(end: NightFacts): void | Promise<void>;
  violations(): readonly Violation[];
}

/** What the invariants are made with. */
export interface NightScene {
  readonly night: Night;
  /** The model itself: what is true at this moment, whatever anybody was told. */
  readonly api: SimulatedApi;
  /** Milliseconds since the beginning of the night. */
  readonly elapsedMs: () => number;
  /** The machine behind a node, as it is at this moment. */
  readonly machine: (node: string) => { readonly bootId: string; readonly isUp: boolean };
}

/** What is known when a night is over. */
export interface NightFacts extends NightScene {
  /** False where the time for the night was up before the actors had ended. */
  readonly isOver: boolean;
  /** Every entry that any actor wrote, in the order of writing. */
  readonly journal: readonly JournalEntry[];
  readonly exitCodes: readonly number[];
}
