import { ownerName, readyCount, replicasOf, type Replicas } from '../cluster/replicas.js';
import { podKey, type ClusterView, type OwnerKey } from '../cluster/view.js';
import { count, someOf } from './budgetWords.js';

/** Owners that lost a pod to a drain, and how many Ready replicas each had before. */
export type DisplacedOwners = ReadonlyMap<OwnerKey, number>;

/** An owner that has not got back what the drain took. */
export interface Unrecovered {
  readonly owner: OwnerKey;
  readonly ready: number;
  readonly needed: number;
  /** Its pods that are not Ready, with the scheduler's reason where there is one. */
  readonly unready: readonly string[];
}

/**
 * The displaced owners that do not have min(Ready before, desired now) Ready replicas again. Satisfied are owners that
 * were deleted (or are, with their namespace) or scaled down, and those that had no Ready pod before.
 */
export function unrecovered(question: {
  readonly view: ClusterView;
  readonly displaced: DisplacedOwners;
  /** Only replicas on other nodes count; absent: all count. */
  readonly notOn?: string;
  /** Replicas by owner that are not waited for, since they can run on that node alone. */
  readonly excused?: ReadonlyMap<OwnerKey, number>;
}): readonly Unrecovered[] {
  const { view, displaced, notOn, excused } = question;
  const replicas = replicasOf(view, new Set(displaced.keys()));
  return [...replicas.values()]
    .map((owner): Unrecovered => {
      const needed = neededReplicas(view, owner, displaced.get(owner.key) ?? 0) - (excused?.get(owner.key) ?? 0);
      const ready = readyCount(owner, notOn === undefined ? {} : { notOn });
      return { owner: owner.key, ready, needed, unready: unreadyPods(owner) };
    })
    .filter(({ ready, needed }) => ready < needed);
}

/** `Deployment shop/web has 1 Ready replica and needs 2; Pod shop/web-x is not Ready.` */
export function recoverySentence({ owner, ready, needed, unready }: Unrecovered): string {
  const reason = unready.length === 0 ? 'no replacement has appeared yet' : `not Ready: ${someOf(unready)}`;
  return `${ownerName(owner)} has ${count(ready, 'Ready replica')} and needs ${String(needed)}; ${reason}.`;
}

function neededReplicas(view: ClusterView, { key, owner, desired }: Replicas, readyBefore: number): number {
  const [namespace = ''] = key.split('/');
  const isGoing = owner?.terminating === true || view.namespaces.get(namespace)?.terminating === true;
  return isGoing ? 0 : Math.min(readyBefore, desired);
}

function unreadyPods({ pods }: Replicas): readonly string[] {
  return pods
    .filter((pod) => !pod.ready && !pod.terminating)
    .map((pod) => `Pod ${podKey(pod)}${pod.unschedulableReason === undefined ? '' : `: ${pod.unschedulableReason}`}`);
}
