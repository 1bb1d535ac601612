import type { HostFailure } from '../host/hostPort.js';
import type { SshTarget } from './target.js';
import type { SshCredentials } from './credentials.js';
import { sha1Refused } from './signatures.js';

/** Disconnect reason of a server that has seen too many keys (RFC 4253, 11.1; OpenSSH sends 2 for it). */
const protocolErrorReason = 2;

/** An error of ssh2 before the login, as an answer: ssh2 says in `level` where it arose. */
export function connectFailure(failed: {
  readonly error: Error & { readonly level?: string; readonly code?: unknown };
  readonly target: SshTarget;
  readonly credentials: SshCredentials;
  readonly agentProblem: string | undefined;
}): { failure: HostFailure; transient: boolean } {
  const { error, target, credentials, agentProblem } = failed;
  if (error.message.includes(sha1Refused)) {
    const message = `${target.label} takes an RSA key only with a SHA-1 signature, which Turnus never makes: log in with an ed25519 key, or update its SSH server.`;
    return { failure: { kind: 'login-refused', message }, transient: false };
  }
  const tooManyKeys = error.code === protocolErrorReason && /authentication/i.test(error.message);
  if (error.level === 'client-authentication' || tooManyKeys) {
    const agent = agentProblem === undefined ? '' : `, and the agent did not work (${oneLine(agentProblem)})`;
    const message = `${target.label} refused the login of user ${target.user} with ${credentials.description}${agent}: put the public key into that user's authorized_keys there.`;
    return { failure: { kind: 'login-refused', message }, transient: false };
  }
  const unreachable = (message: string, transient: boolean) => ({
    failure: { kind: 'unreachable', message } as const,
    transient,
  });
  if (error.level === 'client-timeout')
    return unreachable(`${target.label} did not answer in time: is it up, and is the port open?`, false);
  if (error.level === 'handshake') {
    return unreachable(
      `${target.label} and Turnus share no way to encrypt (${oneLine(error.message)}): update its SSH server.`,
      false,
    );
  }
  switch (error.code) {
    case 'ECONNREFUSED':
      return unreachable(`${target.label} refused the connection: is its SSH server running on this port?`, true);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return unreachable(
        `The name of ${target.label} cannot be resolved: correct the node's address or the DNS.`,
        false,
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return unreachable(`There is no route to ${target.label}.`, false);
    default:
      return unreachable(`No connection to ${target.label}: ${oneLine(error.message)}.`, error.code === 'ECONNRESET');
  }
}

/** Text of others, fit for one sentence. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 200);
}
