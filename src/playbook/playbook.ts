import type { Schedule } from '../calendar/schedule.js';
import type { DuringTurn } from '../cluster/duringTurn.js';
import type { ObjectPath } from '../cluster/objectPath.js';
import type { Stage } from '../host/hostPort.js';
import type { NotificationType } from './reportingSchema.js';

/**
 * A playbook with every default filled in, durations in milliseconds and referenced files resolved to absolute paths.
 * Counts keep their form (`2` or `'50%'`) until the number they refer to is known.
 */
export interface Playbook {
  readonly name: string;
  /** uid of namespace kube-system of the cluster it is meant for; undefined where the playbook does not say. */
  readonly clusterUid: string | undefined;
  readonly schedule: PlaybookSchedule;
  readonly nodes: NodesPolicy;
  /** What a node carries while it has its turn. */
  readonly duringTurn: DuringTurn;
  readonly gates: GatesPolicy;
  readonly drain: DrainPolicy;
  readonly host: HostPolicy;
  readonly health: HealthPolicy;
  readonly settle: { readonly timeMs: number; readonly timeoutMs: number };
  /** How many ended runs are kept, and as many rehearsals. */
  readonly runHistoryLimit: number;
  /** Undefined where the playbook does not say: `run` has a flag for it, `serve` refuses. */
  readonly journal: JournalTarget | undefined;
  readonly notify: NotifyPolicy;
  /** Every file that the playbook refers to and whose content decides what happens (scripts, calendars). */
  readonly files: readonly ReferencedFile[];
  /**
   * The playbook as plain JSON with defaults filled in and durations and paths as written: what the plan hash is taken
   * of and what is kept in the run's spec. Without `journal` and `notify`: who is told of a run does not change what is
   * done to nodes.
   */
  readonly normalised: Readonly<Record<string, unknown>>;
}

/** `spec.schedule`, calendars read. */
export type PlaybookSchedule = Schedule & {
  /** Every node has its turn within this time; undefined: nothing is promised. */
  readonly coverageMs: number | undefined;
  /** How long a turn may well take where no former one tells; undefined: as long as the plan estimates. */
  readonly expectedTurnMs: number | undefined;
};

export type Count = number | `${number}%`;

export interface NodesPolicy {
  /** Label selector in kubectl's syntax; '' selects every node that is not control plane. */
  readonly selector: string;
  /** Label key: nodes that carry it are not of this playbook. */
  readonly exclude: string;
  readonly order: readonly ('longestSinceTurn' | 'name')[];
  readonly canaries: number;
  /** How many turns may be in work at the same time. */
  readonly concurrency: number;
  readonly maxUnavailable: Count;
  readonly stopAfterFailures: number;
  /** Whether nodes whose turn is still to come carry a taint that turns pods away from them. */
  readonly steer: 'taint' | 'off';
}

export interface GatesPolicy {
  readonly replicaSpread: {
    readonly minReadyElsewhere: Count;
    readonly singletons: SingletonPolicy;
    /** `spec.gates.overrides`: for each field the first that gives it for a namespace wins. Absent: none. */
    readonly overrides?: readonly SpreadOverride[];
  };
  readonly managedBudgets: readonly {
    readonly namespaces: Readonly<Record<string, string>>;
    readonly selector: string;
  }[];
  /** Pods that would find no room elsewhere are a caution, or the node stays. */
  readonly capacity: { readonly mode: 'warn' | 'block' };
  readonly clusterHealth: {
    readonly conditions: readonly HealthCondition[];
    /** How long a turn waits, before its cordon, for conditions that do not hold. */
    readonly waitMs: number;
  };
}

/** Other values for the owners in namespaces that carry all of these labels. */
export interface SpreadOverride {
  readonly namespaces: Readonly<Record<string, string>>;
  readonly minReadyElsewhere?: Count;
  readonly singletons?: SingletonPolicy;
}

/** What happens to workloads with one replica. */
export type SingletonPolicy = 'allow' | 'surge' | 'block';

/** What must stand in objects of the cluster before a node leaves. */
export interface HealthCondition {
  /** For example `ceph.rook.io/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** Undefined: all namespaces, or the kind has none. */
  readonly namespace: string | undefined;
  /** Undefined: all objects of the kind. */
  readonly name: string | undefined;
  readonly path: ObjectPath;
  /** What may stand at the path, as kubectl prints it. */
  readonly in: readonly string[];
}

export interface DrainPolicy {
  readonly timeoutMs: number;
  /** Drains of one node in a window before it is left. */
  readonly attempts: number;
  readonly localData: 'delete' | 'block';
  readonly unmanagedPods: 'delete' | 'block';
  /** `wait` up to jobPodsLimitMs for running Job pods, else defer; `evict` them like any other; `block`. */
  readonly jobPods: 'wait' | 'evict' | 'block';
  readonly jobPodsLimitMs: number;
  /** Before the host is touched, replacements of the evicted pods are Ready elsewhere. */
  readonly waitForReplacements: boolean;
  /** The first that means a pod decides about it. */
  readonly overrides: readonly {
    readonly namespaces: Readonly<Record<string, string>>;
    /** In kubectl's syntax. */
    readonly selector: string;
    readonly do: 'evict' | 'leave' | 'wait' | 'block';
  }[];
}

export interface HostPolicy {
  readonly ssh: SshPolicy;
  readonly scripts: Partial<Readonly<Record<Stage, ScriptPolicy>>>;
  readonly reboot: { readonly when: 'required' | 'always' | 'never'; readonly timeoutMs: number };
}

export interface SshPolicy {
  /** Undefined where the playbook leaves it to `config`. */
  readonly user: string | undefined;
  /** Undefined where the playbook leaves it to `config`; without one it is 22. */
  readonly port: number | undefined;
  /** Node address type (`InternalIP`, `ExternalIP`, `Hostname`, `InternalDNS`, `ExternalDNS`). */
  readonly address: string;
  /** Paths of known_hosts files. Like every path here absolute, or that of a file in the cluster (clusterFile.ts). */
  readonly knownHosts: readonly string[];
  /** `SHA256:…` fingerprints by node name, pinned in the playbook. */
  readonly fingerprints: Readonly<Record<string, string>>;
  /** Absolute path of the private key; undefined: the keys of `config`, and the agent. */
  readonly identity: string | undefined;
  /** Absolute path of the file with the passphrase of the key. */
  readonly identityPassphrase: string | undefined;
  /** Absolute path of an ssh_config file that is asked for what the playbook does not say. */
  readonly config: string | undefined;
  /** Hosts to go through, from here to the nodes; empty: none. Undefined: `config` says it, else none. */
  readonly bastion: readonly SshBastion[] | undefined;
  /** The key may start installed scripts only (docs/turnus-host.md). */
  readonly restricted: boolean;
  readonly sudo: boolean;
}

export interface SshBastion {
  readonly host: string;
  /** Undefined where `config` says it, else 22. */
  readonly port: number | undefined;
  /** Undefined where `config` says it, else the user of the hosts. */
  readonly user: string | undefined;
}

export interface ScriptPolicy {
  /** Absolute, or of a file in the cluster; its last segment is the name of the script. */
  readonly path: string;
  readonly content: string;
  readonly timeoutMs: number;
}

export interface HealthPolicy {
  /** Passes in a row. */
  readonly consecutive: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** DaemonSet and mirror pods of the node must be Ready again. */
  readonly daemonSets: boolean;
  /** Commands on the host that must exit 0. */
  readonly commands: readonly string[];
}

/** Where the journal goes; `path` is absolute. */
export type JournalTarget = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'stdout' };

export interface NotifyPolicy {
  readonly webhooks: readonly Webhook[];
  /** How long before a window its plan is made and sent; undefined: it is not. */
  readonly beforeMs: number | undefined;
}

export interface Webhook {
  /** https, or http to a loopback address; without user and password. It may hold a token all the same. */
  readonly url: string;
  /** Of the file with the key that notifications are signed with: absolute, or in the cluster (clusterFile.ts). */
  readonly secretPath: string;
  /** Types of events that are sent; undefined: all. */
  readonly events: readonly NotificationType[] | undefined;
}

export interface ReferencedFile {
  /** As written in the playbook, for example `./scripts/debian-upgrade.sh` or `configmap:scripts/upgrade.sh`. */
  readonly path: string;
  /** SHA-256 of the content, hex. */
  readonly digest: string;
}

/** Whether the playbook has the Deployment of any singleton restarted. */
export function wantsSurge({ gates }: Pick<Playbook, 'gates'>): boolean {
  const { singletons, overrides = [] } = gates.replicaSpread;
  return singletons === 'surge' || overrides.some((override) => override.singletons === 'surge');
}
