import type { VitalService } from '../cluster/services.js';
import type { ClusterView, PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import type { DrainPolicy } from '../playbook/playbook.js';
import { asAccepted, nothingAccepted, type AcceptedFindings } from './acceptedFindings.js';
import type { StayReason } from './classifyPods.js';
import { cautionsOf, findingsOfWait, localDataLost, type TiedPods } from './forecastFindings.js';
import { graceExceedsTimeout } from './graceFinding.js';
import type { ManagedBudgets } from './managedBudgets.js';
import { nextEvictions, type NextSteps } from './next.js';
import type { NextStep, WaitReason } from './nextStep.js';
import { leftByPolicy } from './overrideWords.js';
import type { Occupancy } from './occupancy.js';
import { placements, type Placement } from './placement.js';
import { afterEvictions, neighbourhoodOf } from './simulatedView.js';
import type { SpreadPolicy } from './spreadPolicy.js';

/** How a drain of the node would end, if every replacement becomes Ready. */
export interface DrainForecast {
  readonly verdict: 'possible' | 'blocked';
  /** What blocks, and what somebody should know; one finding for one cause. */
  readonly findings: readonly Finding[];
  /** Pods that would be evicted. */
  readonly evictions: number;
  /** The pods that would be evicted; those of one round together, the next when their replacements are Ready. */
  readonly rounds: readonly (readonly PodView[])[];
  /** How many times the drain waits for replacements before it goes on. */
  readonly waits: number;
  readonly stays: readonly { readonly pod: PodView; readonly why: StayReason }[];
}

export interface DrainToForecast {
  readonly view: ClusterView;
  readonly node: string;
  readonly policy: DrainPolicy;
  readonly spread: SpreadPolicy;
  readonly managedBudgets: ManagedBudgets;
  /** Services that the API server calls: each keeps a Ready pod. Absent: none is known. */
  readonly vitalServices?: readonly VitalService[];
  /** {@link neighbourhoodOf} the node, and what pods on other nodes take up, where they are known already. */
  readonly near?: ClusterView;
  readonly occupied?: Occupancy;
  /** UIDs of pods that leave other nodes at the same time: they count as gone, and nothing as in their place. */
  readonly leavingElsewhere?: ReadonlySet<string>;
  /** What a person has taken on for this node. Absent: nothing. */
  readonly accepted?: AcceptedFindings;
  /** What a Deployment is marked with that this turn has restarted; absent outside a turn. */
  readonly restartedFor?: string;
}

/**
 * Runs {@link nextEvictions} to its end on the view. After each step the evicted pods are gone and their owners'
 * replacements are Ready on other nodes, as far as they can run there; Job pods that may finish have finished, and pods
 * that are waited for have gone; managed budgets have opened. Pods that are not Ready today stay so: a drain that needs them is blocked.
 */
export function drainForecast(drain: DrainToForecast): DrainForecast {
  const { accepted = nothingAccepted } = drain;
  const forecast = playedForecast(drain);
  if (accepted.size === 0) return forecast;
  // What is accepted stands in no pod's way, so that the play above does not meet it.
  const met = playedForecast({ ...drain, accepted: nothingAccepted }).findings;
  const taken = met.filter(({ code, severity }) => severity === 'block' && accepted.has(code));
  return { ...forecast, findings: [...forecast.findings, ...taken.map((finding) => asAccepted(finding, accepted))] };
}

function playedForecast(drain: DrainToForecast): DrainForecast {
  const { node } = drain;
  const findings: Finding[] = [];
  const setAside = new Set<string>();
  let view = drain.near ?? neighbourhoodOf(drain.view, node, drain.vitalServices);
  // On the whole view: pods that are no neighbours take up places too.
  const placementOf = placements(drain.view, node, drain.occupied);
  const evicted: PodView[] = [];
  const rounds: PodView[][] = [];
  let waits = -1;
  const inFlight = drain.leavingElsewhere ?? new Set<string>();
  const ask = (): NextSteps =>
    nextEvictions({ ...drain, view, surroundings: drain.view, now: view.takenAt, inFlight, setAside });

  const { stays } = ask();
  findings.push(
    ...stays.flatMap((stay) =>
      stay.why === 'left-by-policy' ? leftByPolicy(stay.pod, stay.override, { view, node }) : [],
    ),
  );
  for (let { steps } = ask(); steps.length > 0; { steps } = ask()) {
    const leaving = podsThatLeave(steps);
    if (leaving.length > 0) {
      const tied = tiedPods(leaving, placementOf);
      findings.push(...cautionsOf(leaving, { view, node, tied }));
      const ended = leaving.filter((step) => isEvicted(step) || step.kind === 'surge');
      evicted.push(...leaving.filter(isEvicted).map(({ pod }) => pod));
      if (ended.length > 0) rounds.push(ended.map(({ pod }) => pod));
      waits += 1;
      view = afterEvictions(
        view,
        leaving.map(({ pod }) => pod),
        tied,
      );
      continue;
    }
    const stuck = steps.filter((step) => step.kind !== 'wait' || step.wait.for !== 'earlier-pods');
    findings.push(...stuck.flatMap((step) => blocksOf(step, node)));
    for (const { pod } of stuck) setAside.add(pod.uid);
  }

  const { timeoutMs, localData } = drain.policy;
  const merged = mergeFindings([
    ...findings,
    ...localDataLost(rounds.flat(), { node, localData }),
    ...graceExceedsTimeout({ steps: rounds, timeoutMs, node }),
  ]);
  const verdict = merged.some(({ severity }) => severity === 'block') ? 'blocked' : 'possible';
  return { verdict, findings: merged, evictions: evicted.length, rounds, waits: Math.max(0, waits), stays };
}

type Leaving = Exclude<NextStep, { kind: 'never' }>;

const endsByItself: ReadonlySet<WaitReason> = new Set<WaitReason>([
  'terminating',
  'overdue',
  'namespace-deleted',
  'job-running',
  'pod-awaited',
  'surging',
]);

/** The pods of the next step: what can be evicted or replaced; where nothing can, what ends by itself; last, managed budgets. */
function podsThatLeave(steps: readonly NextStep[]): readonly Leaving[] {
  const going = steps.filter((step) => step.kind === 'evict' || step.kind === 'surge');
  if (going.length > 0) return going;
  const waiting = steps.filter((step) => step.kind === 'wait');
  const ending = waiting.filter(({ wait }) => endsByItself.has(wait.for));
  return ending.length > 0 ? ending : waiting.filter(({ wait }) => wait.for === 'managed-budget').slice(0, 1);
}

/** Those that can run on no other node, by UID. */
function tiedPods(leaving: readonly Leaving[], placementOf: (pod: PodView) => Placement): TiedPods {
  return new Map(
    leaving.flatMap(({ pod }) => {
      const placement = placementOf(pod);
      return placement.kind === 'no' ? [[pod.uid, placement] as const] : [];
    }),
  );
}

function isEvicted(step: Leaving): boolean {
  return step.kind === 'evict' || (step.kind === 'wait' && step.wait.for === 'managed-budget');
}

function blocksOf(step: NextStep, node: string): readonly Finding[] {
  if (step.kind === 'never') return [step.finding];
  return step.kind === 'wait' ? findingsOfWait(step.wait, 'block', node) : [];
}

/** One finding for one cause: the same code about the same first object is said once, for all pods concerned. */
function mergeFindings(findings: readonly Finding[]): readonly Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of findings) {
    const cause = `${finding.code} ${finding.severity} ${finding.objects[0] ?? ''}`;
    const first = merged.get(cause);
    const objects = [...new Set([...(first?.objects ?? []), ...finding.objects])];
    merged.set(cause, { ...(first ?? finding), objects });
  }
  return [...merged.values()];
}
