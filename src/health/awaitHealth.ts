import type { ClusterPort } from '../cluster/clusterPort.js';
import type { WatchCache } from '../cluster/watchCache.js';
import type { HostPort } from '../host/hostPort.js';
import type { HealthPolicy } from '../playbook/playbook.js';
import { isDeadlineExceeded, type Clock } from '../time/clock.js';
import { readHeartbeat } from './heartbeat.js';
import { nodeProblems, type HealthBefore } from './nodeHealth.js';

export type HealthEnd =
  | { readonly kind: 'healthy'; readonly passes: number; readonly heartbeat: string }
  /** Not enough passes in a row before the time was over; the problems of the last check. */
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
  const deadline = work.clock.deadline(work.policy.timeoutMs, signal);
  let problems: string[] = ['no check was made yet'];
  try {
    let passes = 0;
    let lastHeartbeat: string | undefined;
    for (;;) {
      const heartbeat = await readHeartbeat(work.cluster, work.node, deadline.signal);
      problems = nodeProblems(work.cache.view(), work.node, {
        ...work.before,
        stationaryPods: work.policy.daemonSets ? work.before.stationaryPods : [],
      });
      if (heartbeat.kind !== 'ok') problems.push(`the heartbeat cannot be read: ${heartbeat.message}`);
      const fresh = heartbeat.kind === 'ok' && heartbeat.value !== lastHeartbeat;
      if (problems.length > 0) passes = 0;
      else if (fresh && lastHeartbeat !== undefined) passes += 1;
      if (heartbeat.kind === 'ok') lastHeartbeat = heartbeat.value;

      if (passes >= work.policy.consecutive) {
        problems = await hostProblems(work, deadline.signal);
        if (problems.length === 0) return { kind: 'healthy', passes, heartbeat: lastHeartbeat ?? '' };
        passes = 0;
      }
      work.onWaiting(describeWait({ problems, passes, policy: work.policy, fresh, node: work.node }));
      await work.clock.sleep(work.policy.intervalMs, deadline.signal);
    }
  } catch (error) {
    if (isDeadlineExceeded(deadline.signal) && !signal.aborted) return { kind: 'unhealthy', problems };
    throw error;
  } finally {
    deadline.clear();
  }
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

function describeWait(check: {
  problems: readonly string[];
  passes: number;
  policy: HealthPolicy;
  fresh: boolean;
  node: string;
}): string {
  const { problems, passes, policy } = check;
  if (problems.length > 0) return problems.join('; ');
  const count = `${String(passes)} of ${String(policy.consecutive)} checks in a row passed`;
  return check.fresh ? count : `${count}; the kubelet of ${check.node} has not sent a new heartbeat`;
}
