import type { ApiFailure, ClusterPort } from '../cluster/clusterPort.js';
import { marks } from '../cluster/marks.js';
import { parseOwner } from '../cluster/parseOwner.js';
import { ownerName, readyCount, replicasOf } from '../cluster/replicas.js';
import { resources } from '../cluster/resources.js';
import { isRolledOut } from '../cluster/rollout.js';
import { ownerKey, podKey, type ClusterView, type OwnerKey, type OwnerView, type PodView } from '../cluster/view.js';
import type { JournalRecord } from '../journal/entry.js';
import type { Clock } from '../time/clock.js';
import type { NextStep, Wait } from './nextStep.js';
import type { DisplacedOwners } from './recovery.js';
import { strategyObstacle } from './surge.js';
import type { RequestsUnderWay } from './requestsUnderWay.js';
import type { DrainCache } from './waitForChange.js';

/** Restarts the Deployments of singletons, each once, and writes down what came of it. */
export interface SurgeSender {
  /** Begins to restart the Deployment; `view` is what the decision was taken on. */
  send(step: Extract<NextStep, { kind: 'surge' }>, view: ClusterView): void;
  /** UIDs of pods whose Deployment is being restarted, or was. */
  restarted(): ReadonlySet<string>;
  /** Pods by UID whose Deployment could not be restarted now, and is left alone for a moment. */
  heldBack(): ReadonlyMap<string, Wait>;
  /** Monotonic time at which the first pause ends; Infinity where none is. */
  nextPauseEnd(): number;
  /** Ends the pauses that are over. Returns the pods of restarted Deployments that the view shows no longer. */
  observe(view: ClusterView): readonly SurgedPod[];
  /** How many Deployments were restarted. */
  count(): number;
  /** Owners that were restarted, and what they had Ready before. */
  displaced(): DisplacedOwners;
}

/** A pod that ended because its Deployment was restarted. */
export interface SurgedPod {
  readonly pod: PodView;
  readonly owner: OwnerKey;
  /** From the restart until the view no longer had the pod. */
  readonly afterMs: number;
}

export interface SurgeSenderParts {
  /** Checks the lease before each restart. */
  readonly cluster: Pick<ClusterPort, 'get' | 'patch'>;
  readonly cache: Pick<DrainCache, 'view'>;
  readonly node: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of a restart that was sent. */
  readonly callSignal: AbortSignal;
  readonly journal: (record: JournalRecord) => Promise<unknown>;
  readonly underWay: RequestsUnderWay;
  /** The mark of this turn. */
  readonly restartedFor: string;
}

interface Entry {
  readonly pod: PodView;
  readonly owner: OwnerKey;
  readonly readyBefore: number;
  state: 'sending' | 'restarted' | 'held';
  refusals: number;
  /** Wall clock. */
  sentAt: number;
  /** Monotonic time until which it is left alone, where it is held. */
  until: number;
  wait: Wait | undefined;
}

type Restart =
  /** It carries the mark, by us just now or before. */
  | { readonly kind: 'restarted' }
  /** It is not there any more. */
  | { readonly kind: 'gone' }
  /** Read again, it cannot be restarted; the view will show why. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused'; readonly failure: ApiFailure };

const firstPauseMs = 1000;
const longestPauseMs = 30_000;

export function surgeSender(parts: SurgeSenderParts): SurgeSender {
  const { cache, node, clock, signal, journal, underWay, restartedFor } = parts;
  const entries = new Map<string, Entry>();
  const displaced = new Map<OwnerKey, number>();
  /** Refusals already in the journal: the same reason is said once a pod. */
  const refusalsSaid = new Set<string>();
  let restarts = 0;

  const isRestarted = (entry: Entry): void => {
    entry.state = 'restarted';
    entry.wait = undefined;
    entry.until = Infinity;
    displaced.set(entry.owner, entry.readyBefore);
    restarts += 1;
  };

  const restart = async (entry: Entry, deployment: OwnerView): Promise<void> => {
    const { pod, owner, readyBefore } = entry;
    const evidence = { owner, ownerReadyBefore: readyBefore, rollout: deployment.rollout, restartedFor };
    await journal({ type: 'owner.surging', node, pod: podKey(pod), uid: pod.uid, ...evidence });
    const shown = cache.view().pods.get(podKey(pod));
    if (signal.aborted || shown?.uid !== pod.uid || shown.nodeName !== node || shown.terminating) {
      entries.delete(pod.uid);
      return;
    }
    const end = await restartDeployment({ ...parts, deployment });
    switch (end.kind) {
      case 'restarted':
        isRestarted(entry);
        return;
      case 'gone':
      case 'changed':
      case 'refused':
        hold(entry, waitAfter(entry, end));
        if (end.kind !== 'refused' || refusalsSaid.has(`${pod.uid} ${end.failure.message}`)) return;
        refusalsSaid.add(`${pod.uid} ${end.failure.message}`);
        await journal({ type: 'surge.refused', node, owner, pod: podKey(pod), reason: end.failure.message });
    }
  };

  const hold = (entry: Entry, wait: Omit<Wait, 'for' | 'until'>): void => {
    const forMs = Math.min(longestPauseMs, firstPauseMs * 2 ** entry.refusals);
    entry.state = 'held';
    entry.refusals += 1;
    entry.until = clock.monotonic() + forMs;
    entry.wait = { for: 'retry', ...wait, until: clock.now() + forMs };
  };

  return {
    send({ pod, deployment }, view) {
      const owner = ownerKey(deployment);
      const replicas = replicasOf(view, new Set([owner])).get(owner);
      const entry: Entry = {
        pod,
        owner,
        readyBefore: replicas === undefined ? 0 : readyCount(replicas),
        state: 'sending',
        refusals: entries.get(pod.uid)?.refusals ?? 0,
        sentAt: clock.now(),
        until: Infinity,
        wait: undefined,
      };
      entries.set(pod.uid, entry);
      underWay.start(() => restart(entry, deployment));
    },
    restarted: () => new Set([...entries].filter(([, { state }]) => state !== 'held').map(([uid]) => uid)),
    heldBack() {
      const held = new Map<string, Wait>();
      for (const [uid, { wait }] of entries) if (wait !== undefined) held.set(uid, wait);
      return held;
    },
    nextPauseEnd: () => Math.min(Infinity, ...[...entries.values()].map(({ until }) => until)),
    observe(view) {
      const gone: SurgedPod[] = [];
      for (const [uid, entry] of entries) {
        const { pod, owner, sentAt } = entry;
        if (entry.state === 'held') {
          // The answer was lost, and the restart was not.
          if (view.owners.get(owner)?.rollout?.restartedFor === restartedFor) isRestarted(entry);
          else if (clock.monotonic() >= entry.until) {
            entry.wait = undefined;
            entry.until = Infinity;
          }
        }
        if (entry.state === 'sending' || view.pods.get(podKey(pod))?.uid === uid) continue;
        entries.delete(uid);
        if (entry.state === 'restarted') gone.push({ pod, owner, afterMs: clock.now() - sentAt });
      }
      return gone;
    },
    count: () => restarts,
    displaced: () => displaced,
  };
}

/**
 * Sets the mark on the pod template, as `kubectl rollout restart` sets its time. What was decided on the view is decided
 * again on the Deployment read now, and the patch is void where somebody has changed it since.
 */
async function restartDeployment(
  restart: Pick<SurgeSenderParts, 'cluster' | 'signal' | 'callSignal' | 'restartedFor'> & {
    readonly deployment: OwnerView;
  },
): Promise<Restart> {
  const { cluster, signal, callSignal, restartedFor, deployment } = restart;
  const request = { resource: resources.deployments, namespace: deployment.namespace, name: deployment.name };
  const read = await cluster.get(request, signal);
  if (read.kind === 'not-found') return { kind: 'gone' };
  if (read.kind !== 'ok') return { kind: 'refused', failure: read };
  const { rollout, ...owner } = parseOwner(read.value, 'Deployment');
  if (owner.uid !== deployment.uid) return { kind: 'gone' };
  if (rollout?.restartedFor === restartedFor) return { kind: 'restarted' };
  const isFit = rollout !== undefined && strategyObstacle(owner, rollout) === undefined && isRolledOut(rollout, 1);
  if (!isFit || owner.terminating) return { kind: 'changed' };
  const { resourceVersion } = read.value.metadata;
  const template = { metadata: { annotations: { [marks.restartedFor]: restartedFor } } };
  const body = { metadata: { resourceVersion }, spec: { template } };
  const patched = await cluster.patch({ ...request, patch: { type: 'merge', body } }, callSignal);
  if (patched.kind === 'ok') return { kind: 'restarted' };
  return patched.kind === 'conflict' ? { kind: 'changed' } : { kind: 'refused', failure: patched };
}

function waitAfter({ pod, owner }: Entry, end: Exclude<Restart, { kind: 'restarted' }>): Omit<Wait, 'for' | 'until'> {
  const name = ownerName(owner);
  const objects = [name, `Pod ${podKey(pod)}`];
  if (end.kind !== 'refused') {
    return {
      objects,
      message: `${name} ${end.kind === 'gone' ? 'is not there any more' : 'has just changed'}; it is looked at again in a moment.`,
      hint: 'Nothing to do while somebody works on it.',
    };
  }
  const { kind, message } = end.failure;
  return {
    objects,
    message: `The API server did not let ${name} be restarted for Pod ${podKey(pod)}: ${message}`,
    hint:
      kind === 'forbidden'
        ? 'Grant get and patch on deployments: run `turnus install --with surge`.'
        : "It is tried again until the drain's timeout.",
  };
}
