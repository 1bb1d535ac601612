import type { ClusterPort } from '../cluster/clusterPort.js';
import { ownerOf, readyCount, replicasOf } from '../cluster/replicas.js';
import { podKey, type ClusterView, type OwnerKey, type PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import type { JournalRecord } from '../journal/entry.js';
import type { BoundPods } from './boundPods.js';
import type { EvictionLedger } from './evictionLedger.js';
import { evictionOutcome, type EvictionOutcome } from './evictionOutcome.js';
import { placements } from './placement.js';
import { podBudgets } from './podBudgets.js';
import type { DisplacedOwners } from './recovery.js';
import type { RequestsUnderWay } from './requestsUnderWay.js';
import type { DrainCache } from './waitForChange.js';

/** Sends evictions side by side and writes down what came of each. */
export interface EvictionSender {
  /**
   * Begins to evict the pod; `view` is what the decision was taken on, `override` the entry of the playbook that
   * decided where one did.
   */
  send(pod: PodView, view: ClusterView, override?: string): void;
  /** Findings of evictions that the server refuses for good. */
  refusedForGood(): readonly Finding[];
  /** Owners that lost a pod, and what they had Ready before the first. */
  displaced(): DisplacedOwners;
  /** By owner the evicted pods that can run on this node alone. */
  tied(): ReadonlyMap<OwnerKey, number>;
}

export interface SenderParts {
  readonly cluster: Pick<ClusterPort, 'evict'>;
  readonly cache: Pick<DrainCache, 'view'>;
  readonly node: string;
  readonly signal: AbortSignal;
  /** Of an eviction that was sent. */
  readonly callSignal: AbortSignal;
  readonly journal: (record: JournalRecord) => Promise<unknown>;
  readonly displaced?: DisplacedOwners;
  readonly underWay: RequestsUnderWay;
  readonly ledger: EvictionLedger;
  readonly bound: BoundPods;
}

export function evictionSender(parts: SenderParts): EvictionSender {
  const { cluster, cache, node, signal, callSignal, journal, underWay, ledger, bound } = parts;
  const findings: Finding[] = [];
  const displaced = new Map<OwnerKey, number>(parts.displaced);
  const tied = new Map<OwnerKey, number>();
  /** Of the latest view: evictions are sent many at a time on the same one. */
  let latest: { readonly view: ClusterView; readonly placementOf: ReturnType<typeof placements> } | undefined;
  /** Refusals already in the journal: the same reason is said once a pod. */
  const refusalsSaid = new Set<string>();

  const evict = async (pod: PodView, evidence: Readonly<Record<string, unknown>>): Promise<void> => {
    const { namespace, name, uid } = pod;
    await journal({ type: 'pod.evicting', node, pod: podKey(pod), uid, ...evidence });
    const shown = cache.view().pods.get(podKey(pod));
    if (signal.aborted || shown?.uid !== uid || shown.nodeName !== node || shown.terminating) {
      ledger.withdraw(pod);
      return;
    }
    const answer = await cluster.evict({ namespace, name, uid }, callSignal);
    const outcome = evictionOutcome({ answer, pod, node, refusals: ledger.refusalsOf(pod) });
    ledger.answered(pod, outcome);
    if (outcome.kind === 'never') findings.push(outcome.finding);
    await journalRefusal(pod, answer.kind, outcome);
  };

  const journalRefusal = async (pod: PodView, answer: string, outcome: EvictionOutcome): Promise<void> => {
    const reason = reasonOf(outcome);
    const said = `${pod.uid} ${reason ?? ''}`;
    if (reason === undefined || refusalsSaid.has(said)) return;
    refusalsSaid.add(said);
    await journal({ type: 'eviction.refused', node, pod: podKey(pod), uid: pod.uid, answer, reason });
  };

  const displace = (pod: PodView, owner: OwnerKey | undefined, view: ClusterView): void => {
    if (owner === undefined) return;
    const replicas = replicasOf(view, new Set([owner])).get(owner);
    if (replicas !== undefined && !displaced.has(owner)) displaced.set(owner, readyCount(replicas));
    const first = ledger.refusalsOf(pod) === 0;
    if (latest?.view !== view) latest = { view, placementOf: placements(view, node) };
    if (first && latest.placementOf(pod).kind === 'no') tied.set(owner, (tied.get(owner) ?? 0) + 1);
  };

  return {
    send(pod, view, override) {
      const owner = ownerOf(view, pod);
      displace(pod, owner, view);
      bound.evicting(pod, view);
      ledger.send(pod, owner, view);
      const evidence = { ...evidenceOf(pod, owner, view, displaced), ...(override === undefined ? {} : { override }) };
      underWay.start(() => evict(pod, evidence));
    },
    refusedForGood: () => findings,
    displaced() {
      const owners = new Set([...(parts.displaced?.keys() ?? []), ...ledger.evicted().map(({ owner }) => owner)]);
      return new Map([...displaced].filter(([owner]) => owners.has(owner)));
    },
    tied: () => tied,
  };
}

/** The numbers on which the eviction was decided, for the journal. */
function evidenceOf(
  pod: PodView,
  owner: OwnerKey | undefined,
  view: ClusterView,
  displaced: DisplacedOwners,
): Readonly<Record<string, unknown>> {
  const budget = podBudgets(view, [pod]).get(pod.uid)?.[0]?.budget;
  return {
    ...(owner === undefined ? {} : { owner, ownerReadyBefore: displaced.get(owner) ?? 0 }),
    ...(budget === undefined
      ? {}
      : {
          budget: {
            name: `${budget.namespace}/${budget.name}`,
            disruptionsAllowed: budget.status.disruptionsAllowed,
            currentHealthy: budget.status.currentHealthy,
            desiredHealthy: budget.status.desiredHealthy,
          },
        }),
  };
}

function reasonOf(outcome: EvictionOutcome): string | undefined {
  switch (outcome.kind) {
    case 'accepted':
    case 'gone':
      return undefined;
    case 'uncertain':
    case 'held':
      return outcome.wait.message;
    case 'never':
      return outcome.finding.message;
  }
}
