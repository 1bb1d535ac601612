import type { Clock } from '../time/clock.js';
import type { ClusterView, OwnerKey, PodView } from '../cluster/view.js';
import { podKey } from '../cluster/view.js';
import type { EvictedPod } from './drainEnd.js';
import type { EvictionOutcome } from './evictionOutcome.js';
import type { Wait } from './nextStep.js';

interface Entry {
  readonly pod: PodView;
  readonly owner: OwnerKey | undefined;
  state: 'sending' | 'accepted' | 'uncertain' | 'held';
  refusals: number;
  /** Wall clock of the last eviction sent. */
  sentAt: number;
  /** Monotonic time until which the pod is left alone (held) or counted as evicted (uncertain). */
  until: number;
  wait: Wait | undefined;
  /** The budgets as they were when the eviction was decided; a difference ends the pause. */
  budgets: string | undefined;
}

/** What a drain knows of its evictions: sent, accepted, refused for now, gone. */
export interface EvictionLedger {
  /** UIDs that count as evicted: sent, accepted, or sent without an answer a moment ago. */
  inFlight(): ReadonlySet<string>;
  /** Refused pods that are left alone for now. */
  heldBack(): ReadonlyMap<string, Wait>;
  /** Monotonic time at which the first pause ends; Infinity where none is. */
  nextPauseEnd(): number;
  send(pod: PodView, owner: OwnerKey | undefined, view: ClusterView): void;
  /** The eviction was not sent after all. */
  withdraw(pod: PodView): void;
  answered(pod: PodView, outcome: EvictionOutcome): void;
  refusalsOf(pod: PodView): number;
  /** Takes note of what the view shows: pods gone, budgets changed, pauses over. Returns the evicted pods newly gone. */
  observe(view: ClusterView): readonly EvictedPod[];
  evicted(): readonly EvictedPod[];
  /** Evicted pods that the view no longer has. */
  goneCount(): number;
}

export function evictionLedger(clock: Clock): EvictionLedger {
  const entries = new Map<string, Entry>();
  const gone: EvictedPod[] = [];
  const counted = ({ state }: Entry) => state !== 'held';
  const evictedPod = ({ pod, owner, sentAt }: Entry, goneAt: number | undefined): EvictedPod => ({
    pod: podKey(pod),
    uid: pod.uid,
    owner,
    evictedAt: sentAt,
    goneAt,
  });

  return {
    inFlight: () => new Set([...entries].filter(([, entry]) => counted(entry)).map(([uid]) => uid)),
    heldBack() {
      const held = new Map<string, Wait>();
      for (const [uid, { state, wait }] of entries) if (state === 'held' && wait !== undefined) held.set(uid, wait);
      return held;
    },
    nextPauseEnd() {
      const paused = [...entries.values()].filter(({ state }) => state === 'held' || state === 'uncertain');
      return Math.min(Infinity, ...paused.map(({ until }) => until));
    },
    send(pod, owner, view) {
      const refusals = entries.get(pod.uid)?.refusals ?? 0;
      const budgets = budgetsText(view, pod.namespace);
      const sentAt = clock.now();
      entries.set(pod.uid, {
        pod,
        owner,
        state: 'sending',
        refusals,
        sentAt,
        until: Infinity,
        wait: undefined,
        budgets,
      });
    },
    withdraw(pod) {
      entries.delete(pod.uid);
    },
    answered(pod, outcome) {
      const entry = entries.get(pod.uid);
      if (entry === undefined) return;
      switch (outcome.kind) {
        case 'accepted':
        case 'gone':
          entry.state = 'accepted';
          return;
        case 'never':
          entries.delete(pod.uid);
          return;
        case 'held':
        case 'uncertain':
          entry.state = outcome.kind;
          entry.refusals += 1;
          entry.until = clock.monotonic() + outcome.forMs;
          entry.wait = { ...outcome.wait, until: clock.now() + outcome.forMs };
          if (outcome.kind === 'uncertain' || !outcome.untilBudgetChanges) entry.budgets = undefined;
      }
    },
    refusalsOf: (pod) => entries.get(pod.uid)?.refusals ?? 0,
    observe(view) {
      const newlyGone: EvictedPod[] = [];
      for (const [uid, entry] of entries) {
        const shown = view.pods.get(podKey(entry.pod));
        const present = shown?.uid === uid;
        if (present && shown.terminating && entry.state === 'uncertain') entry.state = 'accepted';
        if (!present && entry.state !== 'sending') {
          entries.delete(uid);
          if (counted(entry)) newlyGone.push(evictedPod(entry, clock.now()));
          continue;
        }
        const paused = entry.state === 'held' || entry.state === 'uncertain';
        if (paused && (clock.monotonic() >= entry.until || haveBudgetsChanged(entry, view))) resume(entry);
      }
      gone.push(...newlyGone);
      return newlyGone;
    },
    goneCount: () => gone.length,
    evicted: () => [...gone, ...[...entries.values()].filter(counted).map((entry) => evictedPod(entry, undefined))],
  };
}

/** Free to be tried again; the refusals are remembered, so that the next pause is longer. */
function resume(entry: Entry): void {
  entry.state = 'held';
  entry.wait = undefined;
  entry.until = Infinity;
}

/** Whether the budgets that held a pod back say something else now. */
function haveBudgetsChanged({ state, budgets, pod }: Entry, view: ClusterView): boolean {
  return state === 'held' && budgets !== undefined && budgets !== budgetsText(view, pod.namespace);
}

/** What the budgets of a namespace say, to tell whether anything changed. */
function budgetsText(view: ClusterView, namespace: string): string {
  const budgets = view.budgets.filter((budget) => budget.namespace === namespace);
  return JSON.stringify(budgets.map(({ name, generation, status }) => [name, generation, status]));
}
