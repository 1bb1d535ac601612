import { isFinished } from '../cluster/podPhase.js';
import { isJobPod } from '../cluster/replicas.js';
import { podKey, type ClusterView, type PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import type { DrainPolicy } from '../playbook/playbook.js';
import { parseDuration } from '../time/duration.js';
import { podBlocked } from './overrideWords.js';
import { overrideOf, type PodOverride } from './podOverrides.js';

/** What becomes of a pod on a node that is drained, before budgets and replica spread are asked. */
export type Standing =
  | { readonly kind: 'stays'; readonly pod: PodView; readonly why: Exclude<StayReason, 'left-by-policy'> }
  /** The playbook leaves it on the node: it does not count, and goes down with the host. */
  | { readonly kind: 'stays'; readonly pod: PodView; readonly why: 'left-by-policy'; readonly override: PodOverride }
  /**
   * Is evicted. `loses` names what goes with it, because the playbook says so; `override` the entry that has it evicted
   * whatever else speaks against it.
   */
  | {
      readonly kind: 'leaves';
      readonly pod: PodView;
      readonly loses: readonly Loss[];
      readonly override?: PodOverride;
    }
  /** Its deletion is under way already, or that of its namespace, which refuses evictions. */
  | { readonly kind: 'leaving'; readonly pod: PodView }
  /** A Job's pod that may finish by itself. */
  | { readonly kind: 'finishes'; readonly pod: PodView }
  /** Goes by itself, because the playbook does not have it evicted. */
  | { readonly kind: 'awaited'; readonly pod: PodView; readonly override: PodOverride }
  /** Wishes not to be disturbed, until `until` (wall clock) or for good. */
  | { readonly kind: 'objects'; readonly pod: PodView; readonly annotation: string; readonly until: number | undefined }
  /** The playbook does not allow it to be evicted. */
  | { readonly kind: 'forbidden'; readonly pod: PodView; readonly finding: Finding };

export type StayReason = 'daemonset' | 'mirror' | 'finished' | 'bound-to-node' | 'left-by-policy';
export type Loss = 'unmanaged' | 'local-data' | 'job';

const safeToEvict = 'cluster-autoscaler.kubernetes.io/safe-to-evict';
const doNotDisrupt = 'karpenter.sh/do-not-disrupt';

export interface PodsToClassify {
  readonly view: ClusterView;
  readonly node: string;
  readonly policy: Pick<DrainPolicy, 'localData' | 'unmanagedPods' | 'jobPods' | 'overrides'>;
  /** Wall clock, milliseconds. */
  readonly now: number;
  /** UIDs of controllers whose pod returned to this node after its eviction: their pods stay. */
  readonly boundControllers?: ReadonlySet<string>;
}

/** The standing of every pod on the node, in the order of namespace and name. */
export function classifyPods(question: PodsToClassify): readonly Standing[] {
  return [...question.view.pods.values()]
    .filter((pod) => pod.nodeName === question.node)
    .sort((one, other) => (podKey(one) < podKey(other) ? -1 : 1))
    .map((pod) => standingOf(pod, question));
}

function standingOf(pod: PodView, { view, node, policy, now, boundControllers }: PodsToClassify): Standing {
  if (pod.mirror) return { kind: 'stays', pod, why: 'mirror' };
  if (isFinished(pod)) return { kind: 'stays', pod, why: 'finished' };
  if (pod.controller?.kind === 'DaemonSet') return { kind: 'stays', pod, why: 'daemonset' };
  const override = overrideOf(pod, { view, overrides: policy.overrides });
  if (override?.do === 'leave') return { kind: 'stays', pod, why: 'left-by-policy', override };
  const goesWithNamespace = view.namespaces.get(pod.namespace)?.terminating === true;
  if (pod.terminating || goesWithNamespace) return { kind: 'leaving', pod };
  if (pod.controller !== undefined && boundControllers?.has(pod.controller.uid)) {
    return { kind: 'stays', pod, why: 'bound-to-node' };
  }
  return override === undefined
    ? standingByPolicy(pod, { node, policy, now })
    : standingByOverride(pod, override, node);
}

function standingByPolicy(
  pod: PodView,
  { node, policy, now }: Pick<PodsToClassify, 'node' | 'policy' | 'now'>,
): Standing {
  if (pod.controller === undefined && policy.unmanagedPods === 'block') {
    return { kind: 'forbidden', pod, finding: unmanagedPod(pod, node) };
  }
  if (isJobPod(pod) && policy.jobPods === 'wait') return { kind: 'finishes', pod };
  if (isJobPod(pod) && policy.jobPods === 'block') return { kind: 'forbidden', pod, finding: jobForbidden(pod, node) };
  const objection = objectionOf(pod, now);
  if (objection !== undefined) return { kind: 'objects', pod, ...objection };
  if (pod.emptyDirs.length > 0 && policy.localData === 'block') {
    return { kind: 'forbidden', pod, finding: localDataBlocked(pod, node) };
  }
  return { kind: 'leaves', pod, loses: lossesOf(pod) };
}

function standingByOverride(pod: PodView, override: PodOverride, node: string): Standing {
  if (override.do === 'block') return { kind: 'forbidden', pod, finding: podBlocked(pod, override, node) };
  if (override.do === 'wait') return { kind: 'awaited', pod, override };
  return { kind: 'leaves', pod, loses: lossesOf(pod), override };
}

function lossesOf(pod: PodView): readonly Loss[] {
  const losses: Loss[] = [];
  if (pod.controller === undefined) losses.push('unmanaged');
  if (pod.emptyDirs.length > 0) losses.push('local-data');
  if (isJobPod(pod)) losses.push('job');
  return losses;
}

/**
 * The pod's own wish: `safe-to-evict: "false"` of the cluster autoscaler, `do-not-disrupt` of Karpenter, which is
 * `true` or how long after its creation the pod wants to be left alone.
 */
export function objectionOf(pod: PodView, now: number): { annotation: string; until: number | undefined } | undefined {
  if (pod.annotations[safeToEvict] === 'false') return { annotation: `${safeToEvict}: "false"`, until: undefined };
  const wish = pod.annotations[doNotDisrupt];
  if (wish === undefined) return undefined;
  const annotation = `${doNotDisrupt}: "${wish}"`;
  if (wish === 'true') return { annotation, until: undefined };
  const durationMs = parseDuration(wish);
  if (durationMs === undefined || pod.createdAt + durationMs <= now) return undefined;
  return { annotation, until: pod.createdAt + durationMs };
}

function unmanagedPod(pod: PodView, node: string): Finding {
  return {
    code: 'unmanaged-pod',
    severity: 'block',
    node,
    objects: [`Pod ${podKey(pod)}`],
    message: `Pod ${podKey(pod)} has no controller; once evicted, nothing creates it again.`,
    hint: 'Give it a controller (a Deployment, for example), delete it, or set spec.drain.unmanagedPods: delete.',
  };
}

function jobForbidden(pod: PodView, node: string): Finding {
  return {
    code: 'job-running',
    severity: 'block',
    node,
    objects: [`Pod ${podKey(pod)}`, `Job ${pod.namespace}/${pod.controller?.name ?? ''}`],
    message: `Pod ${podKey(pod)} of a Job is running, and the playbook does not let Job pods be evicted.`,
    hint: 'Wait until the Job has finished, or set spec.drain.jobPods: wait.',
  };
}

function localDataBlocked(pod: PodView, node: string): Finding {
  return {
    code: 'local-data-blocked',
    severity: 'block',
    node,
    objects: [`Pod ${podKey(pod)}`],
    message: `Pod ${podKey(pod)} keeps data in emptyDir ${pod.emptyDirs.join(', ')}, which is lost with its eviction.`,
    hint: 'Move the data to a PersistentVolumeClaim, or set spec.drain.localData: delete.',
  };
}
