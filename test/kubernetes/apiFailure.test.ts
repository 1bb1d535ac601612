import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiFailureOf } from '../../src/kubernetes/apiFailure.js';
import { evictionAnswerOf } from '../../src/kubernetes/evictionAnswer.js';

/** A Status object as kube-apiserver sends it. */
function status(fields: Record<string, unknown>): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...fields });
}

function answer(code: number, body: string, retryAfterSeconds?: number) {
  return { status: code, body, retryAfterSeconds };
}

describe('a refusal of the API server', () => {
  it.each([
    ['not-found', 404, { reason: 'NotFound', message: 'pods "a" not found' }],
    ['already-exists', 409, { reason: 'AlreadyExists', message: 'configmaps "a" already exists' }],
    ['conflict', 409, { reason: 'Conflict', message: 'the object has been modified' }],
    ['gone', 410, { reason: 'Expired', message: 'The provided continue parameter is too old' }],
    ['forbidden', 403, { reason: 'Forbidden', message: 'nodes is forbidden' }],
    ['forbidden', 401, { reason: 'Unauthorized', message: 'Unauthorized' }],
    ['invalid', 422, { reason: 'Invalid', message: 'the server rejected our request' }],
    ['invalid', 400, { reason: 'BadRequest', message: 'strict decoding error: unknown field "dta"' }],
  ] as const)('is %s for HTTP %i', (kind, code, fields) => {
    expect(apiFailureOf(answer(code, status({ ...fields, code })))).toEqual({ kind, message: fields.message });
  });

  it('is throttled for 429, for as long as header or body ask', () => {
    const body = status({ reason: 'TooManyRequests', message: 'too many requests', details: { retryAfterSeconds: 3 } });
    expect(apiFailureOf(answer(429, body))).toMatchObject({ kind: 'throttled', retryAfterMs: 3000 });
    expect(apiFailureOf(answer(429, body, 7))).toMatchObject({ kind: 'throttled', retryAfterMs: 7000 });
    expect(apiFailureOf(answer(429, 'slow down'))).toMatchObject({ kind: 'throttled', retryAfterMs: 1000 });
  });

  it('keeps its status and the beginning of its text where it is a proxy that answers', () => {
    const page = '<html><head><title>502</title></head><body>\nBad Gateway</body></html>';
    expect(apiFailureOf(answer(502, page))).toEqual({
      kind: 'refused',
      status: 502,
      message: 'HTTP 502: 502 Bad Gateway',
    });
    expect(apiFailureOf(answer(503, ''))).toEqual({ kind: 'refused', status: 503, message: 'HTTP 503' });
  });

  it('never makes it throw, whatever the body', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), fc.oneof(fc.string(), fc.json()), (code, body) => {
        expect(apiFailureOf(answer(code, body)).message).not.toBe('');
        evictionAnswerOf(answer(code, body));
      }),
    );
  });
});

describe('the answer to an eviction', () => {
  const budgetBody = (message: string, retryAfterSeconds?: number) =>
    status({
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      reason: 'TooManyRequests',
      details: { causes: [{ reason: 'DisruptionBudget', message }], retryAfterSeconds },
      code: 429,
    });

  it('is accepted for 200 and 201', () => {
    expect(evictionAnswerOf(answer(201, status({ status: 'Success' })))).toEqual({ kind: 'accepted' });
    expect(evictionAnswerOf(answer(200, ''))).toEqual({ kind: 'accepted' });
  });

  it('names the budget and its own words', () => {
    const message = 'The disruption budget web-pdb needs 2 healthy pods and has 2 currently';
    expect(evictionAnswerOf(answer(429, budgetBody(message)))).toEqual({
      kind: 'budget',
      budget: 'web-pdb',
      retryAfterMs: undefined,
      message,
    });
  });

  it('tells how long to wait where the budget is not computed yet', () => {
    const message = 'The disruption budget web.pdb is still being processed by the server.';
    expect(evictionAnswerOf(answer(429, budgetBody(message), 10))).toMatchObject({
      kind: 'budget',
      budget: 'web.pdb',
      retryAfterMs: 10_000,
    });
    expect(evictionAnswerOf(answer(429, budgetBody('', 10)))).toMatchObject({
      kind: 'budget',
      budget: undefined,
      retryAfterMs: 10_000,
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
    });
  });

  it('is throttled for a 429 without that cause', () => {
    const body = status({ reason: 'TooManyRequests', message: 'too many requests, please try again later.' });
    expect(evictionAnswerOf(answer(429, body, 1))).toMatchObject({ kind: 'throttled', retryAfterMs: 1000 });
  });

  it.each([400, 403, 409, 422, 429, 500])('is denied where a webhook says no with HTTP %i', (code) => {
    const message = 'admission webhook "drain.strimzi.io" denied the request: the operator rolls it';
    const details = { causes: [{ reason: 'DisruptionBudget', message: 'mine' }] };
    expect(evictionAnswerOf(answer(code, status({ message, details, code })))).toEqual({
      kind: 'denied',
      webhook: 'drain.strimzi.io',
      message,
    });
  });

  it('is denied where an admission policy says no', () => {
    const message = `pods "a" is forbidden: ValidatingAdmissionPolicy 'no-evictions' with binding 'b' denied request: no`;
    expect(evictionAnswerOf(answer(422, status({ message })))).toEqual({
      kind: 'denied',
      webhook: 'no-evictions',
      message,
    });
  });

  it('is denied where a webhook cannot be asked and must be', () => {
    const message = 'Internal error occurred: failed calling webhook "drain.strimzi.io": connection refused';
    expect(evictionAnswerOf(answer(500, status({ message })))).toEqual({
      kind: 'denied',
      webhook: 'drain.strimzi.io',
      message,
    });
  });

  it('is gone where the pod, its namespace or this UID is not there', () => {
    const notFound = (kind: string) => status({ reason: 'NotFound', message: 'x', details: { name: 'a', kind } });
    expect(evictionAnswerOf(answer(404, notFound('pods')))).toEqual({ kind: 'gone' });
    expect(evictionAnswerOf(answer(404, notFound('namespaces')))).toEqual({ kind: 'gone' });
    for (const message of [
      'Operation cannot be fulfilled on Pod "a": the UID in the precondition (1) does not match the UID in record (2). The object might have been deleted and then recreated',
      'Operation cannot be fulfilled on pods "a": Precondition failed: UID in precondition: 1, UID in object meta: 2',
    ]) {
      expect(evictionAnswerOf(answer(409, status({ reason: 'Conflict', message })))).toEqual({ kind: 'gone' });
    }
  });

  it('is refused, not gone, where the eviction itself is not served', () => {
    const message = 'the server could not find the requested resource';
    const body = status({ reason: 'NotFound', message, details: {} });
    expect(evictionAnswerOf(answer(404, body))).toEqual({ kind: 'refused', status: 404, message });
    expect(evictionAnswerOf(answer(404, '404 page not found'))).toMatchObject({ kind: 'refused', status: 404 });
  });

  it('is refused for a conflict about anything but the UID', () => {
    const body = status({ reason: 'Conflict', message: 'the object has been modified' });
    expect(evictionAnswerOf(answer(409, body))).toMatchObject({ kind: 'refused', status: 409 });
  });

  it('tells a terminating namespace from a missing permission', () => {
    const details = { causes: [{ reason: 'NamespaceTerminating', message: 'namespace x is being terminated' }] };
    expect(evictionAnswerOf(answer(403, status({ message: 'm', details })))).toEqual({
      kind: 'namespace-terminating',
      message: 'm',
    });
    expect(evictionAnswerOf(answer(403, status({ message: 'm' })))).toMatchObject({ kind: 'refused', status: 403 });
  });

  it('is refused with its status where two budgets match', () => {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    expect(evictionAnswerOf(answer(500, status({ message })))).toEqual({ kind: 'refused', status: 500, message });
  });
});
