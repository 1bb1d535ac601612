import type { NodeView } from '../cluster/view.js';

/** What the process knows about the machine that it runs on. */
export interface ThisMachine {
  /** Name of the node, as the pod's manifest hands it over (downward API); undefined outside a pod. */
  readonly nodeName: string | undefined;
  /** The kernel's boot id (random(4)); undefined where the system has none. */
  readonly bootId: string | undefined;
}

/**
 * The node that this actor itself runs on (rule 13): the one that the environment names, else the only one that reports
 * this machine's boot. Undefined where that is not known. Several nodes with this boot id are containers on one kernel
 * (kind): which of them, if any, is ours cannot be told.
 */
export function ownNodeOf(nodes: Iterable<NodeView>, machine: ThisMachine): string | undefined {
  const all = [...nodes];
  if (all.some(({ name }) => name === machine.nodeName)) return machine.nodeName;
  const { bootId } = machine;
  if (bootId === undefined || bootId === '') return undefined;
  const [own, ...more] = all.filter((node) => node.bootId === bootId);
  return more.length === 0 ? own?.name : undefined;
}
