import { scaledCount } from './budgetArithmetic.js';
import { isFinished } from './podPhase.js';
import { ownerKey, type ClusterView, type OwnerKey, type OwnerView, type PodView } from './view.js';

/** The replicas of one owner as a view shows them. */
export interface Replicas {
  readonly key: OwnerKey;
  /** Undefined where the view knows no such owner: a custom kind, or one that was deleted. */
  readonly owner: OwnerView | undefined;
  /** Wanted replicas; for a kind without a scale the pods it has. */
  readonly desired: number;
  /** Its pods that have not finished, terminating ones too. */
  readonly pods: readonly PodView[];
}

/**
 * The owner whose replicas a pod counts to: the top owner where the view knows it, else the controller itself.
 * Undefined for pods without a controller, Job pods, DaemonSet pods and static pods: they have no replicas to keep.
 */
export function ownerOf(view: ClusterView, pod: PodView): OwnerKey | undefined {
  const { controller } = pod;
  if (controller === undefined || pod.mirror || controller.kind === 'DaemonSet' || isJobPod(pod)) return undefined;
  return view.ownerOfController.get(controller.uid) ?? ownerKey({ namespace: pod.namespace, ...controller });
}

/** Controlled by a Job (batch/v1). */
export function isJobPod(pod: PodView): boolean {
  return pod.controller?.kind === 'Job' && pod.controller.apiVersion.startsWith('batch/');
}

/** The replicas of the owners named, in one pass over the view. Owners without pods are in it too. */
export function replicasOf(view: ClusterView, keys: ReadonlySet<OwnerKey>): ReadonlyMap<OwnerKey, Replicas> {
  const podsOf = new Map<OwnerKey, PodView[]>([...keys].map((key) => [key, []]));
  for (const pod of view.pods.values()) {
    if (isFinished(pod)) continue;
    const key = ownerOf(view, pod);
    if (key !== undefined) podsOf.get(key)?.push(pod);
  }
  const replicas = new Map<OwnerKey, Replicas>();
  for (const [key, pods] of podsOf) {
    const owner = view.owners.get(key);
    const desired = owner?.desired ?? pods.filter((pod) => !pod.terminating).length;
    replicas.set(key, { key, owner, desired, pods });
  }
  return replicas;
}

/** Ready pods of an owner: all of them, on one node, or on all other nodes. */
export function readyCount(replicas: Replicas, where: { on?: string; notOn?: string } = {}): number {
  return replicas.pods.filter(
    (pod) =>
      pod.ready &&
      !pod.terminating &&
      (where.on === undefined || pod.nodeName === where.on) &&
      (where.notOn === undefined || pod.nodeName !== where.notOn),
  ).length;
}

/**
 * How many replicas must stay Ready while others move: the playbook's `minReadyElsewhere`, percentages rounded up,
 * never more than all but one (else none could move) and never less than one. Only for 2 or more desired replicas.
 */
export function requiredReady(minReadyElsewhere: number | string, desired: number): number {
  return Math.max(1, Math.min(scaledCount(minReadyElsewhere, desired), desired - 1));
}

/** `Deployment shop/web` of an owner key. */
export function ownerName(key: OwnerKey): string {
  const [namespace = '', kind = '', ...name] = key.split('/');
  return `${kind} ${namespace}/${name.join('/')}`;
}
