import type { OwnerKey, PodKey } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import type { DisplacedOwners } from './recovery.js';

/** How a drain ended, with what it did until then. */
export type DrainEnd = DrainRecord &
  (
    | { readonly kind: 'empty' }
    /** A pod can never be evicted. Nothing more was evicted once that was seen. */
    | { readonly kind: 'blocked' }
    /** The drain's timeout is over. */
    | { readonly kind: 'timeout'; readonly waitingFor: readonly WaitingFor[] }
    /** Job pods still run at the end of their limit. */
    | { readonly kind: 'deferred'; readonly jobs: readonly PodKey[] }
    /** The node is not cordoned (any more): evicted pods would come back. */
    | { readonly kind: 'not-cordoned' }
    /** Stopped from outside, through the signal. */
    | { readonly kind: 'stopped' }
  );

export interface DrainRecord {
  readonly evicted: readonly EvictedPod[];
  /** Deployments that were restarted, so that their replacement came first. */
  readonly surged: number;
  readonly displaced: DisplacedOwners;
  /** Pods left on the node because they returned to it after an eviction. */
  /** UIDs of controllers of which a pod was evicted, by this drain or by an earlier one that it was told of. */
  readonly evictedControllers: readonly string[];
  readonly boundToNode: readonly PodKey[];
  /** Pods left on the node because the playbook says so. */
  readonly leftByPolicy: readonly PodKey[];
  readonly findings: readonly Finding[];
}

export interface EvictedPod {
  readonly pod: PodKey;
  readonly uid: string;
  readonly owner: OwnerKey | undefined;
  /** Wall clock of the accepted eviction, or of the last one sent where its answer was lost. */
  readonly evictedAt: number;
  /** Wall clock at which the view no longer had it; undefined while it is ending. */
  readonly goneAt: number | undefined;
}

/** One thing that is waited for, for people. */
export interface WaitingFor {
  readonly what: string;
  /** Wall clock. */
  readonly since: number;
  /** Wall clock at which the wait ends whatever happens. */
  readonly until: number | undefined;
  /** The objects that can end it. */
  readonly who: readonly string[];
}

export interface DrainProgress {
  readonly node: string;
  readonly stage: 'reading' | 'evicting' | 'replacements' | 'volumes';
  /** Pods that must still leave, those that are ending included; undefined while that is not known. */
  readonly left: number | undefined;
  /** Evicted pods that are no longer there. */
  readonly gone: number;
  readonly waitingFor: readonly WaitingFor[];
}
