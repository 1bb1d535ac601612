import type { ClusterPort } from '../cluster/clusterPort.js';
import type { WatchCache } from '../cluster/watchCache.js';
import type { HostPort } from '../host/hostPort.js';
import type { HealthPolicy } from '../playbook/playbook.js';
import { isDeadlineExceeded, type Clock } from '../time/clock.js';
import { checksInWords, countCheck, noCheck, whyNotWell } from './checkCount.js';
import { readHeartbeat } from './heartbeat.js';
import { nodeProblems, type HealthBefore } from './nodeHealth.js';

export type HealthEnd =
  | { readonly kind: 'healthy'; readonly passes: number; readonly heartbeat: string }
  /** Not enough passes in a row before the time was over, and why. */
  | { readonly kind: 'unhealthy'; readonly problems: readonly string[] };

interface HealthWork {
  readonly cluster: ClusterPort;
  readonly cache: WatchCache;
  readonly clock: Clock;
  readonly node: string;
  readonly policy: HealthPolicy;
  readonly before: HealthBefore;
  /** Undefined in a rehearsal: nothing is asked of the host. */
  readonly host: HostPort | undefined;
  /** systemd units that had failed before; undefined where they were not looked at. */
  readonly failedUnitsBefore: readonly string[] | undefined;
  readonly onWaiting: (what: string) => void;
}

/**
 * Waits until the node is well `consecutive` times in a row, each time with a heartbeat newer than the one of the check
 * before, then asks the host once (failed units, the playbook's commands). Any failure begins the count anew.
 */
export async function awaitHealth(work: HealthWork, signal: AbortSignal): Promise<HealthEnd> {
  const { node, policy } = work;
  const deadline = work.clock.deadline(policy.timeoutMs, signal);
  const asked = { node, consecutive: policy.consecutive };
  let count = noCheck;
  try {
    for (;;) {
      count = countCheck(count, await checkNode(work, deadline.signal));
      if (count.passes >= policy.consecutive) {
        const problems = await hostProblems(work, deadline.signal);
        if (problems.length === 0) return { kind: 'healthy', passes: count.passes, heartbeat: count.heartbeat ?? '' };
        count = countCheck(count, { problems, heartbeat: count.heartbeat });
      }
      work.onWaiting(checksInWords(count, asked));
      await work.clock.sleep(policy.intervalMs, deadline.signal);
    }
  } catch (error) {
    if (!isDeadlineExceeded(deadline.signal) || signal.aborted) throw error;
    return { kind: 'unhealthy', problems: count === noCheck ? ['no check was made yet'] : whyNotWell(count, asked) };
  } finally {
    deadline.clear();
  }
}

/** What the cluster says of the node at this moment. */
async function checkNode(
  { cluster, cache, node, policy, before }: HealthWork,
  signal: AbortSignal,
): Promise<{ problems: string[]; heartbeat: string | undefined }> {
  const heartbeat = await readHeartbeat(cluster, node, signal);
  const problems = nodeProblems(cache.view(), node, {
    ...before,
    stationaryPods: policy.daemonSets ? before.stationaryPods : [],
  });
  if (heartbeat.kind === 'ok') return { problems, heartbeat: heartbeat.value };
  return { problems: [...problems, `the heartbeat cannot be read: ${heartbeat.message}`], heartbeat: undefined };
}

async function hostProblems(work: HealthWork, signal: AbortSignal): Promise<string[]> {
  const { host } = work;
  if (host === undefined) return [];
  const problems: string[] = [];
  if (work.failedUnitsBefore !== undefined) {
    const units = await host.failedUnits(signal);
    if (units.kind !== 'ok') problems.push(`the failed systemd units cannot be read: ${units.message}`);
    else {
      const known = new Set(work.failedUnitsBefore);
      for (const unit of units.value ?? [])
        if (!known.has(unit)) problems.push(`systemd unit ${unit} has failed since the turn began`);
    }
  }
  for (const command of work.policy.commands) {
    const answer = await host.check(command, signal);
    if (answer.kind !== 'ok') problems.push(`health command "${command}" was not answered: ${answer.message}`);
    else if (answer.value.exitCode !== 0) {
      problems.push(
        `health command "${command}" ended with exit code ${String(answer.value.exitCode)}: ${answer.value.output.trim().slice(-200)}`,
      );
    }
  }
  return problems;
}
