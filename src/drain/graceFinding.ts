import { podKey, type PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import { formatDuration } from '../time/duration.js';
import { count, someOf } from './budgetWords.js';

/**
 * Pods that end only when their grace period is over could make the drain run into its timeout: one pod alone, or the
 * slowest of each step one after the other. How long replacements take to be Ready comes on top, and is not known.
 */
export function graceExceedsTimeout({
  steps,
  timeoutMs,
  node,
}: {
  /** The pods that are evicted at the same time, step by step. */
  readonly steps: readonly (readonly PodView[])[];
  readonly timeoutMs: number;
  readonly node: string;
}): readonly Finding[] {
  const slowest = steps.flatMap((pods) => slowestOf(pods) ?? []);
  const totalMs = slowest.reduce((total, pod) => total + graceMs(pod), 0);
  if (totalMs < timeoutMs) return [];
  const alone = steps.flat().filter((pod) => graceMs(pod) >= timeoutMs);
  const meant = alone.length > 0 ? alone : slowest;
  const names = meant.map((pod) => `Pod ${podKey(pod)}`);
  const each = someOf(meant.map((pod) => `Pod ${podKey(pod)} ${formatDuration(graceMs(pod))}`));
  const timeout = formatDuration(timeoutMs);
  return [
    {
      code: 'grace-exceeds-timeout',
      severity: 'caution',
      node,
      objects: names,
      message:
        alone.length > 0
          ? `${count(alone.length, 'pod')} of node ${node} may take as long to end as the whole drain, which gives up after ${timeout}: ${each}.`
          : `The pods of node ${node} leave in ${count(slowest.length, 'step')} and may take ${formatDuration(totalMs)} to end one after the other (${each}); the drain gives up after ${timeout}.`,
      hint: `Set spec.drain.timeout above ${formatDuration(totalMs)}, or lower terminationGracePeriodSeconds of these pods to what they need.`,
    },
  ];
}

function slowestOf([first, ...others]: readonly PodView[]): PodView | undefined {
  return others.reduce((one, other) => (graceMs(other) > graceMs(one ?? other) ? other : one), first);
}

function graceMs({ terminationGracePeriodSeconds }: PodView): number {
  return terminationGracePeriodSeconds * 1000;
}
