import type { Duplex } from 'node:stream';
import ssh2, { type AgentAuthMethod, type Client, type PublicKeyAuthMethod } from 'ssh2';
import type { HostFailure } from '../host/hostPort.js';
import { algorithmsFor } from './algorithms.js';
import { connectFailure } from './connectFailure.js';
import type { SshCredentials } from './credentials.js';
import type { HostKeyCheck } from './hostKeyCheck.js';
import { agentWithoutSha1 } from './signatures.js';
import type { SshTarget, SshTimings } from './target.js';

export type ConnectAnswer =
  | { readonly kind: 'ok'; readonly client: Client; readonly fingerprint: string }
  /** `transient`: another attempt right away may well succeed. */
  | { readonly kind: 'failed'; readonly failure: HostFailure; readonly transient: boolean };

/** One attempt to log in. Rejects with the signal's reason when that aborts. */
export function connect(
  request: {
    readonly target: SshTarget;
    readonly credentials: SshCredentials;
    readonly timings: SshTimings;
    /** A stream to the host through a bastion, instead of an own connection. */
    readonly stream?: Duplex | undefined;
  },
  signal: AbortSignal,
): Promise<ConnectAnswer> {
  const { target, credentials, timings, stream } = request;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      stream?.destroy();
      reject(signal.reason as Error);
      return;
    }
    const client = new ssh2.Client();
    let keyCheck: HostKeyCheck | undefined;
    let agentProblem: string | undefined;
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      signal.removeEventListener('abort', onAbort);
      return true;
    };
    const fail = (answer: { failure: HostFailure; transient: boolean }): void => {
      if (!settle()) return;
      client.destroy();
      stream?.destroy();
      resolve({ kind: 'failed', ...answer });
    };
    const onAbort = (): void => {
      if (!settle()) return;
      client.destroy();
      stream?.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });

    // This listener stays for the life of the connection: an 'error' without one would end the process.
    client.on('error', (error: Error & { level?: string }) => {
      if (error.level === 'agent') {
        agentProblem = error.message; // the next way to log in is tried
        return;
      }
      if (keyCheck?.kind === 'refused') fail({ failure: keyCheck.failure, transient: false });
      else fail(connectFailure({ error, target, credentials, agentProblem }));
    });
    client.on('close', () => {
      const message = `${target.label} closed the connection before the login was done; look at the log of its SSH server.`;
      fail({ failure: { kind: 'unreachable', message }, transient: true });
    });
    // Our messages are small and wait for answers: Nagle's algorithm would add 40 ms to each.
    client.on('connect', () => client.setNoDelay(true));
    client.on('ready', () => {
      if (keyCheck?.kind !== 'accepted' || !settle()) return;
      resolve({ kind: 'ok', client, fingerprint: keyCheck.fingerprint });
    });
    client.connect({
      host: target.host,
      port: target.port,
      username: target.user,
      readyTimeout: timings.connectTimeoutMs,
      keepaliveInterval: timings.keepaliveIntervalMs,
      keepaliveCountMax: timings.keepaliveCount,
      algorithms: algorithmsFor(target.keyTypes),
      hostVerifier: (key: Buffer) => {
        keyCheck = target.checkKey(key);
        return keyCheck.kind === 'accepted';
      },
      authHandler: waysToLogIn(credentials, target.user),
      ...(stream === undefined ? {} : { sock: stream }),
    });
  });
}

/** The keys first, then the agent; each is tried once. */
function waysToLogIn({ keys, agentSocket }: SshCredentials, username: string) {
  const byKey = keys.map((key): PublicKeyAuthMethod => ({ type: 'publickey', username, key }));
  if (agentSocket === undefined) return byKey;
  const byAgent: AgentAuthMethod = { type: 'agent', username, agent: agentWithoutSha1(agentSocket) };
  return [...byKey, byAgent];
}
