import { podKey } from '../cluster/view.js';
import { count, someOf } from './budgetWords.js';
import type { DrainProgress, WaitingFor } from './drainEnd.js';
import type { NextStep, Wait, WaitReason } from './nextStep.js';
import { waitedTime, type DrainWaitReason, type WaitedFor } from './waitedTime.js';

/** Turns what a drain waits for into words, remembers since when, and reports a state once. */
export interface ProgressReporter {
  /** `until`: wall clock at which the drain gives up. */
  steps(steps: readonly NextStep[], until: number): readonly WaitingFor[];
  /** Any other wait. Returns the waits with the time since when they last. */
  waiting(stage: DrainProgress['stage'], waits: readonly KeyedWait[], left?: number): readonly WaitingFor[];
  /** For what the drain has waited until now, and for how long. */
  waited(): readonly WaitedFor[];
}

export interface KeyedWait {
  /** Tells the same wait from another. */
  readonly key: string;
  readonly for: DrainWaitReason;
  readonly what: string;
  readonly until: number | undefined;
  readonly who: readonly string[];
}

export function progressReporter(drain: {
  readonly node: string;
  readonly now: () => number;
  readonly monotonic: () => number;
  /** Evicted pods that are no longer there. */
  readonly gone: () => number;
  readonly report: (progress: DrainProgress) => void;
}): ProgressReporter {
  const { node, now, report } = drain;
  const since = new Map<string, number>();
  const time = waitedTime(drain.monotonic);
  let reported = '';

  const waiting: ProgressReporter['waiting'] = (stage, waits, left) => {
    time.observe(waits);
    const keys = new Set(waits.map(({ key }) => key));
    for (const key of since.keys()) if (!keys.has(key)) since.delete(key);
    const waitingFor = waits.map(({ key, what, until, who }): WaitingFor => {
      const begun = since.get(key) ?? now();
      since.set(key, begun);
      return { what, since: begun, until, who };
    });
    const gone = drain.gone();
    const state = JSON.stringify([stage, left, gone, waits.map(({ key, what }) => [key, what])]);
    if (state !== reported) {
      reported = state;
      report({ node, stage, left, gone, waitingFor });
    }
    return waitingFor;
  };
  return {
    waiting,
    steps: (steps, until) => waiting('evicting', keyedWaits(steps, until), steps.length),
    waited: () => time.waited(),
  };
}

const together: ReadonlySet<WaitReason> = new Set<WaitReason>(['terminating', 'earlier-pods']);

/** One wait for one cause: pods that are ending are said in one sentence, a budget once for all its pods. */
function keyedWaits(steps: readonly NextStep[], until: number): readonly KeyedWait[] {
  const waits = new Map<string, Wait[]>();
  for (const step of steps) {
    if (step.kind !== 'wait') continue;
    const key = together.has(step.wait.for) ? step.wait.for : `${step.wait.for} ${step.wait.objects[0] ?? ''}`;
    const alike = waits.get(key);
    if (alike === undefined) waits.set(key, [step.wait]);
    else alike.push(step.wait);
  }
  const ending = steps.filter((step) => step.kind === 'wait' && step.wait.for === 'terminating');
  return [...waits].flatMap(([key, [first, ...others]]): KeyedWait[] => {
    if (first === undefined) return [];
    const who = [...new Set([first, ...others].flatMap((wait) => wait.objects))];
    const what =
      key === 'terminating' && ending.length > 1
        ? `${count(ending.length, 'pod')} are ending: ${someOf(ending.map(({ pod }) => podKey(pod)).sort())}.`
        : first.message;
    const ends = [first, ...others].map((wait) => wait.until ?? until);
    return [{ key, for: first.for, what, until: Math.max(...ends), who }];
  });
}
