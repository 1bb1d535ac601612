import { isApiObject } from '../cluster/apiObject.js';
import type {
  ApiAnswer,
  ApiObject,
  ClusterPort,
  ClusterTarget,
  EvictionRequest,
  ListRequest,
  Patch,
  WatchEvent,
  WatchRequest,
  WriteRequest,
} from '../cluster/clusterPort.js';
import { isRecord, parseJson, recordOf, recordsOf, stringOf } from '../cluster/json.js';
import { isReview, resources } from '../cluster/resources.js';
import type { Clock } from '../time/clock.js';
import { apiFailureOf } from './apiFailure.js';
import { discovery } from './discovery.js';
import { evictionAnswerOf } from './evictionAnswer.js';
import { repeatReads } from './repeatReads.js';
import { requestPath } from './requestPath.js';
import { reasonOf, type HttpAnswer, type HttpRequest, type NoAnswer, type Transport } from './transport.js';
import { silenceOf } from './silence.js';
import { watchEventsOf } from './watchStream.js';

const fieldManager = 'turnus';

/** The server ends a watch after this many seconds, with as much jitter, so that watches do not all return at once. */
const watchSeconds = { atLeast: 240, jitter: 60 };

/**
 * A server that sends bookmarks sends one a minute (staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go,
 * `bookmarkFrequency`). A watch that is silent for longer is begun anew, from where it was: its connection may have died
 * without a word.
 */
const longestSilenceMs = 75_000;

export interface KubernetesPortOptions {
  readonly transport: Transport;
  readonly target: ClusterTarget;
  readonly clock: Clock;
  /** Bound of one exchange; a read with its repetitions takes at most twice as long. */
  readonly requestTimeoutMs: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** ClusterPort on a real API server. */
export function kubernetesPort(options: KubernetesPortOptions): ClusterPort {
  const { transport, target, clock, random } = options;

  const send = async <T>(
    request: HttpRequest,
    parse: (body: unknown) => T | undefined,
    signal: AbortSignal,
  ): Promise<ApiAnswer<T>> => answerOf(await transport.send(request, signal), parse);

  const read = async <T>(
    path: string,
    parse: (body: unknown) => T | undefined,
    signal: AbortSignal,
  ): Promise<ApiAnswer<T>> =>
    await repeatReads({
      read: async () => await send({ method: 'GET', path }, parse, signal),
      clock,
      totalMs: 2 * options.requestTimeoutMs,
      signal,
    });

  const discovered = discovery(async (path, signal) => await read(path, recordOrNone, signal), clock);

  const list = (request: ListRequest, signal: AbortSignal) => {
    const query = {
      labelSelector: request.labelSelector,
      fieldSelector: request.fieldSelector,
      limit: request.limit?.toString(),
      continue: request.continueToken,
      resourceVersion: request.resourceVersion,
    };
    return read(requestPath({ ...request, query }), listOrNone, signal);
  };

  async function* watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchEvent, void, undefined> {
    const seconds = watchSeconds.atLeast + Math.floor(random() * watchSeconds.jitter);
    const query = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: request.resourceVersion,
      timeoutSeconds: String(seconds),
      labelSelector: request.labelSelector,
      fieldSelector: request.fieldSelector,
    };
    const silence = silenceOf(clock, longestSilenceMs, signal);
    try {
      const opened = await transport.open({ method: 'GET', path: requestPath({ ...request, query }) }, silence.signal);
      if (opened.kind === 'unreachable') return yield { type: 'failed', failure: opened };
      try {
        if (opened.status === 200) return yield* watchEventsOf(silence.brokenBy(opened.body));
        yield { type: 'failed', failure: apiFailureOf({ ...opened, body: await textOf(opened.body) }) };
      } finally {
        opened.close();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (silence.signal.aborted) return;
      const message = `the watch of ${request.resource.plural} broke off: ${reasonOf(error)}`;
      yield { type: 'failed', failure: { kind: 'unreachable', message } };
    } finally {
      silence.clear();
    }
  }

  const write = (
    method: 'POST' | 'PUT' | 'PATCH',
    request: WriteRequest & { name?: string | undefined; contentType?: string; force?: boolean; body: unknown },
    signal: AbortSignal,
  ) => {
    const query = {
      fieldManager,
      fieldValidation: 'Strict',
      dryRun: request.dryRun === true ? 'All' : undefined,
      force: request.force === true ? 'true' : undefined,
    };
    const { contentType = 'application/json' } = request;
    return send(
      { method, path: requestPath({ ...request, query }), contentType, body: JSON.stringify(request.body) },
      objectOrNone,
      signal,
    );
  };

  return {
    target,
    list,
    watch,
    get: (request, signal) => read(requestPath(request), objectOrNone, signal),
    create: async ({ object, ...request }, signal) => {
      const name = request.subresource === undefined ? undefined : object.metadata.name;
      const send = () => write('POST', { ...request, name, body: object }, signal);
      const totalMs = 2 * options.requestTimeoutMs;
      return isReview(request.resource) ? await repeatReads({ read: send, clock, totalMs, signal }) : await send();
    },
    replace: ({ object, ...request }, signal) =>
      write('PUT', { ...request, name: object.metadata.name, body: object }, signal),
    patch: ({ patch, ...request }, signal) => write('PATCH', { ...request, ...patchBodyOf(patch) }, signal),

    delete: ({ uid, dryRun, ...request }, signal) => {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        ...(dryRun === true ? { dryRun: ['All'] } : {}),
      };
      const query = { dryRun: dryRun === true ? 'All' : undefined };
      return send(
        { method: 'DELETE', path: requestPath({ ...request, query }), body: JSON.stringify(body) },
        objectOrNone,
        signal,
      );
    },

    async evict(request, signal) {
      const query = { dryRun: request.dryRun === true ? 'All' : undefined };
      const { namespace, name } = request;
      const path = requestPath({ resource: resources.pods, namespace, name, subresource: 'eviction', query });
      const answer = await transport.send(
        { method: 'POST', path, body: JSON.stringify(evictionBodyOf(request)) },
        signal,
      );
      return answer.kind === 'unreachable' ? answer : evictionAnswerOf(answer);
    },

    discover: (kind, signal) => discovered.discover(kind, signal),
    readiness: async (signal) => {
      const answer = await transport.send({ method: 'GET', path: '/readyz' }, signal);
      if (answer.kind !== 'unreachable' && answer.status === 200) return { kind: 'ok', value: answer.body };
      return answer.kind === 'unreachable' ? answer : apiFailureOf(answer);
    },
    serverVersion: (signal) => read('/version', (body) => stringOf(recordOf(body)['gitVersion']), signal),
    close: () => {
      transport.close();
    },
  };
}

function answerOf<T>(answer: HttpAnswer | NoAnswer, parse: (body: unknown) => T | undefined): ApiAnswer<T> {
  if (answer.kind === 'unreachable') return answer;
  if (answer.status < 200 || answer.status >= 300) return apiFailureOf(answer);
  const value = parse(parseJson(answer.body));
  if (value !== undefined) return { kind: 'ok', value };
  return {
    kind: 'refused',
    status: answer.status,
    message: 'the answer is not what a Kubernetes API sends; is there a proxy in between?',
  };
}

function recordOrNone(body: unknown): unknown {
  return isRecord(body) ? body : undefined;
}

function objectOrNone(body: unknown): ApiObject | undefined {
  return isApiObject(body) ? body : undefined;
}

function listOrNone(body: unknown) {
  const list = recordOf(body);
  const metadata = recordOf(list['metadata']);
  const resourceVersion = stringOf(metadata['resourceVersion']);
  // Go writes a list without items as null or leaves it out.
  if (resourceVersion === undefined) return undefined;
  const continueToken = stringOf(metadata['continue']);
  return {
    items: recordsOf(list['items']).filter(isApiObject),
    resourceVersion,
    ...(continueToken === undefined || continueToken === '' ? {} : { continueToken }),
  };
}

function patchBodyOf(patch: Patch): { contentType: string; body: unknown; force?: boolean } {
  switch (patch.type) {
    case 'json':
      return { contentType: 'application/json-patch+json', body: patch.operations };
    case 'merge':
      return { contentType: 'application/merge-patch+json', body: patch.body };
    case 'apply':
      return { contentType: 'application/apply-patch+yaml', body: patch.body, force: patch.force };
  }
}

/** Query and body must agree about a dry run (eviction.go). */
function evictionBodyOf({ namespace, name, uid, gracePeriodSeconds, dryRun }: EvictionRequest): unknown {
  return {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { namespace, name },
    deleteOptions: {
      preconditions: { uid },
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: Math.max(1, Math.ceil(gracePeriodSeconds)) }),
      ...(dryRun === true ? { dryRun: ['All'] } : {}),
    },
  };
}

/** The body of a refused watch; refusals are small. */
async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
    if (chunks.length > 64) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
