import { backOffMs, type BackOff } from '../../cluster/backOff.js';
import type { Clock } from '../../time/clock.js';
import type { Log } from '../log.js';
import { attemptDelivery, type Webhook } from './delivery.js';
import type { NotificationResult } from './notificationResult.js';
import type { Post } from './post.js';

/** The messages for one webhook, delivered one after the other in their order. */
export interface WebhookQueue {
  /** Takes a message; where there are too many, the oldest that is not being sent is given up. Never throws. */
  add(message: QueuedMessage): void;
  /**
   * Takes no more, and resolves when all are delivered, when an attempt that began after this call fails, or when the
   * signal aborts; what is left is given up.
   */
  close(signal: AbortSignal): Promise<void>;
}

export interface QueuedMessage {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly body: string;
}

export interface QueueLimits {
  /** Messages that wait. */
  readonly mostWaiting: number;
  /** For how long a message is tried, from when it was taken. */
  readonly keepMs: number;
  /** Of one attempt. */
  readonly attemptMs: number;
}

export interface QueueOptions {
  readonly webhook: Webhook;
  readonly clock: Clock;
  readonly random: () => number;
  readonly post: Post;
  readonly userAgent: string;
  readonly limits: QueueLimits;
  readonly log: Log;
  readonly happened: (
    what: { readonly kind: 'queued' | 'failed' } | { readonly kind: 'left'; readonly result: NotificationResult },
  ) => void;
}

const backOff: BackOff = { firstMs: 1000, longestMs: 60_000 };

type Waiting = QueuedMessage & { /** Monotonic. */ readonly takenAt: number };

export function webhookQueue(options: QueueOptions): WebhookQueue {
  const { webhook, clock, random, limits, log, happened } = options;
  const waiting: Waiting[] = [];
  const closing = new AbortController();
  const ended = new AbortController();
  /** Attempts in a row that failed, of whatever message: the receiver is not well. */
  let failures = 0;
  let wake: () => void = () => undefined;

  const leave = (message: QueuedMessage, result: NotificationResult, reason?: string): void => {
    happened({ kind: 'left', result });
    if (result === 'delivered') return;
    log.error({
      event: 'notification.dropped',
      msg: `Notification ${message.type} about ${message.subject} was not delivered to ${webhook.name}: ${whyDropped[result]}${reason === undefined ? '' : ` (${reason})`}.`,
      details: { webhook: webhook.name, type: message.type, id: message.id, result },
    });
  };

  const deliver = async (message: Waiting): Promise<void> => {
    for (let reason: string | undefined; ;) {
      const leftMs = message.takenAt + limits.keepMs - clock.monotonic();
      if (leftMs <= 0) {
        leave(message, 'expired', reason);
        return;
      }
      const isLastAttempt = closing.signal.aborted;
      const attempt = await attemptDelivery(
        { ...options, body: message.body, timeoutMs: limits.attemptMs },
        ended.signal,
      );
      if (attempt.kind !== 'failed') {
        tellRecovery();
        leave(message, attempt.kind, attempt.kind === 'refused' ? attempt.reason : undefined);
        return;
      }
      reason = attempt.reason;
      tellFailure(message, reason);
      if (isLastAttempt || ended.signal.aborted) {
        // There is no time for more, and the others would meet the same.
        ended.abort(new Error('the notifier is closed'));
        leave(message, 'abandoned', reason);
        return;
      }
      const pauseMs = Math.max(attempt.notBeforeMs, backOffMs(backOff, failures - 1, random));
      await clock.sleep(Math.min(leftMs, pauseMs), closing.signal).catch(() => undefined);
    }
  };

  const tellFailure = (message: QueuedMessage, reason: string): void => {
    failures += 1;
    happened({ kind: 'failed' });
    log[failures === 1 ? 'warn' : 'debug']({
      event: 'notification.failed',
      msg: `${webhook.name} did not take notification ${message.type} about ${message.subject}: ${reason}. It is tried again.`,
      details: { webhook: webhook.name, type: message.type, id: message.id, failures },
    });
  };

  const tellRecovery = (): void => {
    if (failures > 0) {
      const msg = `${webhook.name} answers again.`;
      log.info({ event: 'notification.recovered', msg, details: { webhook: webhook.name, failures } });
    }
    failures = 0;
  };

  const work = async (): Promise<void> => {
    for (;;) {
      const message = waiting.shift();
      if (message === undefined) {
        if (closing.signal.aborted) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (ended.signal.aborted) leave(message, 'abandoned');
      else await deliver(message);
    }
  };
  const working = work().catch((error: unknown) => {
    log.error({
      event: 'notification.broken',
      msg: `${webhook.name} gets no notifications any more: a defect.`,
      error,
    });
  });

  return {
    add(message) {
      happened({ kind: 'queued' });
      if (closing.signal.aborted) {
        leave(message, 'abandoned');
        return;
      }
      waiting.push({ ...message, takenAt: clock.monotonic() });
      const displaced = waiting.length > limits.mostWaiting ? waiting.shift() : undefined;
      if (displaced !== undefined) leave(displaced, 'displaced');
      wake();
    },
    async close(signal) {
      const end = () => {
        ended.abort(signal.reason);
      };
      closing.abort(new Error('the notifier is closing'));
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
      wake();
      await working;
      signal.removeEventListener('abort', end);
    },
  };
}

const whyDropped: Readonly<Record<Exclude<NotificationResult, 'delivered'>, string>> = {
  refused: 'the receiver will never take it',
  displaced: 'newer ones have pushed it out of the queue',
  expired: 'the receiver did not take it for too long',
  abandoned: 'this process ends',
};
