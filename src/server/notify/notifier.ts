import type { Clock } from '../../time/clock.js';
import type { Log } from '../log.js';
import type { NotificationHappening } from '../metrics.js';
import { envelopeOf, type CloudEventData } from './cloudEvent.js';
import type { Webhook } from './delivery.js';
import type { Post } from './post.js';
import { webhookQueue, type QueueLimits } from './webhookQueue.js';

/** Tells webhooks what happens. Nothing waits for it, and nothing fails because of it. */
export interface Notifier {
  /** Takes the event for each webhook that wants it, and returns at once. Never throws. */
  notify(event: CloudEventData): void;
  /**
   * Takes no more events, delivers at once what waits, and resolves when that is done, or has failed, or `withinMs` are
   * over. What was not delivered is counted and logged.
   */
  close(withinMs: number): Promise<void>;
}

export interface NotifierOptions {
  readonly webhooks: readonly Webhook[];
  /** The uid of namespace kube-system: the source of the events. */
  readonly clusterUid: string;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly post: Post;
  readonly log: Log;
  /** `turnus/<version>` */
  readonly userAgent: string;
  /** For the metrics. Must not throw. */
  readonly happened: (what: NotificationHappening) => void;
  readonly limits?: Partial<QueueLimits>;
}

const defaultLimits: QueueLimits = { mostWaiting: 1000, keepMs: 3_600_000, attemptMs: 10_000 };

/** Opens a queue for each webhook: one that is down holds no other up. */
export function openNotifier(options: NotifierOptions): Notifier {
  const { webhooks, clusterUid, clock, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const queues = webhooks.map((webhook) => ({ webhook, queue: webhookQueue({ ...options, webhook, limits }) }));
  return {
    notify(event) {
      const { id, type, subject } = event;
      try {
        const body = envelopeOf(event, clusterUid);
        for (const { webhook, queue } of queues) {
          if (webhook.events?.includes(type) ?? true) queue.add({ id, type, subject, body });
        }
      } catch (error) {
        log.error({
          event: 'notification.unwritable',
          msg: `Event ${type} about ${subject} cannot be written.`,
          error,
        });
      }
    },
    async close(withinMs) {
      const deadline = clock.deadline(withinMs, new AbortController().signal);
      await Promise.all(queues.map(({ queue }) => queue.close(deadline.signal)));
      deadline.clear();
    },
  };
}

/** What logs call a webhook: its place in the playbook, from 1, and its host. */
export function webhookName(url: string, place: number): string {
  const host = URL.canParse(url) ? new URL(url).host : 'no URL';
  return `webhook ${String(place)} (${host})`;
}
