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

/** Refusals that concern the request, not an object. */
export const refusals = {
  unknownPath: (path: string): Refusal => ({
    code: 404,
    reason: 'NotFound',
    message: `the sandbox serves nothing at ${path}`,
  }),
  unauthorized: { code: 401, reason: 'Unauthorized', message: 'Unauthorized' },
  badRequest: (message: string): Refusal => ({ code: 400, reason: 'BadRequest', message }),
  method: (method: string, path: string): Refusal => ({
    code: 405,
    reason: 'MethodNotAllowed',
    message: `${method} is not allowed on ${path}`,
  }),
  notAcceptable: {
    code: 406,
    reason: 'NotAcceptable',
    message:
      'only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io',
  },
  tooLarge: (bytes: number): Refusal => ({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `the request body is larger than ${bytes} bytes`,
  }),
  mediaType: (contentType: string, known: readonly string[]): Refusal => ({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format (${contentType}); accepted are ${known.join(', ')}`,
  }),
  internal: (message: string): Refusal => ({ code: 500, reason: 'InternalError', message }),
} as const;
