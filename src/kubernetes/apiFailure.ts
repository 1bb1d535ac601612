import type { ApiFailure } from '../cluster/clusterPort.js';
import { numberOf, parseJson, recordOf, recordsOf, stringOf } from '../cluster/json.js';

/** The API server's `Status` object, as far as decisions need it; empty where the body is none (a proxy's page). */
export interface StatusDetails {
  readonly code: number | undefined;
  readonly reason: string;
  readonly message: string;
  /** Resource and name the refusal is about. */
  readonly kind: string;
  readonly name: string;
  readonly retryAfterSeconds: number | undefined;
  readonly causes: readonly { readonly reason: string; readonly message: string }[];
}

/** An HTTP answer that is no success. */
export interface RefusedAnswer {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly body: string;
}

/** Flow control that names no time: as long as client-go waits. */
const defaultRetryAfterSeconds = 1;

/** What a refusal means (k8s.io/apimachinery/pkg/api/errors/errors.go). */
export function apiFailureOf(answer: RefusedAnswer): ApiFailure {
  const details = statusDetailsOf(parseJson(answer.body));
  const message = details.message === '' ? `HTTP ${String(answer.status)}${textOf(answer.body)}` : details.message;
  switch (answer.status) {
    case 404:
      return { kind: 'not-found', message };
    case 409:
      return { kind: details.reason === 'AlreadyExists' ? 'already-exists' : 'conflict', message };
    case 410:
      return { kind: 'gone', message };
    case 401:
    case 403:
      return { kind: 'forbidden', message };
    case 400:
    case 422:
      return { kind: 'invalid', message };
    case 429:
      return {
        kind: 'throttled',
        retryAfterMs: retryAfterMsOf(answer, details) ?? defaultRetryAfterSeconds * 1000,
        message,
      };
    default:
      return { kind: 'refused', status: answer.status, message };
  }
}

/** The fields of a `Status` object, whatever else the value is. */
export function statusDetailsOf(value: unknown): StatusDetails {
  const status = recordOf(value);
  const details = recordOf(status['details']);
  return {
    code: numberOf(status['code']),
    reason: stringOf(status['reason']) ?? '',
    message: stringOf(status['message']) ?? '',
    kind: stringOf(details['kind']) ?? '',
    name: stringOf(details['name']) ?? '',
    retryAfterSeconds: numberOf(details['retryAfterSeconds']),
    causes: recordsOf(details['causes']).map((cause) => ({
      reason: stringOf(cause['reason']) ?? '',
      message: stringOf(cause['message']) ?? '',
    })),
  };
}

/** How long the server asks to wait, from header or body; undefined where it does not. */
export function retryAfterMsOf(answer: RefusedAnswer, details: StatusDetails): number | undefined {
  const seconds = answer.retryAfterSeconds ?? details.retryAfterSeconds;
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1000;
}

/** The beginning of a body that is no Status, for people. */
function textOf(body: string): string {
  const text = body
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return text === '' ? '' : `: ${text.slice(0, 200)}`;
}
