import { marks } from '../cluster/marks.js';
import { ownerName, ownerOf, replicasOf, type Replicas } from '../cluster/replicas.js';
import { isRolledOut } from '../cluster/rollout.js';
import { tolerates } from '../cluster/taints.js';
import { ownerKey, podKey, type ClusterView, type OwnerView, type PodView, type RolloutView } from '../cluster/view.js';
import { count, someOf } from './budgetWords.js';
import type { NoSurge, Wait } from './nextStep.js';
import { occupancy } from './occupancy.js';
import { placements } from './placement.js';
import { spreadPolicyFor, type SpreadPolicy } from './spreadPolicy.js';

/** What becomes of the pod of a singleton whose replacement is to be started first. */
export type SurgeVerdict =
  /** It is no Ready pod of a singleton, or the playbook does not ask for it: the other rules decide alone. */
  | { readonly kind: 'not-asked' }
  | { readonly kind: 'surge'; readonly deployment: OwnerView }
  | { readonly kind: 'wait'; readonly wait: Wait }
  /** It has to be evicted, with an outage. */
  | { readonly kind: 'outage'; readonly outage: NoSurge };

export interface SurgeSituation {
  readonly view: ClusterView;
  /** The whole view, where `view` is a part of it: pods that are not in the part take up places too. */
  readonly surroundings?: ClusterView;
  /** The node that is left. */
  readonly node: string;
  readonly spread: SpreadPolicy;
  /** The pods that will be asked for. */
  readonly pods: readonly PodView[];
  /** What a Deployment is marked with that this turn has restarted; absent where there is no turn. */
  readonly restartedFor?: string;
  /** UIDs of pods whose Deployment was restarted a moment ago, so that the view may not show it yet. */
  readonly restarted?: ReadonlySet<string>;
}

/**
 * Whether the replacement of a pod can be started before the pod ends: by a restart of its Deployment, as `kubectl
 * rollout restart` does it. The Deployment controller ends the old pod when the replacement is available, and never
 * before, only where no pod may be unavailable and one may be too many; the cordon sends the replacement elsewhere.
 * One restart a turn: a Deployment that carries the turn's mark is not restarted again.
 */
export function surgeVerdicts(situation: SurgeSituation): (pod: PodView) => SurgeVerdict {
  const { view, node, pods, restartedFor, restarted } = situation;
  const isAsked = surgePolicyOf(situation);
  if (!pods.some(isAsked)) return () => ({ kind: 'not-asked' });
  const replicasByKey = replicasOf(
    view,
    new Set(pods.map((pod) => ownerOf(view, pod)).filter((key) => key !== undefined)),
  );
  const hasPlace = placesOf(situation);
  return (pod) => {
    if (!isAsked(pod)) return { kind: 'not-asked' };
    const replicas = replicasByKey.get(ownerOf(view, pod) ?? '');
    const deployment = replicas?.owner;
    if (replicas?.desired !== 1 || deployment === undefined || deployment.terminating) return { kind: 'not-asked' };
    const { rollout } = deployment;
    if (rollout !== undefined && (restarted?.has(pod.uid) === true || isReplaced(pod, rollout, restartedFor))) {
      return { kind: 'wait', wait: surging(replicas, { rollout, pod }) };
    }
    if (!pod.ready) return { kind: 'not-asked' };
    if (rollout === undefined) return { kind: 'outage', outage: noRollout(replicas) };
    const outage =
      strategyObstacle(deployment, rollout) ??
      podObstacle(pod, view) ??
      hasPlace(pod) ??
      againHere(pod, { node, restartedFor });
    if (outage !== undefined) return { kind: 'outage', outage };
    if (!isRolledOut(rollout, 1)) return { kind: 'wait', wait: underWay(replicas, { rollout, pod }) };
    return { kind: 'surge', deployment };
  };
}

/** Whether the playbook has the singletons of a pod's namespace surged. */
function surgePolicyOf({ view, spread: policy }: SurgeSituation): (pod: PodView) => boolean {
  const known = new Map<string, boolean>();
  return ({ namespace }) => {
    const asked = known.get(namespace) ?? spreadPolicyFor({ policy, view, namespace }).singletons === 'surge';
    known.set(namespace, asked);
    return asked;
  };
}

/** What a Deployment is marked with that the turn of this node has restarted: the same at each repetition. */
export function restartMark({ turn, node }: { readonly turn: string; readonly node: string }): string {
  return `${turn}/${node}`;
}

/** The Deployment was restarted for this turn, and the pod is not of the restarted template: it ends by itself. */
function isReplaced(pod: PodView, rollout: RolloutView, restartedFor: string | undefined): boolean {
  return restartedFor !== undefined && rollout.restartedFor === restartedFor && !bears(pod, restartedFor);
}

/** A pod has the annotations of the template that it was made from. */
function bears(pod: PodView, restartedFor: string): boolean {
  return pod.annotations[marks.restartedFor] === restartedFor;
}

/** What forbids a restart of a Deployment with one replica, whatever its pod and its rollout; undefined where nothing does. */
export function strategyObstacle(deployment: OwnerView, rollout: RolloutView): NoSurge | undefined {
  const name = ownerName(ownerKey(deployment));
  if (rollout.recreates) {
    return {
      why: 'its strategy is Recreate, which ends a pod before its replacement is started',
      mend: `Set spec.strategy of ${name} to RollingUpdate with maxUnavailable: 0 and maxSurge: 1 where it can run twice for a moment.`,
    };
  }
  if (rollout.maxUnavailable > 0 || rollout.maxSurge < 1) {
    return {
      why: `its rolling update may take the only pod away (maxUnavailable comes to ${String(rollout.maxUnavailable)}, maxSurge to ${String(rollout.maxSurge)})`,
      mend: `Set maxUnavailable: 0 and maxSurge: 1 in spec.strategy.rollingUpdate of ${name}.`,
    };
  }
  if (rollout.paused) {
    return {
      why: 'its rollouts are paused',
      mend: `Resume them: kubectl rollout resume deployment ${deployment.name} -n ${deployment.namespace}`,
    };
  }
  return undefined;
}

function noRollout({ key }: Replicas): NoSurge {
  const [, kind = ''] = key.split('/');
  return {
    why: `only a Deployment can be restarted so that the replacement comes first, and it is a ${kind}`,
    mend: `Raise the replicas of ${ownerName(key)} to 2 where it can run twice, or accept the outage.`,
  };
}

const cordonTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

function podObstacle(pod: PodView, view: ClusterView): NoSurge | undefined {
  const claims = pod.claims.filter((name) => view.claims.get(`${pod.namespace}/${name}`)?.onOneNode === true);
  if (claims.length > 0) {
    return {
      why: `the volume of its PersistentVolumeClaim ${someOf(claims.map((name) => `${pod.namespace}/${name}`))} can be used on one node at a time`,
      mend: 'Use a volume with access mode ReadWriteMany, or accept the outage.',
    };
  }
  if (tolerates(pod.tolerations, cordonTaint)) {
    return {
      why: 'it tolerates the cordon, so that the replacement may be started on the same node',
      mend: `Remove the toleration of ${cordonTaint.key} from its template.`,
    };
  }
  return undefined;
}

/** Whether another node would take the replacement while the pod still runs. */
function placesOf({
  view,
  surroundings = view,
  node,
}: Pick<SurgeSituation, 'view' | 'surroundings' | 'node'>): (pod: PodView) => NoSurge | undefined {
  let shared: ReturnType<typeof placements> | undefined;
  return (pod) => {
    // Only its own rules can keep a pod off because of the pod that it replaces.
    const hasRules = pod.antiAffinity.length > 0 || pod.hardSpread.length > 0;
    const placementOf = hasRules
      ? placements(surroundings, node, occupancy(surroundings, node, new Set([pod.uid])))
      : (shared ??= placements(surroundings, node));
    const placement = placementOf(hasRules ? replacementBeside(pod) : pod);
    return placement.kind === 'no'
      ? { why: `no other node takes a second pod of it: ${placement.why}`, mend: placement.mend }
      : undefined;
  };
}

/** The replacement as the scheduler sees it: of another revision, and not the pod itself. */
function replacementBeside(pod: PodView): PodView {
  const revision = 'pod-template-hash';
  return { ...pod, uid: `${pod.uid}-replacement`, labels: { ...pod.labels, [revision]: `${pod.uid}-replacement` } };
}

/** It is itself a replacement that was started for this turn. */
function againHere(
  pod: PodView,
  { node, restartedFor }: { readonly node: string; readonly restartedFor: string | undefined },
): NoSurge | undefined {
  if (restartedFor === undefined || !bears(pod, restartedFor)) return undefined;
  return {
    why: `it was restarted for this turn already, and its pod is on ${node} again`,
    mend: `Find out why its pods come to the cordoned node ${node}: a fixed nodeName, or somebody who uncordoned it.`,
  };
}

function surging(owner: Replicas, { rollout, pod }: { readonly rollout: RolloutView; readonly pod: PodView }): Wait {
  const name = ownerName(owner.key);
  const others = owner.pods.filter((other) => other.uid !== pod.uid && !other.terminating);
  const unready = others.filter((other) => !other.ready);
  return {
    for: 'surging',
    objects: [name, ...unready.map((other) => `Pod ${podKey(other)}`)],
    message:
      `${name} was restarted, which added a revision, so that Pod ${podKey(pod)} ends only when its replacement is available; ` +
      `${replacementState(others, rollout)}. The rollout goes on whatever becomes of the drain.`,
    hint: `Find out why the replacement does not become available: kubectl describe pods -n ${pod.namespace}, and the quota of the namespace.`,
  };
}

function replacementState(others: readonly PodView[], { paused }: RolloutView): string {
  if (paused) return 'its rollouts were paused meanwhile';
  if (others.length === 0) return 'no replacement has appeared yet';
  const unready = others.filter(({ ready }) => !ready);
  if (unready.length === 0) return 'the replacement is Ready';
  return `not Ready: ${someOf(
    unready.map(
      (pod) => `Pod ${podKey(pod)}${pod.unschedulableReason === undefined ? '' : ` (${pod.unschedulableReason})`}`,
    ),
  )}`;
}

function underWay(owner: Replicas, { rollout, pod }: { readonly rollout: RolloutView; readonly pod: PodView }): Wait {
  const name = ownerName(owner.key);
  const { observed, pods, updatedPods, availablePods } = rollout;
  const state = observed
    ? `${count(pods, 'pod')}, ${String(updatedPods)} of the present template, ${String(availablePods)} available`
    : 'the Deployment controller has not yet seen its latest change';
  return {
    for: 'rollout',
    objects: [name, `Pod ${podKey(pod)}`],
    message: `A rollout of ${name} is under way (${state}); Pod ${podKey(pod)} can leave without an outage when it has ended.`,
    hint: `Let it end, or mend it: kubectl rollout status deployment ${owner.owner?.name ?? ''} -n ${pod.namespace}`,
  };
}
