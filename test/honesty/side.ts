import type { TestApi } from '../cluster/api.js';
import type { Cluster } from '../cluster/cluster.js';
import type { Hosts } from '../cluster/hosts/startHosts.js';
import type { RunningTurnus } from '../cluster/turnus.js';

/**
 * A cluster that tests see only from outside: the real control plane with played kubelets, or the sandbox. Everything
 * that a test does to one it does in the same way to the other.
 */
export interface Side extends Pick<
  Cluster,
  'uid' | 'nodeNames' | 'kubeconfigPath' | 'directory' | 'createNamespace' | 'untilNodeReady'
> {
  /** "real control plane", "sandbox" */
  readonly name: string;
  readonly api: TestApi;
  /** The machine behind a node, where no host is started behind it. */
  machine(node: string): Machine;
  /** The server forgets what was before: older versions and continue tokens have expired. Ends open watches. */
  forgetHistory(): Promise<void> | void;
  stop(): Promise<void>;
}

/** The power switch of a machine, as the API server learns of it. */
export interface Machine {
  /** The node turns NotReady and every pod on it unready, until `boot`. */
  goDown(): Promise<void> | void;
  /** The machine comes back with a new boot id, and its pods are started anew. */
  boot(): Promise<void> | void;
}

/** A side with a host behind each node, and Turnus to maintain them. */
export interface MaintainedSide extends Side {
  readonly hosts: SideHosts;
  /** `turnus ARGS`, with the admin's kubeconfig, in a process of its own. */
  turnus(args: string[]): RunningTurnus;
}

export interface SideHosts extends Pick<Hosts, 'identityPath' | 'knownHostsPath' | 'port'> {
  host(node: string): SideHost;
}

/** A machine that is reached by SSH; scripts find their home there in $HOME. */
export interface SideHost {
  readonly node: string;
  /** Of the last boot. */
  readonly bootId: string;
  /** How many lines scripts have appended to a file in their home; 0 where there is no such file. */
  counter(name: string): Promise<number>;
  /** Puts an empty file into the home of scripts. */
  put(name: string): Promise<void>;
}

export interface SideOptions {
  /** Number of nodes, `node-1` to `node-N`. */
  nodes: number;
}

/** Starts a cluster whose nodes are Ready. */
export type OpenSide = (options: SideOptions) => Promise<Side>;

/** Starts a cluster whose nodes are Ready and whose hosts answer, with Turnus installed. */
export type OpenMaintainedSide = (options: SideOptions) => Promise<MaintainedSide>;
