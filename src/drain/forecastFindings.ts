import { isJobPod, ownerName, ownerOf, readyCount, replicasOf, type Replicas } from '../cluster/replicas.js';
import { ownerKey, podKey, type ClusterView, type OwnerView, type PodView } from '../cluster/view.js';
import type { Finding, Severity } from '../gates/finding.js';
import type { DrainPolicy } from '../playbook/playbook.js';
import { count, someOf } from './budgetWords.js';
import { objectionOf } from './classifyPods.js';
import type { NextStep, NoSurge, Wait } from './nextStep.js';
import { objectionOverruled } from './overrideWords.js';
import type { PodOverride } from './podOverrides.js';
import type { Placement } from './placement.js';
import { codeOfWait } from './waitCode.js';

/** The finding of a wait that would not end by itself; none for one that does. */
export function findingsOfWait(wait: Wait, severity: Severity, node: string): readonly Finding[] {
  const code = codeOfWait(wait.for);
  const { objects, message, hint } = wait;
  return code === undefined ? [] : [{ code, severity, node, objects, message, hint }];
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
    if (step.kind === 'surge') return [singletonSurge(pod, step.deployment, node)];
    const isEvicted = step.kind === 'evict' || step.wait.for === 'managed-budget';
    const placement = isEvicted ? tied.get(pod.uid) : undefined;
    const short =
      owner !== undefined && placement !== undefined ? [shortDuringTurn({ pod, owner, node, placement })] : [];
    if (step.kind === 'wait') return [...findingsOfWait(step.wait, 'caution', node), ...short];
    return [
      ...(pod.controller === undefined ? [unmanagedLost(pod, node, step.override)] : []),
      ...(isJobPod(pod) ? [jobEvicted(pod, node, step.override)] : []),
      ...overruled(step, { view, node }),
      ...(owner?.desired === 1 && pod.ready && readyCount(owner) <= 1
        ? [singletonOutage({ pod, owner, node, noSurge: step.outage })]
        : []),
      ...short,
    ];
  });
}

function overruled(
  { pod, override }: Extract<NextStep, { kind: 'evict' }>,
  { view, node }: { readonly view: ClusterView; readonly node: string },
): readonly Finding[] {
  const objection = override === undefined ? undefined : objectionOf(pod, view.takenAt);
  if (objection === undefined || override === undefined) return [];
  return [objectionOverruled(pod, objection.annotation, override, node)];
}

/** What goes with emptyDir volumes, in one finding for all pods; where `localData` is `block`, an override has them evicted. */
export function localDataLost(
  pods: readonly PodView[],
  { node, localData }: { readonly node: string; readonly localData: DrainPolicy['localData'] },
): readonly Finding[] {
  const losing = pods.filter((pod) => pod.emptyDirs.length > 0);
  const names = losing.map((pod) => `Pod ${podKey(pod)}`);
  if (names.length === 0) return [];
  const each = losing.map((pod, index) => `${names[index] ?? ''} (${pod.emptyDirs.join(', ')})`);
  return [
    {
      code: 'local-data-lost',
      severity: 'info',
      node,
      objects: names,
      message: `${count(names.length, 'pod')} of node ${node} ${names.length === 1 ? 'keeps' : 'keep'} data in emptyDir volumes, which is lost with the eviction: ${someOf(each)}.`,
      hint: `If the data matters, move it to a PersistentVolumeClaim, or ${
        localData === 'block' ? 'take the pods out of spec.drain.overrides' : 'set spec.drain.localData: block'
      }.`,
    },
  ];
}

function singletonSurge(pod: PodView, deployment: OwnerView, node: string): Finding {
  const name = ownerName(ownerKey(deployment));
  return {
    code: 'singleton-surge',
    severity: 'info',
    node,
    objects: [name, `Pod ${podKey(pod)}`],
    message: `${name} has one replica; a second is started on another node before Pod ${podKey(pod)} ends. This adds a revision to ${name}.`,
    hint: `Nothing to do; if it must never run twice, set its spec.strategy.type to Recreate.`,
  };
}

function singletonOutage(outage: {
  readonly pod: PodView;
  readonly owner: Replicas;
  readonly node: string;
  readonly noSurge: NoSurge | undefined;
}): Finding {
  const { pod, owner, node, noSurge } = outage;
  const name = ownerName(owner.key);
  const down = `it is down from the eviction of Pod ${podKey(pod)} until its replacement is Ready`;
  return {
    code: 'singleton-outage',
    severity: 'caution',
    node,
    objects: [name, `Pod ${podKey(pod)}`],
    message:
      noSurge === undefined
        ? `${name} has one replica; ${down}.`
        : `Planned outage: ${name} has one replica, and none can be started first, since ${noSurge.why}; ${down}.`,
    hint: noSurge?.mend ?? `Raise the replicas of ${name} to 2 where it can run twice, or accept the short outage.`,
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

function unmanagedLost(pod: PodView, node: string, override: PodOverride | undefined): Finding {
  return {
    code: 'unmanaged-pod',
    severity: 'caution',
    node,
    objects: [`Pod ${podKey(pod)}`],
    message: `Pod ${podKey(pod)} has no controller; it is evicted, and nothing creates it again.`,
    hint: `Give it a controller (a Deployment, for example), or ${
      override === undefined ? 'set spec.drain.unmanagedPods: block' : `take it out of ${override.name}`
    }.`,
  };
}

function jobEvicted(pod: PodView, node: string, override: PodOverride | undefined): Finding {
  const job = `Job ${pod.namespace}/${pod.controller?.name ?? ''}`;
  return {
    code: 'job-running',
    severity: 'caution',
    node,
    objects: [`Pod ${podKey(pod)}`, job],
    message: `Pod ${podKey(pod)} of ${job} is evicted while it runs; the Job counts it as failed.`,
    hint:
      override === undefined
        ? 'Set spec.drain.jobPods: wait to let it finish first.'
        : `Take it out of ${override.name} to let it finish first.`,
  };
}
