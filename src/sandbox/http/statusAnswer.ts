import type { Refusal } from '../api/simulatedApi.js';

/** A refusal as every Kubernetes client reads it: a `Status` object with its code, and Retry-After where it has one. */
export function refusalResponse(refusal: Refusal): Response {
  const seconds = refusal.details?.retryAfterSeconds;
  return jsonResponse(statusOf(refusal), {
    status: refusal.code,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  });
}

/** The object `Status` (apimachinery, pkg/apis/meta/v1/types.go) of a refusal. */
export function statusOf({ code, reason, message, details }: Refusal) {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  };
}

export function jsonResponse(body: unknown, head: { status?: number; retryAfterSeconds?: number } = {}): Response {
  return new Response(JSON.stringify(body), {
    status: head.status ?? 200,
    headers: {
      'Content-Type': 'application/json',
      ...(head.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(head.retryAfterSeconds) }),
    },
  });
}

/** Refusals that HTTP has, and not the API behind it. */
export const refusals = {
  unknownPath: (path: string) => refusal(404, 'NotFound', `the sandbox serves nothing at ${path}`),
  unauthorized: refusal(401, 'Unauthorized', 'Unauthorized'),
  notAcceptable: refusal(406, 'NotAcceptable', 'only JSON can be had, or JSON as Table;v=v1;g=meta.k8s.io'),
  tooLarge: (bytes: number) => refusal(413, 'RequestEntityTooLarge', `the request body is larger than ${bytes} bytes`),
  mediaType: (type: string, known: readonly string[]) =>
    refusal(415, 'UnsupportedMediaType', `a body of type "${type}" is not read here; it may be ${known.join(' or ')}`),
  internal: (message: string) => refusal(500, 'InternalError', message),
} as const;

function refusal(code: number, reason: string, message: string): Refusal {
  return { code, reason, message };
}
