import { formatDuration } from '../time/duration.js';
import type { VitalService } from '../cluster/services.js';
import { podKey, type ClusterView, type PodView } from '../cluster/view.js';
import type { DrainPolicy } from '../playbook/playbook.js';
import { isAccepted, nothingAccepted, type AcceptedFindings } from './acceptedFindings.js';
import { backendAllowance } from './backendAllowance.js';
import { budgetAllowance } from './budgetAllowance.js';
import { count } from './budgetWords.js';
import { classifyPods, type Standing } from './classifyPods.js';
import type { ManagedBudgets } from './managedBudgets.js';
import { go, type Allowance, type NextStep, type Permission, type Wait } from './nextStep.js';
import { podAwaited } from './overrideWords.js';
import { podBudgets, type SelectedPods } from './podBudgets.js';
import { spreadAllowance } from './spreadAllowance.js';
import type { SpreadPolicy } from './spreadPolicy.js';
import { surgeVerdicts, type SurgeVerdict } from './surge.js';

/** All that decides what a drain does next. */
export interface DrainSituation {
  readonly view: ClusterView;
  readonly node: string;
  readonly policy: DrainPolicy;
  readonly spread: SpreadPolicy;
  readonly managedBudgets: ManagedBudgets;
  /** Services that the API server calls: each keeps a Ready pod. Absent: none is known. */
  readonly vitalServices?: readonly VitalService[];
  /** Wall clock, milliseconds. */
  readonly now: number;
  /** UIDs of evictions that were sent and whose pod is still there: they count as gone for budgets and spread. */
  readonly inFlight: ReadonlySet<string>;
  /** Pods by UID whose eviction was refused, and until when they are left alone. They use up no budget meanwhile. */
  readonly heldBack?: ReadonlyMap<string, Wait>;
  /** UIDs of controllers whose pod returned to this node after its eviction. */
  readonly boundControllers?: ReadonlySet<string>;
  /** UIDs of pods to be looked at as if they were not on the node; they count for budgets and spread. */
  readonly setAside?: ReadonlySet<string>;
  /** What a person has taken on: it stands in no pod's way. Absent: nothing. */
  readonly accepted?: AcceptedFindings;
  /** Wall clock at which the wait for Job pods ends. */
  readonly jobsUntil?: number;
  /** The whole view, where `view` is a part of it. */
  readonly surroundings?: ClusterView;
  /** What a Deployment is marked with that this turn has restarted ({@link restartMark}); absent outside a turn. */
  readonly restartedFor?: string;
  /** UIDs of pods whose Deployment this drain has restarted. */
  readonly restarted?: ReadonlySet<string>;
}

export interface NextSteps {
  /** One for each pod that must leave; the order is that of evictions. */
  readonly steps: readonly NextStep[];
  /** Pods that do not count. */
  readonly stays: readonly Extract<Standing, { kind: 'stays' }>[];
}

/** Pods of this priority and above serve the others (system-cluster-critical, pkg/apis/scheduling/types.go). */
const criticalPriority = 2_000_000_000;

/**
 * What to do next with each pod that must leave the node: evict it now, wait (for what), or never. The gates run it
 * to its end on a view, the drain at each change of the cluster, so that they never disagree.
 *
 * Ordinary pods go first, critical ones when those have left, pods of managed budgets last: storage closes when its
 * users are gone. Where the playbook asks for it, singletons do not go before their replacement is there: their
 * Deployment is restarted instead. Within a rank, pods that are not Ready go first, since they use up no budget. As many go at a time
 * as each budget and each owner's spread allow.
 */
export function nextEvictions(situation: DrainSituation): NextSteps {
  const { view, node, spread, managedBudgets, vitalServices = [], now, inFlight, setAside } = situation;
  const standings = classifyPods(situation).filter(({ pod }) => setAside?.has(pod.uid) !== true);
  const leaving = standings.filter((standing) => standing.kind !== 'stays');
  const pods = leaving.map(({ pod }) => pod);
  const budgets = podBudgets(view, pods, managedBudgets);
  const allowances = [
    budgetAllowance({ node, budgets, inFlight, now }),
    spreadAllowance({ view, node, policy: spread, pods, inFlight }),
    ...(vitalServices.length === 0 ? [] : [backendAllowance({ view, services: vitalServices, inFlight })]),
  ];
  const surgeOf = surgeVerdicts({ ...situation, pods });

  const ranked = leaving
    .map((standing) => ({ standing, rank: rankOf(standing.pod, budgets) }))
    .sort((one, other) => one.rank - other.rank || Number(one.standing.pod.ready) - Number(other.standing.pod.ready));
  const lowestRank = ranked[0]?.rank ?? 0;
  const earlier = ranked.filter(({ rank }) => rank === lowestRank).map(({ standing }) => standing.pod);

  const steps = ranked.map(({ standing, rank }): NextStep => {
    const { pod } = standing;
    const surge = standing.kind === 'leaves' && !inFlight.has(pod.uid) ? surgeOf(pod) : notAsked;
    const permission = surgePermission(pod, surge, situation) ?? permissionFor(standing, situation, allowances);
    if (permission.kind === 'never') return { kind: 'never', pod, finding: permission.finding };
    const wait = permission.kind === 'wait' ? permission.wait : rank > lowestRank ? earlierPods(earlier) : undefined;
    if (wait !== undefined) return { kind: 'wait', pod, wait };
    if (surge.kind === 'surge') return { kind: 'surge', pod, deployment: surge.deployment };
    for (const allowance of allowances) allowance.take(pod);
    const override = standing.kind === 'leaves' ? standing.override : undefined;
    return {
      kind: 'evict',
      pod,
      ...(override === undefined ? {} : { override }),
      ...(surge.kind === 'outage' ? { outage: surge.outage } : {}),
    };
  });
  return { steps, stays: standings.filter((standing) => standing.kind === 'stays') };
}

const notAsked: SurgeVerdict = { kind: 'not-asked' };

/** What holds of a pod whose replacement comes first: a rollout asks neither budgets nor spread. */
function surgePermission(pod: PodView, surge: SurgeVerdict, { heldBack }: DrainSituation): Permission | undefined {
  if (surge.kind === 'wait') return surge;
  if (surge.kind !== 'surge') return undefined;
  const held = heldBack?.get(pod.uid);
  return held === undefined ? go : { kind: 'wait', wait: held };
}

function permissionFor(
  standing: Exclude<Standing, { kind: 'stays' }>,
  situation: DrainSituation,
  allowances: readonly Allowance[],
): Permission {
  const { pod } = standing;
  if (standing.kind === 'leaving' || situation.inFlight.has(pod.uid)) {
    return {
      kind: 'wait',
      wait: standing.kind === 'leaving' && !pod.terminating ? withNamespace(pod) : terminating(pod, situation.now),
    };
  }
  const { accepted = nothingAccepted } = situation;
  const own = ownPermission(standing, situation);
  if (own.kind !== 'go' && !isAccepted(own, accepted)) return own;

  const answers = allowances.map((allowance) => allowance.ask(pod)).filter((answer) => !isAccepted(answer, accepted));
  const held = situation.heldBack?.get(pod.uid);
  return (
    answers.find(({ kind }) => kind === 'never') ??
    (held === undefined ? answers.find(({ kind }) => kind === 'wait') : { kind: 'wait', wait: held }) ?? { kind: 'go' }
  );
}

/** What the playbook and the pod itself say, before anything is counted. */
function ownPermission(
  standing: Exclude<Standing, { kind: 'stays' | 'leaving' }>,
  situation: DrainSituation,
): Permission {
  const { pod } = standing;
  switch (standing.kind) {
    case 'leaves':
      return go;
    case 'forbidden':
      return { kind: 'never', finding: standing.finding };
    case 'finishes':
      return { kind: 'wait', wait: jobRunning(pod, situation) };
    case 'awaited':
      return { kind: 'wait', wait: podAwaited(pod, standing.override, situation.policy.timeoutMs) };
    case 'objects':
      return { kind: 'wait', wait: objecting(standing) };
  }
}

function rankOf(pod: PodView, budgets: ReadonlyMap<string, readonly SelectedPods[]>): number {
  if (budgets.get(pod.uid)?.some(({ budget }) => budget.managedBy !== undefined)) return 2;
  return pod.priority >= criticalPriority ? 1 : 0;
}

/** Wall clock at which this wait is told, or decided, otherwise without a change of the cluster; Infinity: never. */
export function waitChangesAt(wait: Wait): number {
  if (wait.until === undefined) return Infinity;
  if (wait.for === 'pod-objects') return wait.until;
  return wait.for === 'terminating' ? wait.until + overdueAfterMs : Infinity;
}

/** A kubelet takes a moment beyond the grace period to end containers and report. */
const overdueAfterMs = 5000;

function terminating(pod: PodView, now: number): Wait {
  const { deletionDeadline, finalizers = [] } = pod;
  const name = `Pod ${podKey(pod)}`;
  const grace = formatDuration(pod.terminationGracePeriodSeconds * 1000);
  const held = finalizers.length === 0 ? '' : `, and it has finalizers (${finalizers.join(', ')})`;
  if (deletionDeadline !== undefined && now >= deletionDeadline + overdueAfterMs) {
    const ended = new Date(deletionDeadline).toISOString().slice(11, 19);
    return {
      for: 'overdue',
      objects: [name],
      message: `${name} should have ended at ${ended}Z${held === '' ? ', but its kubelet has not confirmed it' : held}.`,
      hint: 'Look at its finalizers, and at the kubelet and the container runtime of the node.',
    };
  }
  return {
    for: 'terminating',
    objects: [name],
    message: `${name} is ending; its grace period is ${grace}${held}.`,
    hint: 'If it does not end, look at its finalizers and at the kubelet of the node.',
    ...(deletionDeadline === undefined ? {} : { until: deletionDeadline }),
  };
}

function withNamespace(pod: PodView): Wait {
  const namespace = `Namespace ${pod.namespace}`;
  return {
    for: 'namespace-deleted',
    objects: [namespace],
    message: `${namespace} is being deleted; its pods go with it.`,
    hint: `If they stay, look at status.conditions of ${namespace}.`,
  };
}

function jobRunning(pod: PodView, { policy, jobsUntil }: DrainSituation): Wait {
  return {
    for: 'job-running',
    objects: [`Pod ${podKey(pod)}`, `Job ${pod.namespace}/${pod.controller?.name ?? ''}`],
    message: `Pod ${podKey(pod)} of Job ${pod.namespace}/${pod.controller?.name ?? ''} is running; it may finish for up to ${formatDuration(policy.jobPodsLimitMs)}.`,
    hint: 'Let the Job finish, or set spec.drain.jobPods: evict where its pods may be started again.',
    ...(jobsUntil === undefined ? {} : { until: jobsUntil }),
  };
}

function objecting({ pod, annotation, until }: Extract<Standing, { kind: 'objects' }>): Wait {
  return {
    for: 'pod-objects',
    objects: [`Pod ${podKey(pod)}`],
    message: `Pod ${podKey(pod)} asks by annotation not to be disturbed (${annotation}).`,
    hint: 'Remove the annotation, or delete the pod when it suits its team.',
    ...(until === undefined ? {} : { until }),
  };
}

function earlierPods(pods: readonly PodView[]): Wait {
  const names = pods.map((pod) => `Pod ${podKey(pod)}`);
  return {
    for: 'earlier-pods',
    objects: names,
    message: `Critical pods and those of managed budgets leave when ${count(names.length, 'other pod')} of the node ${names.length === 1 ? 'has' : 'have'} left.`,
    hint: 'Nothing to do while the other pods leave.',
  };
}
