import type { PodView } from '../cluster/view.js';
import type { DrainForecast } from '../drain/forecast.js';
import type { Playbook } from '../playbook/playbook.js';

/**
 * How long what nobody has measured is taken to last, in milliseconds. Modest on purpose: whoever reads the estimate is
 * told that it is a guess. docs/plan.md names them.
 */
export const guessedMs = {
  /** Gates, cordon and uncordon. */
  checks: 5_000,
  /** Scheduling, image and start of a replacement, before its probes begin to wait. */
  podStart: 20_000,
  updateScript: 180_000,
  /** Prepare, leave and join. */
  otherScript: 30_000,
  reboot: 180_000,
  /** A kubelet renews its heartbeat every 10 s (KubeletConfiguration, nodeStatusUpdateFrequency). */
  heartbeat: 10_000,
} as const;

export interface TurnToEstimate {
  readonly playbook: Pick<Playbook, 'drain' | 'settle'> & {
    readonly health: Pick<Playbook['health'], 'consecutive' | 'intervalMs'>;
    readonly host: { readonly scripts: Readonly<Record<string, unknown>>; readonly reboot: Playbook['host']['reboot'] };
  };
  /** No host is asked for anything. */
  readonly rehearsal: boolean;
  readonly drain: Pick<DrainForecast, 'evictions' | 'waits'>;
  /** The pods that leave. */
  readonly leaving: readonly Pick<PodView, 'terminationGracePeriodSeconds' | 'startupDelaySeconds'>[];
}

/**
 * How long a turn takes, in milliseconds, where no former one tells: what the playbook waits for, what the pods ask for
 * (grace period, delays of their probes), and {@link guessedMs} for the rest. Every script counts as one that runs, and
 * `when: required` as a reboot.
 */
export function estimatedTurnMs({ playbook, rehearsal, drain, leaving }: TurnToEstimate): number {
  const { host, health, settle } = playbook;
  const scripts = rehearsal
    ? 0
    : Object.entries(host.scripts)
        .filter(([, script]) => script !== undefined)
        .reduce((sum, [stage]) => sum + (stage === 'update' ? guessedMs.updateScript : guessedMs.otherScript), 0);
  const reboot = rehearsal || host.reboot.when === 'never' ? 0 : guessedMs.reboot;
  const verify = health.consecutive * health.intervalMs + guessedMs.heartbeat;
  return guessedMs.checks + drainMs(playbook.drain, drain, leaving) + scripts + reboot + verify + settle.timeMs;
}

/** Each step of the drain lasts as long as its slowest pod needs to end, and its replacement to become Ready. */
function drainMs(
  policy: Playbook['drain'],
  drain: TurnToEstimate['drain'],
  leaving: TurnToEstimate['leaving'],
): number {
  if (drain.evictions === 0) return 0;
  const end = Math.max(0, ...leaving.map((pod) => pod.terminationGracePeriodSeconds)) * 1000;
  const start = Math.max(0, ...leaving.map((pod) => pod.startupDelaySeconds ?? 0)) * 1000 + guessedMs.podStart;
  const starts = drain.waits + (policy.waitForReplacements ? 1 : 0);
  return Math.min(policy.timeoutMs, (drain.waits + 1) * end + starts * start);
}
