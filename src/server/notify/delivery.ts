import { orAborted } from '../../cluster/orAborted.js';
import { isDeadlineExceeded, type Clock } from '../../time/clock.js';
import { cloudEventType, type EventName } from './cloudEvent.js';
import type { Post, PostAnswer } from './post.js';
import { signatureHeader, signatureOf } from './signature.js';

/** Where notifications go. */
export interface Webhook {
  /** What logs call it. The URL is not told: its path may be a secret. */
  readonly name: string;
  readonly url: string;
  /** Which events it wants; undefined: all. */
  readonly events: readonly EventName[] | undefined;
  /** Reads the key of the signature; asked at each attempt, so that a new one counts at once and none is kept. */
  readonly key: (signal: AbortSignal) => Promise<Uint8Array>;
}

/** What came of one attempt. */
export type Attempt =
  | { readonly kind: 'delivered' }
  /** The receiver says of this very message that it will never take it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Another attempt may succeed, not before `notBeforeMs` from now. */
  | { readonly kind: 'failed'; readonly reason: string; readonly notBeforeMs: number };

/** Bad request, gone, too large, unsupported media type, unprocessable: the same message meets them again. */
const lastingStatuses: ReadonlySet<number> = new Set([400, 410, 413, 415, 422]);

/** A receiver may ask for a pause, but not for longer. */
const longestAskedPauseMs = 5 * 60_000;

/** Signs the message and sends it once, within `timeoutMs`. Never rejects. */
export async function attemptDelivery(
  delivery: {
    readonly webhook: Webhook;
    readonly body: string;
    readonly post: Post;
    readonly clock: Clock;
    readonly userAgent: string;
    readonly timeoutMs: number;
  },
  signal: AbortSignal,
): Promise<Attempt> {
  const { webhook, body, post, clock, timeoutMs } = delivery;
  const deadline = clock.deadline(timeoutMs, signal);
  let isSending = false;
  try {
    const key = await orAborted(webhook.key(deadline.signal), deadline.signal);
    if (key.byteLength === 0) return failed('its key is empty');
    const headers = {
      'Content-Type': cloudEventType,
      'User-Agent': delivery.userAgent,
      [signatureHeader]: signatureOf({ body, key, now: clock.now() }),
    };
    isSending = true;
    return judged(await orAborted(post({ url: webhook.url, headers, body, signal: deadline.signal }), deadline.signal));
  } catch (error) {
    if (isDeadlineExceeded(deadline.signal)) return failed(`no answer within ${String(timeoutMs)} ms`);
    if (signal.aborted) return failed('given up');
    return failed(isSending ? reasonOf(error) : `its key cannot be read (${reasonOf(error)})`);
  } finally {
    deadline.clear();
  }
}

function judged({ status, retryAfterSeconds = 0 }: PostAnswer): Attempt {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (lastingStatuses.has(status)) return { kind: 'refused', reason: `status ${String(status)}` };
  const isRedirect = status >= 300 && status < 400;
  return {
    kind: 'failed',
    reason: `status ${String(status)}${isRedirect ? ', and redirects are not followed' : ''}`,
    notBeforeMs: Math.min(longestAskedPauseMs, retryAfterSeconds * 1000),
  };
}

function failed(reason: string): Attempt {
  return { kind: 'failed', reason, notBeforeMs: 0 };
}

/** Its code or kind, never its text: that may hold the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause instanceof Error ? reasonOf(error.cause) : error.name;
}
