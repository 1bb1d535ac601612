import type { OwnerView, PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import type { PodOverride } from './podOverrides.js';

/** What happens next to a pod that must leave its node. */
export type NextStep =
  /**
   * `override`: the entry of the playbook that has it evicted whatever speaks against it. `outage`: its owner is down
   * meanwhile, since no replacement can be started first.
   */
  | { readonly kind: 'evict'; readonly pod: PodView; readonly override?: PodOverride; readonly outage?: NoSurge }
  /** Its Deployment is restarted, which starts the replacement and then ends the pod. */
  | { readonly kind: 'surge'; readonly pod: PodView; readonly deployment: OwnerView }
  | { readonly kind: 'wait'; readonly pod: PodView; readonly wait: Wait }
  | { readonly kind: 'never'; readonly pod: PodView; readonly finding: Finding };

/** Why the replacement of a singleton cannot be started first. For people. */
export interface NoSurge {
  /** Half a sentence that follows "since". */
  readonly why: string;
  /** One sentence: what to change. */
  readonly mend: string;
}

/** What a pod waits for before it leaves. */
export interface Wait {
  readonly for: WaitReason;
  /** Who can end it, as `Kind namespace/name`. */
  readonly objects: readonly string[];
  /** One sentence with the numbers that decided. */
  readonly message: string;
  /** What to change where it does not end by itself; one sentence. */
  readonly hint: string;
  /** Wall clock at which it ends or is looked at again; absent where only a change of the cluster ends it. */
  readonly until?: number;
}

export const waitReasons = [
  /** The budget allows nothing until more pods are Ready. */
  'budget-not-now',
  'budget-stale',
  'budget-not-synced',
  /** An operator opens this budget by itself. */
  'managed-budget',
  /** Too few Ready replicas would be left. */
  'spread',
  /** It is the last Ready pod behind a Service that the API server calls. */
  'last-backend',
  /** Its Deployment was restarted for this turn; the pod ends when its replacement is available. */
  'surging',
  /** Somebody's rollout of its Deployment is under way, so that it cannot be restarted. */
  'rollout',
  'job-running',
  'pod-objects',
  /** The playbook does not have it evicted: it goes by itself. */
  'pod-awaited',
  /** Evicted or deleted; it is ending. */
  'terminating',
  /** The same, past its grace period. */
  'overdue',
  /** Its namespace is being deleted, and it goes with it. */
  'namespace-deleted',
  /** Critical pods and those of managed budgets go when the others have left. */
  'earlier-pods',
  /** An eviction was refused; it is tried again later. */
  'retry',
] as const;
export type WaitReason = (typeof waitReasons)[number];

/** What one rule says about evicting a pod now. */
export type Permission =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait'; readonly wait: Wait }
  | { readonly kind: 'never'; readonly finding: Finding };

/** A rule that counts: what it permits, less what was taken since the view. */
export interface Allowance {
  ask(pod: PodView): Permission;
  /** Counts the eviction of a pod that was permitted. */
  take(pod: PodView): void;
}

export const go: Permission = { kind: 'go' };
