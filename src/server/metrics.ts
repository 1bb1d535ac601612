import { Registry } from 'prom-client';
import type { CacheHealth } from '../cluster/cacheHealth.js';
import type { ClusterPort } from '../cluster/clusterPort.js';
import type { JournalSink } from '../journal/entry.js';
import type { RunState } from '../run/state.js';
import type { Clock } from '../time/clock.js';
import { boundedLabel } from './metrics/boundedLabel.js';
import { countedEvictions, evictionAnswers } from './metrics/countedEvictions.js';
import { instruments } from './metrics/instruments.js';
import { journalCounts } from './metrics/journalCounts.js';
import { playbookObservation, type PlaybookSight } from './metrics/playbookObservation.js';
import { runObservation } from './metrics/runObservation.js';
import type { NotificationResult } from './notify/notificationResult.js';

/** What `turnus serve` tells Prometheus (docs/metrics.md). Nothing in it rejects or throws on what it is fed. */
export interface Metrics {
  /** Counts from journals; goes after the sinks that keep them. */
  readonly sink: JournalSink;
  /** The run that this process has in work: at each change, from its first state on. */
  observeRun(state: RunState, playbook: string): void;
  /** This process works on no run of the playbook any more, for whatever reason. */
  leaveRun(playbook: string): void;
  /** At each change of the playbook, of its windows to come (at least once a window) or of its coverage. */
  observePlaybook(sight: PlaybookSight): void;
  forgetPlaybook(playbook: string): void;
  /** For `onAnswer` of kubernetes/connect. */
  observeRequest(answer: { readonly method: string; readonly status: number | 'unreachable' }): void;
  /** The same port, whose evictions are counted. */
  counted(cluster: ClusterPort): ClusterPort;
  setLeader(isLeader: boolean): void;
  setActing(isActing: boolean): void;
  /** One more whose health is part of the watch lag, until the function that this answers is called. */
  watch(cache: { health(): CacheHealth }): () => void;
  /** For the notifier of a playbook. */
  observeNotification(playbook: string, happened: NotificationHappening): void;
  /** All of it in the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
  /** For tests against the page that lists them. */
  described(): readonly { readonly name: string; readonly type: string; readonly labels: readonly string[] }[];
}

export type NotificationHappening =
  | { readonly kind: 'queued' }
  /** An attempt that will be repeated. */
  | { readonly kind: 'failed' }
  | { readonly kind: 'left'; readonly result: NotificationResult };

export interface MetricsOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Of Turnus. */
  readonly version: string;
  readonly nodeVersion: string;
  /** What this process has used since `startedAt` (milliseconds since the epoch), asked at each reading. */
  readonly usage: () => { readonly residentBytes: number; readonly cpuSeconds: number };
  readonly startedAt: number;
}

/** More playbooks than a cluster has; those beyond share one name in the metrics. */
const mostPlaybooks = 100;

/** Metrics in a registry of their own, all of it in this object. */
export function openMetrics({ clock, version, nodeVersion, usage, startedAt }: MetricsOptions): Metrics {
  const registry = new Registry();
  const counts = instruments(registry);
  const label = boundedLabel(mostPlaybooks);
  const runs = runObservation(counts);
  const playbooks = playbookObservation(counts);
  const watched = new Set<{ health(): CacheHealth }>();
  let cpuCounted = 0;

  counts.buildInfo.set({ version, node_version: nodeVersion }, 1);
  counts.startTime.set(startedAt / 1000);
  for (const answer of evictionAnswers) counts.evictions.inc({ answer }, 0);

  const collect = (): void => {
    const now = clock.now();
    runs.collect(now);
    playbooks.collect(now);
    const lags = [...watched]
      .map((cache) => cache.health())
      .map((health) => (health.kind === 'stale' ? now - health.since : 0));
    counts.watchLag.set(Math.max(0, ...lags) / 1000);
    const { residentBytes, cpuSeconds } = usage();
    counts.residentMemory.set(residentBytes);
    counts.cpuSeconds.inc(Math.max(0, cpuSeconds - cpuCounted));
    cpuCounted = Math.max(cpuCounted, cpuSeconds);
  };

  return {
    sink: journalCounts(counts, label),
    observeRun(state, playbook) {
      runs.observe(state, label(playbook));
    },
    leaveRun(playbook) {
      runs.leave(label(playbook));
    },
    observePlaybook(sight) {
      playbooks.observe(sight, label(sight.playbook));
    },
    forgetPlaybook(playbook) {
      playbooks.forget(label(playbook));
    },
    observeRequest({ method, status }) {
      counts.apiRequests.inc({ method, code: String(status) });
    },
    counted: (cluster) =>
      countedEvictions(cluster, (answer) => {
        counts.evictions.inc({ answer });
      }),
    setLeader(isLeader) {
      counts.leader.set(isLeader ? 1 : 0);
    },
    setActing(isActing) {
      counts.acting.set(isActing ? 1 : 0);
    },
    watch(cache) {
      watched.add(cache);
      return () => {
        watched.delete(cache);
      };
    },
    observeNotification(playbook, happened) {
      const labels = { playbook: label(playbook) };
      if (happened.kind === 'queued') counts.notificationsWaiting.inc(labels);
      else if (happened.kind === 'failed') counts.notificationFailures.inc(labels);
      else {
        counts.notificationsWaiting.dec(labels);
        counts.notifications.inc({ ...labels, result: happened.result });
      }
    },
    async text() {
      collect();
      return await registry.metrics();
    },
    contentType: registry.contentType,
    described: () => registry.getMetricsAsArray().map(describe),
  };
}

function describe(metric: object): { name: string; type: string; labels: readonly string[] } {
  const { name, type, labelNames } = metric as { name: string; type?: string; labelNames: readonly string[] };
  return { name, type: type ?? metric.constructor.name.toLowerCase(), labels: labelNames };
}
