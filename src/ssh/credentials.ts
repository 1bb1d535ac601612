import ssh2 from 'ssh2';
import type { SshPolicy } from '../playbook/playbook.js';
import { TurnusError } from '../turnusError.js';

/** What proves us to a host: a private key, an agent, or both (the key is tried first). */
export interface SshCredentials {
  readonly privateKey: string | undefined;
  readonly agentSocket: string | undefined;
  /** For messages: which key and agent were tried. */
  readonly description: string;
}

/**
 * Reads the playbook's private key. A key with a passphrase is left to the agent.
 *
 * @throws TurnusError `identity-missing`, `identity-unreadable`, `identity-not-private`, `identity-encrypted`,
 * `identity-none`
 */
export async function loadCredentials(sources: {
  readonly policy: Pick<SshPolicy, 'identity'>;
  readonly readFile: (path: string) => Promise<string>;
  readonly agentSocket: string | undefined;
}): Promise<SshCredentials> {
  const { policy, readFile, agentSocket } = sources;
  const agentOnly = { privateKey: undefined, agentSocket, description: 'the keys of the SSH agent' };
  const path = policy.identity;
  if (path === undefined) {
    if (agentSocket !== undefined) return agentOnly;
    throw new TurnusError({
      code: 'identity-none',
      message: 'The playbook names no private key for SSH and no SSH agent is running',
      hint: 'Set spec.host.ssh.identity to the path of a private key, or start an agent (SSH_AUTH_SOCK) and add the key with ssh-add.',
    });
  }
  const text = await readIdentity(path, readFile);
  const parsed: unknown = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) {
    const isEncrypted = /encrypted/i.test(parsed.message);
    if (isEncrypted && agentSocket !== undefined)
      return { ...agentOnly, description: `the keys of the SSH agent (${path} has a passphrase)` };
    throw isEncrypted ? encrypted(path) : notPrivate(path, 'holds no private key that can be read');
  }
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isPrivate(key)) throw notPrivate(path, 'is a public key');
  const description = agentSocket === undefined ? `the key ${path}` : `the key ${path} and the keys of the SSH agent`;
  return { privateKey: text, agentSocket, description };
}

async function readIdentity(path: string, readFile: (path: string) => Promise<string>): Promise<string> {
  try {
    return await readFile(path);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new TurnusError({
      code: isMissing ? 'identity-missing' : 'identity-unreadable',
      message: isMissing
        ? `The private key ${path} is not there`
        : `The private key ${path} cannot be read (${reasonOf(error)})`,
      hint: `Correct spec.host.ssh.identity in the playbook, or ${isMissing ? 'put the key there' : 'let this user read the file'}.`,
      cause: error,
    });
  }
}

function encrypted(path: string): TurnusError {
  return new TurnusError({
    code: 'identity-encrypted',
    message: `The private key ${path} has a passphrase and no SSH agent is running`,
    hint: `Start an agent and run "ssh-add ${path}", or use a key without passphrase that only this user can read.`,
  });
}

function notPrivate(path: string, what: string): TurnusError {
  return new TurnusError({
    code: 'identity-not-private',
    message: `The file ${path} ${what}`,
    hint: 'Set spec.host.ssh.identity to a private key in OpenSSH or PEM form (the file without .pub).',
  });
}

function isPrivate(key: unknown): boolean {
  if (typeof key !== 'object' || key === null || !('isPrivateKey' in key) || typeof key.isPrivateKey !== 'function')
    return false;
  return Reflect.apply(key.isPrivateKey, key, []) === true;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}
