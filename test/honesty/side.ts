import type { TestApi } from '../cluster/api.js';
import type { Cluster } from '../cluster/cluster.js';

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
  stop(): Promise<void>;
}

/** The power switch of a machine, as the API server learns of it. */
export interface Machine {
  /** The node turns NotReady and every pod on it unready, until `boot`. */
  goDown(): Promise<void>;
  /** The machine comes back with a new boot id, and its pods are started anew. */
  boot(): Promise<void>;
}

export interface SideOptions {
  /** Number of nodes, `node-1` to `node-N`. */
  nodes: number;
}

export type OpenSide = (options: SideOptions) => Promise<Side>;
