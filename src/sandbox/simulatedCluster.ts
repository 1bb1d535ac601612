import type { ApiObject } from '../cluster/clusterPort.js';
import type { SimulatedApi } from './api/simulatedApi.js';

/** A cluster on a timeline: the API server, the controllers, the scheduler and the kubelets. */
export interface SimulatedCluster {
  readonly api: SimulatedApi;
  /** Registers a node: the object, its kubelet, and its lease in kube-node-lease. It is Ready a moment later. */
  addNode(node: NodeDescription): ApiObject;
  /** The machine behind a node, seen from its kubelet. Throws for a node that was never added. */
  machine(node: string): Machine;
  /** Ends every timer. */
  stop(): void;
}

export interface NodeDescription {
  readonly name: string;
  /** InternalIP; a made-up one where absent. */
  readonly address?: string;
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly bootId?: string;
  readonly kernel?: string;
  /** Allocatable; cpu in cores, 4; memory in GiB, 16; pods 110. */
  readonly capacity?: { readonly cpu?: number; readonly memoryGib?: number; readonly pods?: number };
}

/** What happens to the machine behind a node, as its kubelet shows it. */
export interface Machine {
  readonly bootId: string;
  readonly isUp: boolean;
  /** The machine goes down now, with every container on it: the node turns NotReady. */
  goDown(): void;
  /** The machine boots: kubelet and containers start, the node is Ready a moment later. */
  boot(parts: { readonly bootId: string; readonly kernel?: string }): void;
  /** The kubelet is not heard any more (its lease runs out) while the containers go on; and is heard again. */
  silence(silent: boolean): void;
}
