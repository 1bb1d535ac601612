import { isJobPod, ownerName, ownerOf, readyCount, replicasOf, type Replicas } from '../cluster/replicas.js';
import { podKey, type ClusterView, type PodView } from '../cluster/view.js';
import type { Finding, FindingCode, Severity } from '../gates/finding.js';
import { count, someOf } from './budgetWords.js';
import type { NextStep, Wait, WaitReason } from './nextStep.js';
import type { Placement } from './placement.js';

/** The finding of a wait that would not end by itself; none for one that does. */
export function findingsOfWait(wait: Wait, severity: Severity, node: string): readonly Finding[] {
  const code = codeOfWait(wait.for);
  const { objects, message, hint } = wait;
  return code === undefined ? [] : [{ code, severity, node, objects, message, hint }];
}

function codeOfWait(reason: WaitReason): FindingCode | undefined {
  switch (reason) {
    case 'budget-not-now':
    case 'budget-stale':
    case 'budget-not-synced':
    case 'job-running':
    case 'pod-objects':
      return reason;
    case 'managed-budget':
      return 'budget-managed';
    case 'spread':
      return 'replica-spread';
    case 'terminating':
    case 'overdue':
    case 'namespace-deleted':
    case 'earlier-pods':
    case 'retry':
      return undefined;
  }
}

/** Pods that can run on no other node, by UID, and why not. */
export type TiedPods = ReadonlyMap<string, Extract<Placement, { kind: 'no' }>>;

/** What somebody should know of the pods that leave next: an outage, an owner short during the turn, a Job failed. */
export function cautionsOf(
  steps: readonly Exclude<NextStep, { kind: 'never' }>[],
  { view, node, tied }: { readonly view: ClusterView; readonly node: string; readonly tied: TiedPods },
): readonly Finding[] {
  const owners = new Set(steps.map(({ pod }) => ownerOf(view, pod)).filter((key) => key !== undefined));
  const replicas = replicasOf(view, owners);
  return steps.flatMap((step) => {
    const { pod } = step;
    const owner = replicas.get(ownerOf(view, pod) ?? '');
    const isEvicted = step.kind === 'evict' || step.wait.for === 'managed-budget';
    const placement = isEvicted ? tied.get(pod.uid) : undefined;
    const short =
      owner !== undefined && placement !== undefined ? [shortDuringTurn({ pod, owner, node, placement })] : [];
    if (step.kind === 'wait') return [...findingsOfWait(step.wait, 'caution', node), ...short];
    return [
      ...(pod.controller === undefined ? [unmanagedLost(pod, node)] : []),
      ...(isJobPod(pod) ? [jobEvicted(pod, node)] : []),
      ...(owner?.desired === 1 && pod.ready && readyCount(owner) <= 1 ? [singletonOutage(pod, owner, node)] : []),
      ...short,
    ];
  });
}

/** What goes with emptyDir volumes, in one finding for all pods. */
export function localDataLost(pods: readonly PodView[], node: string): readonly Finding[] {
  const names = pods.filter((pod) => pod.emptyDirs.length > 0).map((pod) => `Pod ${podKey(pod)}`);
  if (names.length === 0) return [];
  return [
    {
      code: 'local-data-lost',
      severity: 'info',
      node,
      objects: names,
      message: `${count(names.length, 'pod')} of node ${node} keep data in emptyDir volumes, which is lost with the eviction: ${someOf(names)}.`,
      hint: 'If the data matters, move it to a PersistentVolumeClaim, or set spec.drain.localData: block.',
    },
  ];
}

function singletonOutage(pod: PodView, owner: Replicas, node: string): Finding {
  const name = ownerName(owner.key);
  return {
    code: 'singleton-outage',
    severity: 'caution',
    node,
    objects: [name, `Pod ${podKey(pod)}`],
    message: `${name} has one replica; it is down from the eviction of Pod ${podKey(pod)} until its replacement is Ready.`,
    hint: `Raise the replicas of ${name} to 2 where it can run twice, or accept the short outage.`,
  };
}

function shortDuringTurn(short: {
  readonly pod: PodView;
  readonly owner: Replicas;
  readonly node: string;
  readonly placement: Extract<Placement, { kind: 'no' }>;
}): Finding {
  const { pod, owner, node, placement } = short;
  const name = ownerName(owner.key);
  return {
    code: 'short-during-turn',
    severity: 'caution',
    node,
    objects: [name, `Pod ${podKey(pod)}`],
    message: `Pod ${podKey(pod)} can run on no node but ${node}: ${placement.why}. ${name} is one replica short until ${node} is back.`,
    hint: placement.mend,
  };
}

function unmanagedLost(pod: PodView, node: string): Finding {
  return {
    code: 'unmanaged-pod',
    severity: 'caution',
    node,
    objects: [`Pod ${podKey(pod)}`],
    message: `Pod ${podKey(pod)} has no controller; it is evicted, and nothing creates it again.`,
    hint: 'Give it a controller (a Deployment, for example), or set spec.drain.unmanagedPods: block.',
  };
}

function jobEvicted(pod: PodView, node: string): Finding {
  const job = `Job ${pod.namespace}/${pod.controller?.name ?? ''}`;
  return {
    code: 'job-running',
    severity: 'caution',
    node,
    objects: [`Pod ${podKey(pod)}`, job],
    message: `Pod ${podKey(pod)} of ${job} is evicted while it runs; the Job counts it as failed.`,
    hint: 'Set spec.drain.jobPods: wait to let it finish first.',
  };
}
