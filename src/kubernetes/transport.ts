import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { DeadlineExceeded, type Clock } from '../time/clock.js';
import { formatDuration } from '../time/duration.js';
import { agentPool } from './agentPool.js';
import type { Connection, Credentials } from './credentials.js';

/** HTTP to one API server, over pooled connections, each call bounded in time and size. Repeats nothing but a 401. */
export interface Transport {
  /** Sends and reads the whole answer. Rejects with the signal's reason when it aborts. */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer | NoAnswer>;
  /** Sends and answers as soon as the headers are there; the caller reads `body` to its end or breaks out of it. */
  open(request: HttpRequest, signal: AbortSignal): Promise<HttpStream | NoAnswer>;
  close(): void;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query below the server's URL. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Seconds of the Retry-After header. */
  readonly retryAfterSeconds: number | undefined;
  readonly body: string;
}

export interface HttpStream {
  readonly kind: 'stream';
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly body: AsyncIterable<Buffer>;
  /** Ends the stream and its connection. */
  close(): void;
}

export interface NoAnswer {
  readonly kind: 'unreachable';
  readonly message: string;
}

export interface TransportOptions {
  readonly server: string;
  readonly credentials: Credentials;
  readonly userAgent: string;
  readonly clock: Clock;
  /** Bound of one exchange: connect, headers and, for {@link Transport.send}, the body. */
  readonly requestTimeoutMs: number;
  /** Largest body that {@link Transport.send} takes. */
  readonly maxBodyBytes?: number;
  /** Told of each exchange, for counting. Must not throw. */
  readonly onAnswer?: OnAnswer | undefined;
}

/** One exchange: what was asked and the status that came, or that none did. One that the caller gave up is not told. */
export type OnAnswer = (answer: {
  readonly method: HttpRequest['method'];
  readonly status: number | 'unreachable';
}) => void;

/** A request without an answer for so long, and nothing else heard meanwhile. */
const deafAfterMs = 3000;

/** JavaScript strings hold little more (2^29 - 24 characters). */
const defaultMaxBodyBytes = 500 * 1024 * 1024;

export function transport(options: TransportOptions): Transport {
  const { credentials, clock, requestTimeoutMs, maxBodyBytes = defaultMaxBodyBytes, onAnswer } = options;
  const server = new URL(options.server);
  const pool = agentPool(server);
  /** When the server last said something, on whatever connection. */
  let heardAt = clock.monotonic();

  async function* heard(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of body) {
      heardAt = clock.monotonic();
      yield chunk;
    }
  }

  async function exchange(request: HttpRequest, connection: Connection, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(server.pathname.replace(/\/$/, '') + request.path, server);
    const send = server.protocol === 'http:' ? httpRequest : httpsRequest;
    const headers = {
      ...connection.headers,
      Accept: 'application/json',
      'User-Agent': options.userAgent,
      ...(request.body === undefined
        ? {}
        : {
            'Content-Type': request.contentType ?? 'application/json',
            'Content-Length': Buffer.byteLength(request.body),
          }),
    };
    const { method } = request;
    return await new Promise((resolve, reject) => {
      let isAnswered = false;
      const outgoing = send(url, { method, headers, agent: pool.agentFor(connection), signal }, (head) => {
        heardAt = clock.monotonic();
        isAnswered = true;
        onAnswer?.({ method, status: head.statusCode ?? 0 });
        resolve(head);
      });
      outgoing.on('error', (error) => {
        const isGivenUp = signal.aborted && !(signal.reason instanceof DeadlineExceeded);
        if (!isAnswered && !isGivenUp) onAnswer?.({ method, status: 'unreachable' });
        reject(error);
      });
      outgoing.end(request.body);
    });
  }

  /**
   * Half-open connections tell nobody: where the server has said nothing on any of them since a request was sent, the
   * watches are as dead as the request is, and all of them are given up.
   */
  function dropDeafConnections(sentAt: number): void {
    if (heardAt < sentAt && clock.monotonic() - sentAt >= deafAfterMs) pool.dropConnections();
  }

  /** The answer's head. A 401 is asked once more with renewed credentials: the server has done nothing for it. */
  async function headOf(request: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const first = await exchange(request, await credentials.current(signal), signal);
    if (first.statusCode !== 401 || !credentials.renew()) return first;
    first.resume();
    return await exchange(request, await credentials.current(signal), signal);
  }

  function noAnswer(request: HttpRequest, error: unknown): NoAnswer {
    const late = error instanceof DeadlineExceeded;
    const reason = late ? `no answer within ${formatDuration(requestTimeoutMs)}` : reasonOf(error);
    return {
      kind: 'unreachable',
      message: `${request.method} ${options.server}${request.path.replace(/\?.*$/, '')}: ${reason}`,
    };
  }

  return {
    async send(request, signal) {
      signal.throwIfAborted();
      const deadline = clock.deadline(requestTimeoutMs, signal);
      const sentAt = clock.monotonic();
      try {
        const head = await headOf(request, deadline.signal);
        const body = await bodyOf(heard(head), maxBodyBytes);
        return { kind: 'answer', status: head.statusCode ?? 0, retryAfterSeconds: retryAfterOf(head), body };
      } catch (error) {
        if (deadline.signal.aborted) dropDeafConnections(sentAt);
        signal.throwIfAborted();
        return noAnswer(request, deadline.signal.aborted ? deadline.signal.reason : error);
      } finally {
        deadline.clear();
      }
    },

    async open(request, signal) {
      signal.throwIfAborted();
      const ended = new AbortController();
      const whole = AbortSignal.any([signal, ended.signal]);
      const deadline = clock.deadline(requestTimeoutMs, whole);
      const sentAt = clock.monotonic();
      const onDeadline = () => {
        ended.abort(deadline.signal.reason);
      };
      deadline.signal.addEventListener('abort', onDeadline, { once: true });
      try {
        const head = await headOf(request, whole);
        const close = () => {
          head.destroy();
        };
        return {
          kind: 'stream',
          status: head.statusCode ?? 0,
          retryAfterSeconds: retryAfterOf(head),
          body: heard(head),
          close,
        };
      } catch (error) {
        if (ended.signal.aborted) dropDeafConnections(sentAt);
        signal.throwIfAborted();
        return noAnswer(request, ended.signal.aborted ? ended.signal.reason : error);
      } finally {
        deadline.signal.removeEventListener('abort', onDeadline);
        deadline.clear();
      }
    },

    close() {
      pool.dropConnections();
    },
  };
}

async function bodyOf(head: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of head) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new Error(`the answer is larger than ${String(Math.floor(maxBytes / 1024 / 1024))} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Retry-After in seconds; the date form counts as absent, API servers do not send it. */
function retryAfterOf(head: IncomingMessage): number | undefined {
  const text = head.headers['retry-after'];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Node joins the failures of several addresses in one error without a message of its own. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
