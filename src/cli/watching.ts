import { Writable } from 'node:stream';
import { comingWindows } from '../calendar/comingWindows.js';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { canonicalJson } from '../journal/canonicalJson.js';
import type { JournalSink } from '../journal/entry.js';
import type { ConnectOptions } from '../kubernetes/connect.js';
import type { Playbook } from '../playbook/playbook.js';
import type { RunState } from '../run/state.js';
import type { PlanAnnouncement } from '../server/playbooks/announcePlans.js';
import type { AppOptions, Readiness } from '../server/http.js';
import type { Log } from '../server/log.js';
import { logSink } from '../server/logSink.js';
import { openMetrics, type Metrics } from '../server/metrics.js';
import { notificationSink } from '../server/notify/notificationSink.js';
import { openNotifier, webhookName, type Notifier } from '../server/notify/notifier.js';
import { planReady } from '../server/notify/planReady.js';
import { post } from '../server/notify/post.js';
import type { OwnObjects } from '../server/ownObjects.js';
import type { Serving } from '../server/serving.js';
import type { CommandIo } from './io.js';
import type { PlaybookFiles } from './playbookFiles.js';
import { version } from './version.js';

/** All by which `turnus serve` is watched: metrics, readiness, log lines and notifications. */
export interface Watching
  extends AppOptions, Pick<Serving, 'onLead' | 'onCache' | 'onRun' | 'onRunLeft' | 'onJudged' | 'onForgotten'> {
  readonly onAnswer: NonNullable<ConnectOptions['onAnswer']>;
  /** The same port, whose evictions are counted. */
  counted(cluster: ClusterPort): ClusterPort;
  follow(own: OwnObjects): void;
  /** The event `plan.ready`. */
  announce(announcement: PlanAnnouncement, by: Parameters<Watching['sinks']>[1]): void;
  /** What hears of the journal of the playbook, after the sink that keeps it. */
  sinks(playbook: Playbook, by: { readonly clusterUid: string; readonly files: PlaybookFiles }): JournalSink[];
  /** What commands would say on standard error, as lines of the log. */
  readonly warnings: Writable;
  close(withinMs: number): Promise<void>;
}

/** Windows of which the metrics know. */
const windowsAhead = 3;

export function openWatching(io: CommandIo, log: Log): Watching {
  const { clock } = io;
  const metrics: Metrics = openMetrics({
    clock,
    version,
    nodeVersion: process.version,
    usage: () => {
      const { user, system } = process.cpuUsage();
      return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
    },
    startedAt: clock.now() - process.uptime() * 1000,
  });
  let own: OwnObjects | undefined;
  let leads = false;
  const latest = new Map<string, RunState>();
  const notifiers = new Map<string, Notifier>();
  const judged = new Set<string>();
  const forget = (playbook: string) => {
    judged.delete(playbook);
    latest.delete(playbook);
    metrics.forgetPlaybook(playbook);
  };

  const notifierOf = (playbook: Playbook, by: Parameters<Watching['sinks']>[1]): Notifier => {
    const key = canonicalJson([playbook.name, playbook.notify.webhooks]);
    const known = notifiers.get(key);
    if (known !== undefined) return known;
    const notifier = openNotifier({
      ...by,
      clock,
      random: io.random,
      post,
      log: log.about({ playbook: playbook.name }),
      userAgent: `turnus/${version}`,
      happened: (what) => {
        metrics.observeNotification(playbook.name, what);
      },
      webhooks: playbook.notify.webhooks.map(({ url, secretPath, events }, place) => ({
        name: webhookName(url, place + 1),
        url,
        events,
        key: async () => await readKey(by.files, secretPath),
      })),
    });
    notifiers.set(key, notifier);
    return notifier;
  };

  return {
    metrics,
    onAnswer: (answer) => {
      metrics.observeRequest(answer);
    },
    counted: (cluster) => metrics.counted(cluster),
    live: () => true,
    ready: () => readiness(own, leads),
    warnings: warningsTo(log),
    follow(objects) {
      own = objects;
      metrics.watch(objects);
    },
    sinks(playbook, by) {
      const { name } = playbook;
      const notifier = notifierOf(playbook, by);
      return [logSink(log.about({ playbook: name })), metrics.sink, notificationSink(notifier, () => latest.get(name))];
    },
    announce({ playbook, plan, window }, by) {
      notifierOf(playbook, by).notify(planReady({ plan, window, now: clock.now() }));
    },
    onLead(isLeader) {
      leads = isLeader;
      metrics.setLeader(isLeader);
      // Whoever leads tells how they stand; what was known here grows old.
      if (!isLeader) for (const playbook of [...judged]) forget(playbook);
    },
    onForgotten: forget,
    onCache: (cache) => metrics.watch(cache),
    onRun(state, playbook) {
      latest.set(playbook, state);
      metrics.setActing(true);
      metrics.observeRun(state, playbook);
    },
    onRunLeft(playbook) {
      metrics.setActing(false);
      metrics.leaveRun(playbook);
    },
    onJudged({ name, inForce, mistakes }, { coverage, isReady }) {
      judged.add(name);
      const now = clock.now();
      const coming =
        inForce === undefined
          ? []
          : comingWindows({ schedule: inForce.playbook.schedule, now, count: windowsAhead }).windows;
      metrics.observePlaybook({
        playbook: name,
        isValid: mistakes.length === 0,
        isReady,
        windows: coming.flatMap(({ parts }) => parts),
        coverage,
      });
    },
    async close(withinMs) {
      await Promise.all([...notifiers.values()].map((notifier) => notifier.close(withinMs)));
    },
  };
}

function readiness(own: OwnObjects | undefined, leads: boolean): Readiness {
  const health = own?.health();
  const watches = {
    check: 'watches',
    ok: health?.kind === 'current',
    message:
      health === undefined
        ? 'the objects of Turnus are not listed yet'
        : health.kind === 'current'
          ? 'the objects of Turnus are followed'
          : `${health.resource} cannot be followed since ${new Date(health.since).toISOString()}`,
  };
  const lead = {
    check: 'leadership',
    ok: true,
    message: leads ? 'this process leads' : 'another process leads, or none yet; this one stands by',
  };
  return { ready: watches.ok, reasons: [watches, lead] };
}

async function readKey({ readFile }: PlaybookFiles, path: string): Promise<Uint8Array> {
  const answer = await readFile(path);
  if (answer.kind === 'ok') return answer.bytes;
  throw new Error(`the key of the signature cannot be read: ${answer.message}`);
}

function warningsTo(log: Log): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n')) {
        if (line !== '') log.warn({ event: 'said', msg: line });
      }
      done();
    },
  });
}
