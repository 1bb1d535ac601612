import type { DrainPolicy } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import type { NextStep } from './nextStep.js';

/** The bounds of one drain. Times are monotonic. */
export interface DrainTime {
  /** Takes note of what is waited for from now on. */
  observe(steps: readonly NextStep[]): void;
  /** Until the drain's timeout. While Job pods alone are waited for the timeout stands still. */
  leftMs(): number;
  /** Until the limit for Job pods; Infinity where none runs. */
  jobsLeftMs(): number;
  /** For how long the view has shown the node without a cordon; 0 where it has one. */
  notCordonedFor(cordoned: boolean): number;
}

export function drainTime({
  clock,
  policy,
}: {
  readonly clock: Clock;
  readonly policy: Pick<DrainPolicy, 'timeoutMs' | 'jobPodsLimitMs'>;
}): DrainTime {
  let deadline = clock.monotonic() + policy.timeoutMs;
  let jobsDeadline: number | undefined;
  let jobsRun = false;
  /** Since when Job pods alone are waited for. */
  let jobsAloneSince: number | undefined;
  let notCordonedSince: number | undefined;

  return {
    observe(steps) {
      const now = clock.monotonic();
      if (jobsAloneSince !== undefined) deadline += now - jobsAloneSince;
      jobsRun = steps.some((step) => isWaitFor(step, 'job-running'));
      const alone = jobsRun && steps.every((step) => isWaitFor(step, 'job-running') || isWaitFor(step, 'earlier-pods'));
      jobsAloneSince = alone ? now : undefined;
      if (jobsRun) jobsDeadline ??= now + policy.jobPodsLimitMs;
    },
    leftMs: () => deadline - (jobsAloneSince ?? clock.monotonic()),
    jobsLeftMs: () => (jobsRun && jobsDeadline !== undefined ? jobsDeadline - clock.monotonic() : Infinity),
    notCordonedFor(cordoned) {
      if (cordoned) {
        notCordonedSince = undefined;
        return 0;
      }
      notCordonedSince ??= clock.monotonic();
      return clock.monotonic() - notCordonedSince;
    },
  };
}

function isWaitFor(step: NextStep, reason: 'job-running' | 'earlier-pods'): boolean {
  return step.kind === 'wait' && step.wait.for === reason;
}
