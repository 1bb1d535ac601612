import type { HostPort, HostPorts } from '../host/hostPort.js';
import type { PlaybookScript } from '../host/hostPrograms.js';
import { defaultHostLayout, type HostLayout } from '../host/jobDirectory.js';
import { knownKeyTypes, parseKnownHosts, type HostIdentity, type KnownHostsFile } from '../host/knownHosts.js';
import type { SshPolicy } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import type { AccessTo } from './fileAccess.js';
import { checkHostKey } from './hostKeyCheck.js';
import { openKeyRing } from './keyRing.js';
import { createLink, type Link } from './link.js';
import { loadSshConfig } from './loadSshConfig.js';
import { routeTo, type Machine } from './route.js';
import { createSshHost } from './sshHost.js';
import type { SshTarget, SshTimings } from './target.js';

export interface SshHostsOptions {
  readonly policy: SshPolicy;
  /** Text of a file; rejects with the system's error. */
  readonly readFile: (path: string) => Promise<string>;
  /** Who may read a file that holds a secret. */
  readonly accessTo: AccessTo;
  /** What `~` means in an ssh_config file. */
  readonly homeDirectory: string;
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
 * The hosts behind the nodes, over SSH. Reads known_hosts, the ssh_config file and the private key of the playbook once;
 * connects to a host when it is first asked, one connection a host, through the bastions where there are some.
 *
 * @throws TurnusError where a file is missing or unusable (`known-hosts-…`, `ssh-config-…`) or nothing can prove us
 * (`identity-…`, see `loadCredentials` and `loadPassphrase`). What an ssh_config file says for one host is refused in
 * the answers of that host (`config-refused`).
 */
export async function createSshHosts(options: SshHostsOptions): Promise<HostPorts> {
  const { policy, readFile, clock, homeDirectory } = options;
  const files = await Promise.all(policy.knownHosts.map((path) => readKnownHosts(path, readFile)));
  for (const { where, message } of files.flatMap((file) => file.problems)) {
    options.onProblem?.(`${where}: ${message}; the line is not used.`);
  }
  const config = policy.config === undefined ? undefined : await loadSshConfig(policy.config, options);
  const keyRing = await openKeyRing(options);
  const timings = { ...defaultTimings, ...options.timings };

  const linkTo = (machine: Machine, bastion: Link | undefined, isBastion = false): Link =>
    createLink({
      target: targetOf(machine, { files, fingerprints: policy.fingerprints }),
      credentials: () => keyRing.credentialsFor(machine),
      timings,
      bastion,
      isBastion,
    });
  /** By the whole way to them, in the order in which they were made: each after those that it is reached through. */
  const bastions = new Map<string, Link>();
  const bastionsTo = (machines: readonly Machine[]): Link | undefined => {
    let last: Link | undefined;
    for (const [place, machine] of machines.entries()) {
      const way = JSON.stringify(machines.slice(0, place + 1));
      const link = bastions.get(way) ?? linkTo(machine, last, true);
      bastions.set(way, link);
      last = link;
    }
    return last;
  };
  const hosts = new Map<string, HostPort>();

  return {
    hostOf(node) {
      const key = `${node.name} ${node.address}`;
      const known = hosts.get(key);
      if (known !== undefined) return known;
      const route = routeTo(node, { policy, config, homeDirectory });
      const link =
        route.kind === 'ok' ? linkTo(route.target, bastionsTo(route.bastions)) : closedLink(node.name, route.message);
      const user = route.kind === 'ok' ? route.target.user : policy.user;
      const host = createSshHost({
        link,
        layout: options.layout ?? defaultHostLayout,
        clock,
        door: policy.restricted ? { kind: 'restricted' } : { kind: 'shell', sudo: policy.sudo && user !== 'root' },
        scripts: options.scripts ?? [],
        callTimeoutMs: options.callTimeoutMs ?? 60_000,
      });
      hosts.set(key, host);
      return host;
    },
    close() {
      for (const host of hosts.values()) host.disconnect();
      for (const bastion of [...bastions.values()].reverse()) bastion.drop();
    },
  };
}

/** The way to a host that the configuration does not let us go: every call says why. */
function closedLink(label: string, reason: string): Link {
  const message = `Nothing was sent to ${label}: ${reason}.`;
  return {
    label,
    open: () => Promise.resolve({ kind: 'config-refused', message }),
    drop: () => undefined,
  };
}

function targetOf(
  machine: Machine,
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
