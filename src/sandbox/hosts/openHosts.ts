import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { knownHostsLine } from '../../host/knownHosts.js';
import { TurnusError } from '../../turnusError.js';
import type { Machine } from '../simulatedCluster.js';
import type { Timeline } from '../timeline.js';
import { hasCode, listenAtOnePort } from './commonPort.js';
import { createKeyPair, readKey, type KeyPair } from './keyPair.js';
import { createSandboxHost, type OwnedHost, type SandboxHost } from './sandboxHost.js';

/** The machines behind the nodes of a sandbox. */
export interface SandboxHosts {
  /** Of every host's SSH server. */
  readonly port: number;
  /** The private key that may log in, in OpenSSH form. */
  readonly clientKey: string;
  /** A line for each host's key. */
  readonly knownHosts: string;
  readonly hosts: readonly SandboxHost[];
  /** Undefined where there is none of this name. */
  host(node: string): SandboxHost | undefined;
  /** Ends every connection, process and timer, and removes every host's directory. May be called twice. */
  close(): Promise<void>;
}

/** Linux answers on every address of 127/8; each host of a sandbox has one of its own there, and all the same port. */
export function loopbackAddress(index: number): string {
  return `127.77.${String(Math.floor(index / 254))}.${String((index % 254) + 1)}`;
}

/** `maintenance` needs sudo to be root. */
const defaultUsers = ['root', 'maintenance'];
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Opens an SSH server for each node, with a host key of its own. Commands are real ones, with the rights of the user who
 * runs the sandbox: the stand-ins are found by name, but a script that names `/sbin/reboot` by its path, or sets its
 * own PATH, means the machine.
 *
 * @throws TurnusError `sandbox-hosts-need-linux`, `sandbox-directory-unfit`, `sandbox-host-exists`,
 * `sandbox-programs-not-found`, `sandbox-key-unreadable`, `sandbox-port-taken`, `sandbox-address-missing`
 */
export async function openHosts(options: {
  /** Each host gets a directory in it, named after its node. Made where it is missing. */
  readonly directory: string;
  readonly timeline: Timeline;
  readonly nodes: readonly { readonly name: string; readonly address: string; readonly kernel?: string }[];
  readonly machineOf: (node: string) => Machine;
  /** From going down to the answer of the new boot, milliseconds. */
  readonly bootMs: number;
  /** Private, OpenSSH form; a new one where absent. */
  readonly clientKey?: string;
  /** One that is free on every address where absent. */
  readonly port?: number;
  readonly users?: readonly string[];
  /** Where the machine's programs are (PATH), for the host's shell. */
  readonly path?: string;
}): Promise<SandboxHosts> {
  const { directory, nodes } = options;
  checkPlace(directory);
  const client = options.clientKey ?? createKeyPair().private;
  const clientKey = readKey(client);
  if (clientKey === undefined) {
    throw new TurnusError({
      code: 'sandbox-key-unreadable',
      message: 'The key that may log in to the hosts of the sandbox cannot be read',
      hint: 'Give an OpenSSH private key without a passphrase.',
    });
  }
  await mkdir(directory, { recursive: true });
  const hosts: OwnedHost[] = [];
  const keys = new Map<string, KeyPair>();
  const closeAll = async () => {
    const closed = await Promise.allSettled(hosts.map((host) => host.close()));
    for (const result of closed) if (result.status === 'rejected') throw result.reason;
  };
  try {
    for (const { name, ...node } of nodes) {
      const key = createKeyPair();
      keys.set(name, key);
      const host = await createSandboxHost({
        ...node,
        name,
        directory: join(directory, name),
        hostKey: key.private,
        clientKey,
        users: options.users ?? defaultUsers,
        path: options.path ?? defaultPath,
        machine: options.machineOf(name),
        timeline: options.timeline,
        bootMs: options.bootMs,
      }).catch((error: unknown) => {
        throw hasCode(error, 'EEXIST') ? hostExists(join(directory, name), error) : error;
      });
      hosts.push(host);
    }
    const port = await listenAtOnePort(hosts, options.port);
    const lineOf = ({ name, address }: SandboxHost) => {
      const key = readKey(keys.get(name)?.public ?? '');
      return key === undefined ? '' : `${knownHostsLine({ names: [address], port }, key.getPublicSSH())}\n`;
    };
    return {
      port,
      clientKey: client,
      knownHosts: hosts.map(lineOf).join(''),
      hosts,
      host: (node) => hosts.find(({ name }) => name === node),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The directory becomes part of PATH and of Turnus' programs for the host, where it stands in single quotes. */
function checkPlace(directory: string): void {
  if (process.platform !== 'linux') {
    throw new TurnusError({
      code: 'sandbox-hosts-need-linux',
      message: `The hosts of the sandbox need Linux (/proc, setsid, addresses of 127.0.0.0/8), and this is ${process.platform}`,
      hint: 'Run the sandbox in a Linux container or virtual machine; WSL will do.',
    });
  }
  if (/^\/[\w.,@+~%=/ -]*$/.test(directory)) return;
  throw new TurnusError({
    code: 'sandbox-directory-unfit',
    message: `The hosts of the sandbox cannot live in ${JSON.stringify(directory)}`,
    hint: 'Use an absolute path of letters, digits, spaces and . , @ + ~ % = - _',
  });
}

function hostExists(directory: string, cause: unknown): TurnusError {
  return new TurnusError({
    code: 'sandbox-host-exists',
    message: `The directory ${directory} is there already`,
    hint: 'Is another sandbox using it? If none is, remove it.',
    cause,
  });
}
