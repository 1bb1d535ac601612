import type { ApiObject, Resource } from '../../src/cluster/clusterPort.js';
import type { Change } from '../../src/sandbox/api/simulatedApi.js';

/**
 * Who sees everything of a night: what each actor sends, what becomes of it, what it has been told, and every change in
 * the cluster and on the hosts. The invariants are witnesses.
 */
export interface Witness {
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
  | { readonly kind: 'job-ended'; readonly node: string; readonly job: string; readonly how: string }
  | { readonly kind: 'went-down'; readonly node: string; readonly asked: boolean }
  | { readonly kind: 'booted'; readonly node: string; readonly bootId: string };
