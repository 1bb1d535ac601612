import type { HostPort, HostPorts } from '../host/hostPort.js';
import { defaultHostLayout, type HostLayout } from '../host/jobDirectory.js';
import { knownKeyTypes, parseKnownHosts, type HostIdentity, type KnownHostsFile } from '../host/knownHosts.js';
import type { SshPolicy } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import type { SshTarget, SshTimings } from './target.js';
import { loadCredentials } from './credentials.js';
import type { AccessTo } from './fileAccess.js';
import { checkHostKey } from './hostKeyCheck.js';
import { createLink, type Link } from './link.js';
import type { PlaybookScript } from '../host/hostPrograms.js';
import type { HostDoor } from './runProgram.js';
import { loadPassphrase } from './passphrase.js';
import { createSshHost } from './sshHost.js';

export interface SshHostsOptions {
  readonly policy: SshPolicy;
  /** Text of a file; rejects with the system's error. */
  readonly readFile: (path: string) => Promise<string>;
  /** Who may read a file that holds a secret. */
  readonly accessTo: AccessTo;
  /** Socket of the SSH agent (SSH_AUTH_SOCK). */
  readonly agentSocket: string | undefined;
  readonly clock: Clock;
  /** Told of every known_hosts line that is not understood. */
  readonly onProblem?: (text: string) => void;
  /** 15 s for a connection, a probe every 10 s, broken after 3 without answer. */
  readonly timings?: Partial<SshTimings>;
  /** The longest that one call may take: 60 s. */
  readonly callTimeoutMs?: number;
  readonly layout?: HostLayout;
  /** The playbook's scripts: a host with a restricted key is asked whether it has them. */
  readonly scripts?: readonly PlaybookScript[];
}

const defaultTimings: SshTimings = { connectTimeoutMs: 15_000, keepaliveIntervalMs: 10_000, keepaliveCount: 3 };

/**
 * The hosts behind the nodes, over SSH. Reads known_hosts and the private key once; connects to a host when it is
 * first asked, one connection a host, through the bastion where there is one.
 *
 * @throws TurnusError where a known_hosts file is missing (`known-hosts-missing`, `known-hosts-unreadable`) or nothing
 * can prove us (`identity-…`, see `loadCredentials` and `loadPassphrase`).
 */
export async function createSshHosts(options: SshHostsOptions): Promise<HostPorts> {
  const { policy, readFile, accessTo, agentSocket, clock } = options;
  const files = await Promise.all(policy.knownHosts.map((path) => readKnownHosts(path, readFile)));
  for (const { where, message } of files.flatMap((file) => file.problems)) {
    options.onProblem?.(`${where}: ${message}; the line is not used.`);
  }
  const { identity, identityPassphrase } = policy;
  const where = 'spec.host.ssh.identity in the playbook';
  const credentials = await loadCredentials({
    identities: identity === undefined ? [] : [{ path: identity, where, replaceable: false }],
    passphrase:
      identityPassphrase === undefined ? undefined : await loadPassphrase(identityPassphrase, readFile, accessTo),
    readFile,
    accessTo,
    agentSocket,
  });
  const timings = { ...defaultTimings, ...options.timings };

  const linkTo = (machine: { name: string; host: string; port: number; user: string }, bastion?: Link): Link =>
    createLink({
      target: targetOf(machine, { files, fingerprints: policy.fingerprints }),
      credentials,
      timings,
      bastion,
    });
  const bastion = policy.bastion === undefined ? undefined : linkTo({ ...policy.bastion, name: policy.bastion.host });
  const door: HostDoor = policy.restricted
    ? { kind: 'restricted' }
    : { kind: 'shell', sudo: policy.sudo && policy.user !== 'root' };
  const hosts = new Map<string, HostPort>();

  return {
    hostOf(node) {
      const key = `${node.name} ${node.address}`;
      const known = hosts.get(key);
      if (known !== undefined) return known;
      const link = linkTo({ name: node.name, host: node.address, port: policy.port, user: policy.user }, bastion);
      const host = createSshHost({
        link,
        layout: options.layout ?? defaultHostLayout,
        clock,
        door,
        scripts: options.scripts ?? [],
        callTimeoutMs: options.callTimeoutMs ?? 60_000,
      });
      hosts.set(key, host);
      return host;
    },
    close() {
      for (const host of hosts.values()) host.disconnect();
      bastion?.drop();
    },
  };
}

function targetOf(
  machine: { name: string; host: string; port: number; user: string },
  known: { files: readonly KnownHostsFile[]; fingerprints: Readonly<Record<string, string>> },
): SshTarget {
  const { name, host, port, user } = machine;
  const { files, fingerprints } = known;
  const identity: HostIdentity = { names: name === host ? [host] : [host, name], port };
  const place = `${host} port ${String(port)}`;
  const label = name === host ? place : `${name} (${place})`;
  const pinned = Object.hasOwn(fingerprints, name) ? fingerprints[name] : undefined;
  return {
    label,
    host,
    port,
    user,
    keyTypes: knownKeyTypes(files, identity),
    checkKey: (key) => checkHostKey({ files, host: identity, pinned, key, label }),
  };
}

async function readKnownHosts(path: string, readFile: (path: string) => Promise<string>): Promise<KnownHostsFile> {
  try {
    return parseKnownHosts(await readFile(path), path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const isMissing = code === 'ENOENT';
    throw new TurnusError({
      code: isMissing ? 'known-hosts-missing' : 'known-hosts-unreadable',
      message: isMissing
        ? `The known_hosts file ${path} is not there`
        : `The known_hosts file ${path} cannot be read (${code})`,
      hint: `Correct spec.host.ssh.knownHosts in the playbook, or ${isMissing ? 'make the file with one line for each host key that you have compared' : 'let this user read the file'}.`,
      cause: error,
    });
  }
}
