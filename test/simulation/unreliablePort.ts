import type {
  ApiAnswer,
  ApiFailure,
  ApiList,
  ApiObject,
  ClusterPort,
  EvictionAnswer,
  Resource,
  WriteRequest,
} from '../../src/cluster/clusterPort.js';
import { isPassing } from '../../src/cluster/passingFailure.js';
import { isReview } from '../../src/cluster/resources.js';
import { resources } from '../../src/cluster/resources.js';
import type { Clock } from '../../src/time/clock.js';
import { mortalClock } from './actorLife.js';
import { latencyMs, questionMs, travel, type Caller, type Journey } from './journey.js';
import { unreliableWatch } from './unreliableWatch.js';
import type { Weather } from './weather.js';
import type { Call } from './witness.js';

export interface UnreliablePort extends Caller {
  /** The port of the model, which answers at once. */
  readonly port: ClusterPort;
  readonly weather: Weather;
  /** The version of the last change in the model; without it no watch sends bookmarks. */
  readonly version?: () => string;
}

/** Failures that a call may meet on its way, whatever is asked: answers of an eviction as well. */
type Trouble = Extract<ApiFailure, { readonly kind: 'throttled' | 'refused' | 'unreachable' }>;

/**
 * The port of the model as an actor meets it: behind a network, a loaded server and its own death. It takes time; it
 * fails as the weather has it, before the call arrives or when it has been done; it tells the witnesses.
 *
 * As in the port to a real API server, reads are repeated up to three times after a failure that may pass, and writes
 * never. Each of them is a call of its own to the witnesses. No request is on its way for longer than about four
 * seconds, so that what a holder of the lease sent in time has arrived before a successor can begin.
 */
export function unreliablePort(parts: UnreliablePort): ClusterPort {
  const { port, actor, time, life, witnesses } = parts;
  const clock = mortalClock(time, life);
  /** Of the other side: a request that has been sent is not taken back. */
  const uncancelled = new AbortController().signal;

  const tell = (resource: Resource, objects: readonly ApiObject[]) => {
    for (const witness of witnesses) {
      if (witness.told === undefined) continue;
      for (const object of objects) witness.told(actor, { resource, object, gone: false });
    }
  };
  const call = async <T extends { readonly kind: string }>(
    asked: Asked,
    arrive: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | Trouble> => await travel<T | Trouble>(parts, journeyOf<T>(parts, asked, arrive), signal);

  const read = async <T>(asked: Asked, arrive: () => Promise<ApiAnswer<T>>, signal: AbortSignal) =>
    await repeated(() => call(asked, arrive, signal), { clock, random: () => parts.random.next(), signal });

  const write = async (
    asked: Asked & { readonly resource: Resource; readonly isOutward: boolean },
    arrive: () => Promise<ApiAnswer<ApiObject>>,
    signal: AbortSignal,
  ): Promise<ApiAnswer<ApiObject>> => {
    const answer = await call(asked, arrive, signal);
    if (answer.kind === 'ok' && asked.isOutward && isWhole(asked)) tell(asked.resource, [answer.value]);
    return answer;
  };
  const writing = (verb: string, request: WriteRequest, name: string | undefined) => ({
    verb,
    isOutward: request.dryRun !== true,
    ...placeOf(request),
    ...(name === undefined ? {} : { name }),
    request,
  });

  return {
    target: port.target,
    async get(request, signal) {
      const asked: Asked = { verb: 'get', isOutward: false, ...placeOf(request), name: request.name, request };
      const answer = await read<ApiObject>(asked, () => port.get(request, uncancelled), signal);
      if (answer.kind === 'ok' && isWhole(request)) tell(request.resource, [answer.value]);
      return answer;
    },
    async list(request, signal) {
      const asked: Asked = { verb: 'list', isOutward: false, ...placeOf(request), request };
      const answer = await read<ApiList>(asked, () => port.list(request, uncancelled), signal);
      if (answer.kind === 'ok') tell(request.resource, answer.value.items);
      return answer;
    },
    watch: (request, signal) => unreliableWatch(parts, request, signal),
    create: async (request, signal) => {
      const send = () =>
        write(
          writing('create', request, request.object.metadata.name),
          () => port.create(request, uncancelled),
          signal,
        );
      return isReview(request.resource)
        ? await repeated(send, { clock, random: () => parts.random.next(), signal })
        : await send();
    },
    replace: (request, signal) =>
      write(
        writing('replace', request, request.object.metadata.name),
        () => port.replace(request, uncancelled),
        signal,
      ),
    patch: (request, signal) =>
      write(writing('patch', request, request.name), () => port.patch(request, uncancelled), signal),
    async delete(request, signal) {
      return await call(writing('delete', request, request.name), () => port.delete(request, uncancelled), signal);
    },
    async evict(request, signal): Promise<EvictionAnswer> {
      const { namespace, name } = request;
      const isOutward = request.dryRun !== true;
      return await call(
        { verb: 'evict', isOutward, resource: resources.pods, namespace, name, request },
        () => port.evict(request, uncancelled),
        signal,
      );
    },
    discover: (kind, signal) =>
      read({ verb: 'discover', isOutward: false, request: kind }, () => port.discover(kind, uncancelled), signal),
    serverVersion: (signal) =>
      read(
        { verb: 'serverVersion', isOutward: false, request: undefined },
        () => port.serverVersion(uncancelled),
        signal,
      ),
    // The real port does not repeat it.
    readiness: async (signal) =>
      await call(
        { verb: 'readiness', isOutward: false, request: undefined },
        () => port.readiness(uncancelled),
        signal,
      ),
    close: () => undefined,
  };
}

type Asked = Omit<Call, 'actor' | 'number' | 'port'>;

/** What becomes of one call in the weather of this moment. */
export function journeyOf<T extends { readonly kind: string }>(
  { weather, random }: Pick<UnreliablePort, 'weather' | 'random'>,
  asked: Asked,
  arrive: () => T | Promise<T>,
): Journey<T | Trouble> {
  const fate = weather.ofCall();
  const slowMs = fate === 'slow' ? random.between(200, 3000) : 0;
  const outMs = (asked.isOutward ? latencyMs(random) : questionMs(random)) + slowMs;
  const backMs = latencyMs(random) + slowMs;
  // A broken connection is seen at once, a silent one when the request's time is up.
  const silenceMs = random.chance(0.85) ? backMs : requestTimeoutMs;
  const refusal = refusalOf(fate, random.next());
  const isLost = fate === 'lost';
  return {
    call: { port: 'cluster', ...asked },
    outMs,
    arrive: () => {
      if (fate === 'unreachable' || weather.isApiDown) return undefined;
      return refusal ?? arrive();
    },
    backMs: (answer) => (answer === undefined || isLost || weather.isApiDown ? silenceMs : backMs),
    hear: (answer) => {
      if (answer === undefined || isLost) return unreachable;
      return weather.isApiDown ? unreachable : answer;
    },
  };
}

/** As `turnus run` bounds a request. */
const requestTimeoutMs = 30_000;

const unreachable: Trouble = { kind: 'unreachable', message: 'the connection to the API server broke' };

function refusalOf(fate: ReturnType<Weather['ofCall']>, draw: number): Trouble | undefined {
  switch (fate) {
    case 'throttled':
      return {
        kind: 'throttled',
        retryAfterMs: 1000 * (1 + Math.floor(draw * 3)),
        message: 'too many requests, please try again later',
      };
    case 'error':
      return { kind: 'refused', status: draw < 0.5 ? 500 : 503, message: 'etcdserver: request timed out' };
    case 'fine':
    case 'unreachable':
    case 'lost':
    case 'slow':
      return undefined;
  }
}

/** Bounds of src/kubernetes/repeatReads.ts. */
const repetitions = { most: 3, firstPauseMs: 200, longestPauseMs: 2000, longestRetryAfterMs: 10_000 };

/** Repeats a read as the real port does. */
async function repeated<T>(
  attempt: () => Promise<ApiAnswer<T>>,
  { clock, random, signal }: { clock: Clock; random: () => number; signal: AbortSignal },
): Promise<ApiAnswer<T>> {
  const endsAt = clock.monotonic() + 2 * requestTimeoutMs;
  for (let failures = 0; ; failures += 1) {
    const answer = await attempt();
    if (answer.kind === 'ok' || failures === repetitions.most || !isPassing(answer)) return answer;
    const retryAfterMs = answer.kind === 'throttled' ? answer.retryAfterMs : 0;
    if (retryAfterMs > repetitions.longestRetryAfterMs || clock.monotonic() >= endsAt) return answer;
    const pauseMs = Math.min(
      repetitions.longestPauseMs,
      Math.round(repetitions.firstPauseMs * 2 ** failures * (1 + random())),
    );
    await clock.sleep(retryAfterMs + pauseMs, signal);
  }
}

/** An answer that is the object itself, not its scale or the like. */
function isWhole({ subresource }: { readonly subresource?: string }): boolean {
  return subresource === undefined || subresource === 'status';
}

export function placeOf({ resource, namespace, subresource }: Place): Place {
  return {
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

interface Place {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly subresource?: string;
}
