import type { ClusterPort } from '../cluster/clusterPort.js';
import type { VitalService } from '../cluster/services.js';
import { podKey, type ClusterView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import type { JournalRecord } from '../journal/entry.js';
import type { DrainPolicy } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import { awaitDetached } from './awaitDetached.js';
import { nothingAccepted, type AcceptedFindings } from './acceptedFindings.js';
import { awaitReplacements } from './awaitReplacements.js';
import { boundPods, type BoundPods } from './boundPods.js';
import type { DrainEnd, DrainProgress, DrainRecord, WaitingFor } from './drainEnd.js';
import { progressReporter, type ProgressReporter } from './drainProgress.js';
import { drainTime, type DrainTime } from './drainTime.js';
import { evictionLedger, type EvictionLedger } from './evictionLedger.js';
import { evictionSender, type EvictionSender } from './evictionSender.js';
import { addedUp, excusedReplicas } from './excusedReplicas.js';
import { leftPods, leftReplicas } from './leftPods.js';
import type { ManagedBudgets } from './managedBudgets.js';
import { nextEvictions, waitChangesAt } from './next.js';
import type { NextStep } from './nextStep.js';
import { requestsUnderWay, type RequestsUnderWay } from './requestsUnderWay.js';
import { rereadNode } from './rereadNode.js';
import type { DisplacedOwners } from './recovery.js';
import type { SharedEvictions } from './sharedEvictions.js';
import type { SpreadPolicy } from './spreadPolicy.js';
import { surgeSender, type SurgeSender } from './surgeSender.js';
import { waitForChange, type DrainCache } from './waitForChange.js';
import type { WaitedFor } from './waitedTime.js';

export interface Drain {
  /** Checks the lease before each eviction and restart. */
  readonly cluster: Pick<ClusterPort, 'evict' | 'get' | 'patch' | 'list' | 'watch'>;
  readonly cache: DrainCache;
  /** Name of the node; it is cordoned. */
  readonly node: string;
  readonly policy: DrainPolicy;
  readonly spread: SpreadPolicy;
  readonly managedBudgets: ManagedBudgets;
  /** Services that the API server calls: each keeps a Ready pod. Absent: none is known. */
  readonly vitalServices?: readonly VitalService[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * Of an eviction or restart that was sent: aborts only where nothing more may be written. One that is cut off after the
   * API server has allowed it, and before it has deleted the pod, makes its budget count the pod as gone for two minutes
   * (DeletionTimeout, pkg/controller/disruption/disruption.go).
   */
  readonly callSignal: AbortSignal;
  /** Appends to the journal; resolves when it is safe to act. */
  readonly journal: (record: JournalRecord) => Promise<unknown>;
  readonly report: (progress: DrainProgress) => void;
  /** Owners that an earlier attempt of this turn displaced, and what they had Ready before it. */
  readonly displaced?: DisplacedOwners;
  /** UIDs of controllers whose pods an earlier attempt found to return: they are not evicted again. */
  readonly boundControllers?: ReadonlySet<string>;
  /** UIDs of controllers whose pods an earlier drain of this turn has evicted, with the node cordoned since. */
  readonly evictedControllers?: ReadonlySet<string>;
  /** What a person has taken on for this node. */
  readonly accepted?: AcceptedFindings;
  /** PersistentVolumes of the pods that leave: they are detached before the drain is over. */
  readonly volumes?: ReadonlySet<string>;
  /** The cache has just been refreshed for this node: the first evictions are decided on that. */
  readonly isFreshlyRead?: boolean;
  /** What this turn marks restarted Deployments with. */
  readonly restartedFor: string;
  /** What other drains of this actor have under way. */
  readonly evictions: SharedEvictions;
}

/** Between two looks while another drain is under way: what it gives up makes room, and no event tells. */
const lookAtOthersMs = 1000;
/** Evictions, and restarts, sent at the same time, so that a full node does not flood the API server. */
const mostSending = 10;
/** How long the watch may take to show a cordon that was set a moment ago. */
const cordonShownWithinMs = 5000;

/**
 * Empties a cordoned node. Acts at each change of the cluster: whatever {@link nextEvictions} lets go is evicted, with
 * the pod's UID, after the view has shown that UID on this node; singletons are surged where the playbook says so. It is
 * over when the node, read again, has no pod left that counts, (where the playbook says so) every displaced owner has its
 * Ready replicas again on other nodes, and the volumes of the pods that left are detached. The policy's timeout bounds all
 * of it; waiting for Job pods alone is bounded by their own limit instead.
 */
export async function drain(request: Drain): Promise<DrainEnd> {
  const work = begin(request);
  const { underWay, surges, ledger, bound } = work;
  const leave = request.evictions.join(ledger);
  const ended = await untilStopped(request.signal, async () => {
    let end = await emptyNode(request, work);
    if (end.kind === 'empty' && request.policy.waitForReplacements) end = await replacementsReady(request, work);
    return end.kind === 'empty' ? await volumesDetached(request, work) : end;
  }).finally(async () => {
    await underWay.settled();
    leave();
  });
  underWay.throwFailure();

  const record: DrainRecord = {
    evicted: ledger.evicted(),
    surged: surges.count(),
    displaced: displacedBy(work),
    boundToNode: bound.pods(request.cache.view()),
    evictedControllers: bound.evictedControllers(),
    leftByPolicy: leftPods({ ...request, view: request.cache.view(), now: request.clock.now() }).map(podKey),
    findings: [...('findings' in ended ? ended.findings : []), ...bound.findings(request.cache.view())],
  };
  if (ended.kind !== 'stopped') {
    await request.journal({ ...finished(request.node, ended, record), ...waitedEvidence(work.progress.waited()) });
  }
  return { ...ended, ...record };
}

interface Work {
  readonly underWay: RequestsUnderWay;
  readonly ledger: EvictionLedger;
  readonly sender: EvictionSender;
  readonly surges: SurgeSender;
  readonly bound: BoundPods;
  readonly time: DrainTime;
  readonly progress: ProgressReporter;
}

type Ended =
  | { readonly kind: 'empty' | 'not-cordoned' | 'stopped' }
  | { readonly kind: 'blocked'; readonly findings: readonly Finding[] }
  | { readonly kind: 'timeout'; readonly waitingFor: readonly WaitingFor[] }
  | { readonly kind: 'deferred'; readonly jobs: readonly string[] };

function begin(request: Drain): Work {
  const { clock, node, report, policy, signal } = request;
  const underWay = requestsUnderWay(signal);
  const ledger = evictionLedger(clock);
  const bound = boundPods(node, request.boundControllers, request.evictedControllers);
  return {
    ledger,
    bound,
    underWay,
    sender: evictionSender({ ...request, underWay, ledger, bound }),
    surges: surgeSender({ ...request, underWay }),
    time: drainTime({ clock, policy }),
    progress: progressReporter({
      node,
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      gone: () => ledger.goneCount(),
      report,
    }),
  };
}

async function emptyNode(request: Drain, work: Work): Promise<Ended> {
  for (let isRead = request.isFreshlyRead === true; ; isRead = false) {
    const waitingFor = isRead ? [] : await rereadNode({ ...request, ...work });
    if (waitingFor.length > 0) return { kind: 'timeout', waitingFor };
    const ended = await evictUntilNoneIsLeft(request, work);
    // That it is empty is only believed of a reading of its own.
    if (ended !== undefined && !(isRead && ended.kind === 'empty')) return ended;
  }
}

/** Ends with `empty` where nothing was left from the start, with undefined once nothing is: then it is read again. */
async function evictUntilNoneIsLeft(request: Drain, work: Work): Promise<Ended | undefined> {
  const { cache, node, clock, signal } = request;
  const { ledger, underWay, sender, surges, bound, time, progress } = work;
  for (let firstLook = true; ; firstLook = false) {
    const version = cache.version();
    const view = cache.view();
    await journalGone(request, work, view);
    bound.observe(view);
    underWay.throwFailure();

    const { steps } = nextEvictions(situationOf(request, work, view));
    if (steps.length === 0) return firstLook ? { kind: 'empty' } : undefined;
    const findings = [...sender.refusedForGood(), ...findingsOf(steps)];
    if (findings.length > 0) return { kind: 'blocked', findings };
    const cordoned = view.nodes.get(node)?.unschedulable === true;
    if (time.notCordonedFor(cordoned) > cordonShownWithinMs) return { kind: 'not-cordoned' };

    time.observe(steps);
    if (cordoned) act(steps, view, work);
    const waitingFor = progress.steps(steps, clock.now() + Math.round(time.leftMs()));
    if (time.leftMs() <= 0) return { kind: 'timeout', waitingFor };
    if (time.jobsLeftMs() <= 0) return { kind: 'deferred', jobs: jobPodsOf(steps) };
    const atMostMs = Math.min(
      time.leftMs(),
      time.jobsLeftMs(),
      Math.min(ledger.nextPauseEnd(), surges.nextPauseEnd()) - clock.monotonic(),
      firstChangeByTime(steps) - clock.now(),
      cordoned ? Infinity : cordonShownWithinMs,
      request.evictions.isShared() ? lookAtOthersMs : Infinity,
    );
    await waitForChange({ cache, version, clock, atMostMs, tasks: underWay.tasks, signal });
  }
}

function findingsOf(steps: readonly NextStep[]): readonly Finding[] {
  return steps.flatMap((step) => (step.kind === 'never' ? [step.finding] : []));
}

function act(steps: readonly NextStep[], view: ClusterView, { underWay, sender, surges }: Work): void {
  let room = mostSending - underWay.tasks.size;
  for (const step of steps) {
    if (room <= 0) return;
    if (step.kind === 'evict') sender.send(step.pod, view, step.override?.name);
    else if (step.kind === 'surge') surges.send(step, view);
    else continue;
    room -= 1;
  }
}

function displacedBy({ sender, surges }: Work): DisplacedOwners {
  return new Map([...surges.displaced(), ...sender.displaced()]);
}

async function replacementsReady(request: Drain, work: Work): Promise<Ended> {
  const { cache, clock, signal, node } = request;
  const { sender, bound, time, progress } = work;
  const displaced = displacedBy(work);
  const waitingFor = await awaitReplacements({
    cache,
    clock,
    signal,
    node,
    displaced,
    excused: (view) => {
      // One that comes back only now (an ordered StatefulSet makes one after the other) is left like the others.
      bound.observe(view);
      const left = leftReplicas(leftPods({ ...request, view, now: clock.now() }), view);
      const here = addedUp(bound.owners(view), left);
      return addedUp(here, excusedReplicas({ view, node, displaced, tied: sender.tied() }));
    },
    deadline: clock.monotonic() + time.leftMs(),
    progress,
  });
  return waitingFor.length === 0 ? { kind: 'empty' } : { kind: 'timeout', waitingFor };
}

async function volumesDetached(request: Drain, { time, progress }: Work): Promise<Ended> {
  const { clock, volumes = new Set() } = request;
  const waitingFor = await awaitDetached({
    ...request,
    volumes,
    deadline: clock.monotonic() + time.leftMs(),
    progress,
  });
  return waitingFor.length === 0 ? { kind: 'empty' } : { kind: 'timeout', waitingFor };
}

function situationOf(
  {
    node,
    policy,
    spread,
    managedBudgets,
    vitalServices = [],
    accepted = nothingAccepted,
    clock,
    restartedFor,
    evictions,
  }: Drain,
  { ledger, surges, bound, time }: Work,
  view: ClusterView,
) {
  const jobsLeftMs = time.jobsLeftMs();
  return {
    view,
    node,
    policy,
    spread,
    managedBudgets,
    vitalServices,
    accepted,
    now: clock.now(),
    inFlight: evictions.inFlight(view),
    heldBack: new Map([...ledger.heldBack(), ...surges.heldBack()]),
    restartedFor,
    restarted: surges.restarted(),
    boundControllers: bound.controllers(),
    ...(Number.isFinite(jobsLeftMs) ? { jobsUntil: clock.now() + Math.round(jobsLeftMs) } : {}),
  };
}

async function journalGone({ journal, node }: Drain, { ledger, surges }: Work, view: ClusterView): Promise<void> {
  for (const { pod, owner, afterMs } of surges.observe(view)) {
    await journal({ type: 'owner.surged', node, owner, pod: podKey(pod), uid: pod.uid, afterMs });
  }
  for (const { pod, uid, evictedAt, goneAt } of ledger.observe(view)) {
    const afterMs = goneAt === undefined ? undefined : goneAt - evictedAt;
    await journal({ type: 'pod.gone', node, pod, uid, ...(afterMs === undefined ? {} : { afterMs }) });
  }
}

function jobPodsOf(steps: readonly NextStep[]): readonly string[] {
  return steps.flatMap((step) =>
    step.kind === 'wait' && step.wait.for === 'job-running' ? `${step.pod.namespace}/${step.pod.name}` : [],
  );
}

function firstChangeByTime(steps: readonly NextStep[]): number {
  return Math.min(Infinity, ...steps.map((step) => (step.kind === 'wait' ? waitChangesAt(step.wait) : Infinity)));
}

function finished(node: string, ended: Ended, record: DrainRecord): JournalRecord {
  const { evicted, surged, boundToNode, leftByPolicy, displaced } = record;
  return {
    type: 'drain.finished',
    node,
    result: ended.kind,
    evicted: evicted.length,
    ...(surged === 0 ? {} : { surged }),
    boundToNode,
    ...(leftByPolicy.length === 0 ? {} : { leftByPolicy }),
    displaced: Object.fromEntries(displaced),
    ...('waitingFor' in ended ? { waitingFor: ended.waitingFor } : {}),
    ...('jobs' in ended ? { jobs: ended.jobs } : {}),
    ...('findings' in ended ? { findings: ended.findings } : {}),
  };
}

function waitedEvidence(waited: readonly WaitedFor[]): Readonly<Record<string, unknown>> {
  return waited.length === 0 ? {} : { waited };
}

async function untilStopped(signal: AbortSignal, act: () => Promise<Ended>): Promise<Ended> {
  try {
    return await act();
  } catch (error) {
    if (signal.aborted) return { kind: 'stopped' };
    throw error;
  }
}
