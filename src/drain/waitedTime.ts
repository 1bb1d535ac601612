import type { WaitReason } from './nextStep.js';

/** What a drain can wait for: a pod before its eviction, or the stages around the evictions. */
export type DrainWaitReason = WaitReason | (typeof stageWaits)[number];

/** The pods of the node to be read, replacements to be Ready, volumes to be detached. */
export const stageWaits = ['reading', 'replacements', 'volumes'] as const;

/** For how long a drain waited for one thing. */
export interface WaitedFor {
  readonly for: DrainWaitReason;
  /** A budget, as `namespace/name`; absent: all waits of this kind, the time in which at least one of them stood. */
  readonly budget?: string;
  /** Whole milliseconds. */
  readonly ms: number;
}

/** A wait, as the drain reports it; `who`: the objects that can end it, as `Kind namespace/name`. */
export interface StandingWait {
  readonly for: DrainWaitReason;
  readonly who: readonly string[];
}

/** Adds up what a drain waits for, on a clock that never jumps. */
export interface WaitedTime {
  /** These are the waits from now on. */
  observe(waits: readonly StandingWait[]): void;
  /** Each kind of wait, and each budget, that took a millisecond or more; those that still stand up to now. */
  waited(): readonly WaitedFor[];
}

/** A night in a cluster with so many budgets in the way is told by its kinds of waits. */
const mostBudgets = 50;

export function waitedTime(monotonic: () => number): WaitedTime {
  const times = new Map<string, { readonly of: Omit<WaitedFor, 'ms'>; ms: number; since: number | undefined }>();
  let budgets = 0;

  const stand = (of: Omit<WaitedFor, 'ms'>, now: number): string => {
    const key = `${of.for} ${of.budget ?? ''}`;
    const time = times.get(key);
    if (time !== undefined) time.since ??= now;
    else if (of.budget === undefined || budgets < mostBudgets) {
      if (of.budget !== undefined) budgets += 1;
      times.set(key, { of, ms: 0, since: now });
    }
    return key;
  };

  return {
    observe(waits) {
      const now = monotonic();
      const standing = new Set(
        waits.flatMap((wait) => [{ for: wait.for }, ...budgetOf(wait)]).map((of) => stand(of, now)),
      );
      for (const [key, time] of times) {
        if (standing.has(key) || time.since === undefined) continue;
        time.ms += now - time.since;
        time.since = undefined;
      }
    },
    waited() {
      const now = monotonic();
      return [...times.values()]
        .map(({ of, ms, since }) => ({ ...of, ms: Math.round(ms + (since === undefined ? 0 : now - since)) }))
        .filter(({ ms }) => ms >= 1);
    },
  };
}

const budgetKind = 'PodDisruptionBudget ';

/** The budget that a wait names first; of other kinds of waits none is told by its name. */
function budgetOf(wait: StandingWait): Omit<WaitedFor, 'ms'>[] {
  const [first] = wait.who;
  return first?.startsWith(budgetKind) === true ? [{ for: wait.for, budget: first.slice(budgetKind.length) }] : [];
}
