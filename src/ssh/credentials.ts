import ssh2, { type ParsedKey } from 'ssh2';
import { TurnusError } from '../turnusError.js';
import { refuseOpenSecret, type AccessTo } from './fileAccess.js';
import { withoutSha1 } from './signatures.js';

/** What proves us to a host: private keys, an agent, or both (the keys are tried first, in their order). */
export interface SshCredentials {
  readonly keys: readonly ParsedKey[];
  readonly agentSocket: string | undefined;
  /** For messages: which keys and agent were tried. */
  readonly description: string;
}

/** A file that is said to hold a private key. */
export interface IdentitySource {
  readonly path: string;
  /** Where that is said: a field of the playbook, or a line of an ssh_config file. */
  readonly where: string;
  /** Whether another key or the agent may take its place, as among the IdentityFiles of OpenSSH. */
  readonly replaceable: boolean;
}

/**
 * Reads the private keys. One with a passphrase is opened with `passphrase`, and without one left to the agent.
 *
 * @throws TurnusError `identity-missing`, `identity-unreadable`, `identity-not-private`, `identity-encrypted`,
 * `identity-passphrase-wrong`, `secret-open-to-others`, and `identity-none` where nothing proves us
 */
export async function loadCredentials(sources: {
  readonly identities: readonly IdentitySource[];
  readonly passphrase: string | undefined;
  readonly readFile: (path: string) => Promise<string>;
  readonly accessTo: AccessTo;
  readonly agentSocket: string | undefined;
}): Promise<SshCredentials> {
  const { identities, agentSocket } = sources;
  const used: string[] = [];
  const keys: ParsedKey[] = [];
  const problems: TurnusError[] = [];
  for (const identity of identities) {
    try {
      keys.push(await readKey(identity, sources));
      used.push(identity.path);
    } catch (error) {
      if (!(error instanceof TurnusError)) throw error;
      const leftToAgent = error.code === 'identity-encrypted' && agentSocket !== undefined;
      if (!identity.replaceable && !leftToAgent) throw error;
      problems.push(error);
    }
  }
  if (keys.length === 0 && agentSocket === undefined) throw problems[0] ?? nothingProvesUs();
  return { keys, agentSocket, description: describe(used, agentSocket !== undefined, problems) };
}

function describe(paths: readonly string[], hasAgent: boolean, problems: readonly TurnusError[]): string {
  const files = paths.length === 0 ? [] : [`the key${paths.length > 1 ? 's' : ''} ${paths.join(' and ')}`];
  const parts = [...files, ...(hasAgent ? ['the keys of the SSH agent'] : [])];
  const notes = problems.map(({ message }) => message.charAt(0).toLowerCase() + message.slice(1)).join('; ');
  return `${parts.join(' and ')}${notes === '' ? '' : ` (${notes})`}`;
}

async function readKey(
  identity: IdentitySource,
  sources: {
    readonly passphrase: string | undefined;
    readonly readFile: (path: string) => Promise<string>;
    readonly accessTo: AccessTo;
  },
): Promise<ParsedKey> {
  const { path } = identity;
  const text = await readIdentity(identity, sources.readFile);
  const plain = parsedKey(text);
  if (plain === 'unreadable') throw notPrivate(identity, 'holds no private key that can be read');
  if (plain !== 'encrypted' && !plain.isPrivateKey()) throw notPrivate(identity, 'is a public key');
  await refuseOpenSecret(path, 'The private key', sources.accessTo);
  if (plain !== 'encrypted') return withoutSha1(plain);
  if (sources.passphrase === undefined) throw encrypted(path);
  const opened = parsedKey(text, sources.passphrase);
  if (opened === 'encrypted' || opened === 'unreadable') throw wrongPassphrase(path);
  return withoutSha1(opened);
}

/** ssh2 says only in words whether a key is encrypted. */
function parsedKey(text: string, passphrase?: string): ParsedKey | 'encrypted' | 'unreadable' {
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
  if (parsed instanceof Error) return /encrypted.*no passphrase/i.test(parsed.message) ? 'encrypted' : 'unreadable';
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  return isKey(key) ? key : 'unreadable';
}

function isKey(key: unknown): key is ParsedKey {
  return typeof key === 'object' && key !== null && 'isPrivateKey' in key && typeof key.isPrivateKey === 'function';
}

async function readIdentity(
  { path, where }: IdentitySource,
  readFile: (path: string) => Promise<string>,
): Promise<string> {
  try {
    return await readFile(path);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new TurnusError({
      code: isMissing ? 'identity-missing' : 'identity-unreadable',
      message: isMissing
        ? `The private key ${path} is not there`
        : `The private key ${path} cannot be read (${reasonOf(error)})`,
      hint: `Correct ${where}, or ${isMissing ? 'put the key there' : 'let this user read the file'}.`,
      cause: error,
    });
  }
}

function nothingProvesUs(): TurnusError {
  return new TurnusError({
    code: 'identity-none',
    message: 'The playbook names no private key for SSH and no SSH agent is running',
    hint: 'Set spec.host.ssh.identity to the path of a private key, or start an agent (SSH_AUTH_SOCK) and add the key with ssh-add.',
  });
}

function encrypted(path: string): TurnusError {
  return new TurnusError({
    code: 'identity-encrypted',
    message: `The private key ${path} has a passphrase`,
    hint: `Start an agent and run "ssh-add ${path}", or name a file that holds the passphrase in spec.host.ssh.identityPassphrase.`,
  });
}

function wrongPassphrase(path: string): TurnusError {
  return new TurnusError({
    code: 'identity-passphrase-wrong',
    message: `The passphrase in spec.host.ssh.identityPassphrase does not open the private key ${path}`,
    hint: `Compare with "ssh-keygen -y -f ${path}", which asks for the passphrase, and correct the file.`,
  });
}

function notPrivate({ path, where }: IdentitySource, what: string): TurnusError {
  return new TurnusError({
    code: 'identity-not-private',
    message: `The file ${path} ${what}`,
    hint: `Set ${where} to a private key in OpenSSH or PEM form (the file without .pub).`,
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}
