import type { NodeDescription } from '../../src/sandbox/simulatedCluster.js';

/** Everything that makes a night: played twice, it is the same twice. Plain data, so that it can be printed and shrunk. */
export interface Night {
  readonly seed: number;
  readonly nodes: readonly NodeDescription[];
  readonly workloads: readonly NightWorkload[];
  readonly playbook: NightPlaybook;
  readonly troubles: readonly Trouble[];
}

export interface NightWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'Pod';
  readonly replicas: number;
  /** From bound to Ready. */
  readonly startMs: number;
  /** From deletion to gone. */
  readonly stopMs: number;
  /** Of a Job's pod. */
  readonly runForMs?: number;
  readonly budget?: {
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
    readonly unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow';
  };
  /** Only on nodes of this zone. */
  readonly zone?: string;
  /** No two on one node, hard. */
  readonly apart?: boolean;
  /** Tolerates every taint. */
  readonly tolerates?: boolean;
  /** Its pods are bound to a disk of the node they were born on. */
  readonly localDisk?: boolean;
  /** What `drain.overrides` says of its pods. */
  readonly treatment?: 'evict' | 'leave' | 'wait' | 'block';
  /** Its pods are behind a webhook that fails closed, with those of the others of its namespace that are. */
  readonly vital?: boolean;
  /** Of a Deployment that cannot start a replacement first: by its type, or since a pod may be unavailable. */
  readonly strategy?: 'Recreate' | 'no surge';
}

export interface NightPlaybook {
  readonly maxUnavailable: number;
  readonly concurrency: number;
  readonly stopAfterFailures: number;
  readonly reboot: 'required' | 'always' | 'never';
  readonly stages: readonly ('prepare' | 'leave' | 'update' | 'join')[];
  readonly drainTimeoutMs: number;
  readonly attempts: number;
  readonly jobMs: number;
  readonly bootMs: number;
  /** What `gates.overrides` says of the namespaces named, the first first. */
  readonly namespaceSpread?: readonly NamespaceSpread[];
  /** Absent: singletons are moved with an outage. */
  readonly singletons?: 'surge';
  readonly duringTurn?: {
    readonly annotations: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Pods are kept off the nodes still to come. */
  readonly steer?: boolean;
}

export interface NamespaceSpread {
  readonly namespace: string;
  readonly singletons?: 'allow' | 'surge' | 'block';
  readonly minReadyElsewhere?: number | `${number}%`;
}

/** Something that goes wrong, or somebody who acts. Times are milliseconds from the start of the night. */
export type Trouble = { readonly id: string } &
  /** The actor that is at work dies at its n-th call, before the call or when it has been answered; another starts later. */
  (
    | {
        readonly kind: 'crash';
        readonly call: number;
        readonly moment: 'before' | 'after';
        readonly restartAfterMs: number;
      }
    /** The actor that the operator started last is told to stop (Ctrl-C, TERM); the operator starts another later. */
    | { readonly kind: 'interrupt'; readonly atMs: number }
    /** Somebody starts the same command while an actor is at work. */
    | { readonly kind: 'second-actor'; readonly atMs: number }
    /** Every event of every watch comes so much later. */
    | { readonly kind: 'watches-lag'; readonly atMs: number; readonly forMs: number; readonly byMs: number }
    | { readonly kind: 'watches-break'; readonly atMs: number; readonly how: 'end' | 'error' }
    /** The server forgets its history: the next watch and continue token get 410. */
    | { readonly kind: 'history-lost'; readonly atMs: number }
    /** A share of the calls is answered so. `lost`: done, and the answer is lost. */
    | {
        readonly kind: 'api-answers';
        readonly atMs: number;
        readonly forMs: number;
        readonly answer: 'throttled' | 'error' | 'unreachable' | 'lost' | 'slow';
        readonly share: number;
      }
    | { readonly kind: 'api-down'; readonly atMs: number; readonly forMs: number }
    | { readonly kind: 'host-hangs'; readonly atMs: number; readonly forMs: number; readonly node: string }
    /** The connection to the host breaks, with the answer on its way. */
    | { readonly kind: 'host-loses-answers'; readonly atMs: number; readonly forMs: number; readonly node: string }
    | { readonly kind: 'host-reboots'; readonly atMs: number; readonly node: string }
    | { readonly kind: 'script-fails'; readonly node: string; readonly stage: string; readonly changed: boolean }
    | { readonly kind: 'script-reboots'; readonly node: string }
    | { readonly kind: 'boot-never-returns'; readonly node: string; readonly mendedAfterMs: number }
    | { readonly kind: 'kubelet-silent'; readonly atMs: number; readonly forMs: number; readonly node: string }
    | { readonly kind: 'cordon' | 'uncordon'; readonly atMs: number; readonly node: string }
    | { readonly kind: 'hold'; readonly atMs: number; readonly forMs: number; readonly node: string }
    | {
        readonly kind: 'budget-edited';
        readonly atMs: number;
        readonly workload: string;
        readonly maxUnavailable: number;
      }
    | { readonly kind: 'scaled'; readonly atMs: number; readonly workload: string; readonly replicas: number }
    | { readonly kind: 'pod-unready'; readonly atMs: number; readonly workload: string; readonly forMs: number }
    /** Whatever pod of the workload is made meanwhile does not become Ready before the end. */
    | { readonly kind: 'never-ready'; readonly atMs: number; readonly workload: string; readonly forMs: number }
    | { readonly kind: 'node-deleted' | 'node-added'; readonly atMs: number; readonly node: string }
    | { readonly kind: 'pause' | 'abort' | 'abort-now'; readonly atMs: number; readonly resumedAfterMs: number }
    | { readonly kind: 'skip'; readonly atMs: number; readonly node: string }
    /** A person gives the label that the playbook sets during a turn another value, or takes it away. */
    | { readonly kind: 'relabelled'; readonly atMs: number; readonly node: string; readonly value: string | null }
  );

/** What became of a night. */
export interface NightEnd {
  readonly night: Night;
  /** Empty where every invariant held. */
  readonly violations: readonly Violation[];
  /** Of virtual time. */
  readonly lastedMs: number;
  readonly events: number;
  readonly evictions: number;
  readonly jobs: number;
  readonly reboots: number;
  readonly crashes: number;
  /** Turns by their last phase. */
  readonly phases: Readonly<Record<string, number>>;
}

export interface Violation {
  /** Of the invariant: stays the same while a night is shrunk. */
  readonly invariant: string;
  readonly atMs: number;
  readonly message: string;
}
