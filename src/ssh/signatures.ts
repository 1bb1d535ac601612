import ssh2, { type BaseAgent, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2';

/** What stands in the error of a signature that is refused here. */
export const sha1Refused = 'a signature with SHA-1 was asked for';

/**
 * The key, but it signs nothing with SHA-1: ssh2 falls back to that (`ssh-rsa`, RFC 4253) with RSA keys where a server
 * does not say that it knows better (RFC 8308, `server-sig-algs`).
 */
export function withoutSha1(key: ParsedKey): ParsedKey {
  const sign = (data: Buffer | string, hash?: string): Buffer | Error =>
    usesSha1(key, hash) ? new Error(sha1Refused) : key.sign(data, hash);
  return Object.assign(Object.create(key) as ParsedKey, { sign });
}

/** The SSH agent at a socket, never asked for a signature with SHA-1. */
export function agentWithoutSha1(socketPath: string): BaseAgent {
  const agent = ssh2.createAgent(socketPath);
  const sign = agent.sign.bind(agent) as Sign;
  const guarded: Sign = (key, data, options, done) => {
    if (usesSha1(key, options.hash)) done(new Error(sha1Refused));
    else sign(key, data, options, done);
  };
  return Object.assign(agent, { sign: guarded });
}

type Sign = (key: ParsedKey, data: Buffer, options: SigningRequestOptions, done: SignCallback) => void;

/** Without a hash ssh2 takes SHA-1 for RSA keys; other types have one of their own. */
function usesSha1(key: ParsedKey, hash: string | undefined): boolean {
  return key.type === 'ssh-rsa' && (hash === undefined || hash === 'sha1');
}
