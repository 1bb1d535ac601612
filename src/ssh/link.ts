import type { Duplex } from 'node:stream';
import pRetry from 'p-retry';
import type { Client } from 'ssh2';
import type { HostAnswer, HostFailure } from '../host/hostPort.js';
import { connect } from './connect.js';
import { oneLine } from './connectFailure.js';
import type { SshTarget, SshTimings } from './target.js';
import type { SshCredentials } from './credentials.js';

export interface OpenLink {
  readonly client: Client;
  /** Of the host key that was verified. */
  readonly fingerprint: string;
}

/** One connection to one machine: made when it is first needed, kept, and made anew after it broke. */
export interface Link {
  readonly label: string;
  /** Rejects with the signal's reason when that aborts; the connection then goes on for others who wait for it. */
  open(signal: AbortSignal): Promise<HostAnswer<OpenLink>>;
  /** Ends the connection, also one that is being made. */
  drop(): void;
}

/** What proves us to the machine, or why nothing does. */
export type CredentialsAnswer = { readonly kind: 'ok'; readonly value: SshCredentials } | HostFailure;

export function createLink(request: {
  readonly target: SshTarget;
  /** Asked for at each attempt to connect. */
  readonly credentials: () => Promise<CredentialsAnswer>;
  readonly timings: SshTimings;
  /** Where the host is reached through another one: that one, the last of several. */
  readonly bastion?: Link | undefined;
  /** It is itself a bastion: the link behind it says on the way to whom it failed. */
  readonly isBastion?: boolean;
}): Link {
  const { target, bastion } = request;
  let current: Attempt | undefined;

  const start = (): Attempt => {
    const abandon = new AbortController();
    const attempt: Attempt = { abandon, waiting: 0, client: undefined, answer: establish(request, abandon.signal) };
    const forget = () => {
      if (current === attempt) current = undefined;
    };
    attempt.answer = attempt.answer.then((answer) => {
      if (answer.kind !== 'ok') forget();
      else {
        attempt.client = answer.value.client;
        answer.value.client.once('close', forget).once('end', forget);
        if (abandon.signal.aborted) answer.value.client.destroy();
      }
      return answer;
    });
    attempt.answer.catch(forget);
    return attempt;
  };

  return {
    label: target.label,
    async open(signal) {
      signal.throwIfAborted();
      const attempt = (current ??= start());
      attempt.waiting += 1;
      try {
        return await orAborted(attempt.answer, signal);
      } finally {
        attempt.waiting -= 1;
        if (attempt.waiting === 0 && attempt.client === undefined) {
          if (current === attempt) current = undefined;
          attempt.abandon.abort(new Error('nobody waits for the connection any more'));
        }
      }
    },
    drop() {
      const attempt = current;
      current = undefined;
      attempt?.abandon.abort(new Error(`the connection to ${target.label} was ended`));
      attempt?.client?.end();
      attempt?.client?.destroy();
    },
  };

  async function establish(
    parts: Parameters<typeof createLink>[0],
    signal: AbortSignal,
  ): Promise<HostAnswer<OpenLink>> {
    const credentials = await orAborted(parts.credentials(), signal);
    if (credentials.kind !== 'ok') return credentials;
    try {
      return await pRetry(
        async () => {
          const stream = bastion === undefined ? undefined : await throughBastion(bastion, parts, signal);
          if (stream?.kind === 'failed') {
            const { failure } = stream;
            if (parts.isBastion === true) return failure;
            return { ...failure, message: `On the way to ${parts.target.label}: ${failure.message}` };
          }
          const answer = await connect({ ...parts, credentials: credentials.value, stream: stream?.stream }, signal);
          if (answer.kind === 'ok')
            return { kind: 'ok', value: { client: answer.client, fingerprint: answer.fingerprint } };
          if (answer.transient) throw new TransientFailure(answer.failure);
          return answer.failure;
        },
        {
          retries: 2,
          minTimeout: 250,
          maxTimeout: 1000,
          signal,
          shouldRetry: ({ error }) => error instanceof TransientFailure,
        },
      );
    } catch (error) {
      if (error instanceof TransientFailure) return error.failure;
      throw error;
    }
  }
}

interface Attempt {
  readonly abandon: AbortController;
  /** Callers that wait for the answer. */
  waiting: number;
  client: Client | undefined;
  answer: Promise<HostAnswer<OpenLink>>;
}

/** Connecting is the one thing that is tried again at once: nothing has been said to the host yet. */
class TransientFailure extends Error {
  constructor(readonly failure: HostFailure) {
    super(failure.message);
  }
}

type StreamAnswer =
  | { readonly kind: 'ok'; readonly stream: Duplex }
  | { readonly kind: 'failed'; readonly stream?: undefined; readonly failure: HostFailure };

/** A stream from the bastion to the target. Opening it may take as long as a connection may. */
async function throughBastion(
  bastion: Link,
  { target, timings }: { readonly target: SshTarget; readonly timings: SshTimings },
  signal: AbortSignal,
): Promise<StreamAnswer> {
  const opened = await bastion.open(signal);
  if (opened.kind !== 'ok') return { kind: 'failed', failure: opened };
  let isOver = false;
  let patience: NodeJS.Timeout | undefined;
  const forwarded = new Promise<StreamAnswer>((resolve) => {
    const refused = (reason: string) => {
      const message = `The bastion ${bastion.label} opened no way to ${target.label}: ${oneLine(reason.replace(/^\(SSH\) /, ''))}.`;
      resolve({ kind: 'failed', failure: { kind: 'unreachable', message } });
    };
    patience = setTimeout(() => {
      refused(`nobody answered there within ${String(timings.connectTimeoutMs / 1000)} s`);
    }, timings.connectTimeoutMs);
    try {
      opened.value.client.forwardOut('127.0.0.1', 0, target.host, target.port, (error, stream) => {
        if (error !== undefined) refused(error.message);
        else if (isOver) stream.destroy();
        else resolve({ kind: 'ok', stream });
      });
    } catch (error) {
      refused(error instanceof Error ? error.message : String(error));
    }
  });
  try {
    return await orAborted(forwarded, signal);
  } finally {
    isOver = true;
    clearTimeout(patience);
  }
}

/** The promise, or the signal's reason if that aborts first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
