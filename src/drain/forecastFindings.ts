import { isJobPod, ownerName, ownerOf, readyCount, replicasOf } from '../cluster/replicas.js';
import { podKey, type ClusterView, type PodView } from '../cluster/view.js';
import type { Finding, FindingCode, Severity } from '../gates/finding.js';
import { count, someOf } from './budgetWords.js';
import { isPinnedTo } from './classifyPods.js';
import type { NextStep, Wait, WaitReason } from './nextStep.js';

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
    case 'earlier-pods':
    case 'retry':
      return undefined;
  }
}

/** What somebody should know of a pod that leaves: data lost, an outage, an owner short during the turn. */
export function cautionsOf(
  step: Exclude<NextStep, { kind: 'never' }>,
  where: { readonly view: ClusterView; readonly node: string },
): readonly Finding[] {
  const { pod } = step;
  const { view, node } = where;
  if (step.kind === 'wait') return findingsOfWait(step.wait, 'caution', node);
  return [
    ...(pod.controller === undefined ? [unmanagedLost(pod, node)] : []),
    ...(isJobPod(pod) ? [jobEvicted(pod, node)] : []),
    ...ownerCautions(pod, view, node),
  ];
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

function ownerCautions(pod: PodView, view: ClusterView, node: string): readonly Finding[] {
  const key = ownerOf(view, pod);
  const replicas = key === undefined ? undefined : replicasOf(view, new Set([key])).get(key);
  if (replicas === undefined || !pod.ready) return [];
  const name = ownerName(replicas.key);
  const home = view.nodes.get(node);
  const findings: Finding[] = [];
  if (replicas.desired === 1 && readyCount(replicas) <= 1) {
    findings.push({
      code: 'singleton-outage',
      severity: 'caution',
      node,
      objects: [name, `Pod ${podKey(pod)}`],
      message: `${name} has one replica; it is down from the eviction of Pod ${podKey(pod)} until its replacement is Ready.`,
      hint: `Raise the replicas of ${name} to 2 where it can run twice, or accept the short outage.`,
    });
  }
  if (home !== undefined && isPinnedTo(pod, home)) {
    findings.push({
      code: 'short-during-turn',
      severity: 'caution',
      node,
      objects: [name, `Pod ${podKey(pod)}`],
      message: `Pod ${podKey(pod)} can run on node ${node} alone (kubernetes.io/hostname in its nodeSelector); ${name} is one replica short until the node is back.`,
      hint: `Remove kubernetes.io/hostname from the nodeSelector of ${name}, or accept it.`,
    });
  }
  return findings;
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
