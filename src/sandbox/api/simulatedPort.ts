import type {
  ApiAnswer,
  ApiFailure,
  ClusterPort,
  ClusterTarget,
  EvictionAnswer,
  WatchEvent,
  WatchRequest,
} from '../../cluster/clusterPort.js';
import { apiFailureOf } from '../../kubernetes/apiFailure.js';
import { evictionAnswerOf } from '../../kubernetes/evictionAnswer.js';
import { asSent } from './sameJson.js';
import type { Refusal, Reply, SimulatedApi } from './simulatedApi.js';

/** What the sandbox's API server says that it is. */
export const sandboxVersion = 'v1.36.3-sandbox';

/**
 * ClusterPort directly on the sandbox's API, for simulations: no time passes in a call. Refusals are understood by the
 * same code as those of a real API server. A watch never ends by itself.
 */
export function simulatedPort({
  api,
  caller,
  target,
}: {
  readonly api: SimulatedApi;
  /** User name of whoever asks. */
  readonly caller: string;
  readonly target?: ClusterTarget;
}): ClusterPort {
  /** Not an async function: a night makes a thousand calls, and what each costs the more is felt. */
  const decided = <T, A>(signal: AbortSignal, act: () => Reply<T>, answerOf: (reply: Reply<T>) => A): Promise<A> =>
    new Promise((resolve) => {
      signal.throwIfAborted();
      resolve(answerOf(act()));
    });
  const answer = <T>(signal: AbortSignal, act: () => Reply<T>): Promise<ApiAnswer<T>> =>
    decided(signal, act, (reply) => (reply.kind === 'ok' ? reply : failureOf(reply.status)));

  return {
    target: target ?? { server: 'https://sandbox', context: 'sandbox', user: caller },
    get: (request, signal) => answer(signal, () => api.get(request)),
    list: (request, signal) => answer(signal, () => api.list(request)),
    watch: (request, signal) => watchEvents(api, request, signal),
    create: (request, signal) =>
      answer(signal, () => api.create({ ...request, object: asSent(request.object) }, caller)),
    replace: (request, signal) =>
      answer(signal, () => api.replace({ ...request, object: asSent(request.object) }, caller)),
    patch: (request, signal) => answer(signal, () => api.patch({ ...request, patch: asSent(request.patch) }, caller)),
    delete: (request, signal) => answer(signal, () => api.delete(request, caller)),

    evict: (request, signal) =>
      decided(
        signal,
        () => api.evict(request, caller),
        (reply): EvictionAnswer =>
          reply.kind === 'ok' ? { kind: 'accepted' } : evictionAnswerOf(httpAnswerOf(reply.status)),
      ),

    discover: ({ apiVersion, kind }, signal) =>
      answer(signal, () => {
        const found = api.served().find((served) => served.kind === kind && groupVersionOf(served) === apiVersion);
        if (found === undefined) {
          const message = `${apiVersion} serves no kind ${kind}`;
          return { kind: 'refused', status: { code: 404, reason: 'NotFound', message } };
        }
        const { group, version, plural, namespaced } = found;
        const scalable = found.subresources.includes('scale');
        const isEvictable = found.subresources.includes('eviction');
        return {
          kind: 'ok',
          value: { group, version, plural, namespaced, scalable, ...(isEvictable ? { evictable: true as const } : {}) },
        };
      }),
    serverVersion: (signal) => answer(signal, () => ({ kind: 'ok', value: sandboxVersion })),
    readiness: (signal) => answer(signal, () => ({ kind: 'ok', value: 'ok' })),
    close: () => undefined,
  };
}

async function* watchEvents(
  api: SimulatedApi,
  request: WatchRequest,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  signal.throwIfAborted();
  const buffer: WatchEvent[] = [];
  let wake = (): void => undefined;
  const opened = api.watch(request, (event) => {
    buffer.push(event);
    wake();
  });
  if (opened.kind === 'refused') return yield { type: 'failed', failure: failureOf(opened.status) };
  const onAbort = (): void => {
    wake();
  };
  signal.addEventListener('abort', onAbort);
  try {
    for (;;) {
      signal.throwIfAborted();
      const event = buffer.shift();
      if (event !== undefined) {
        yield event;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    opened.value.stop();
  }
}

function failureOf(refusal: Refusal): ApiFailure {
  return apiFailureOf(httpAnswerOf(refusal));
}

/** A refusal as it arrives over HTTP. */
function httpAnswerOf(refusal: Refusal) {
  return {
    status: refusal.code,
    retryAfterSeconds: refusal.details?.retryAfterSeconds,
    body: JSON.stringify(refusal),
  };
}

function groupVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}
