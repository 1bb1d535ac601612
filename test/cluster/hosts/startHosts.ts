import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../cluster.js';
import { TestbedError } from '../testbedError.js';
import { Host } from './host.js';
import type { HostOptions } from './host.js';
import { createKeyPair, writeKnownHosts } from './keys.js';
import { nodePower } from './nodePower.js';

export interface HostsOptions extends Pick<HostOptions, 'bootDelayMs' | 'shutdownMs' | 'onReboot' | 'sudo'> {
  cluster: Cluster;
  /** The nodes that get a host; all. */
  nodes?: string[];
}

/** The hosts of a cluster, and what a client needs to reach them. */
export interface Hosts {
  /** Of the key that may log in as root and as maintenance. */
  readonly identityPath: string;
  /** With the keys of all hosts. */
  readonly knownHostsPath: string;
  readonly port: number;
  host(node: string): Host;
  all(): Host[];
}

/** Starts a host behind each node, with the node's address and boot id. They end with the cluster. */
export async function startHosts({ cluster, nodes = cluster.nodeNames, ...options }: HostsOptions): Promise<Hosts> {
  requireHostTools();
  const directory = join(cluster.directory, '..', 'hosts');
  await mkdir(directory, { mode: 0o700 });
  const clientKey = await createKeyPair(join(directory, 'id_ed25519'), 'testbed');
  const hosts = new Map<string, Host>();
  cluster.onStop(async () => {
    await Promise.all([...hosts.values()].map((host) => host.stop()));
  });
  await Promise.all(
    nodes.map(async (node) => {
      const { status } = await cluster.api.get({ kind: 'Node', name: node });
      const address = status.addresses.find(({ type }) => type === 'InternalIP')?.address;
      if (address === undefined) throw new TestbedError(`Node ${node} has no InternalIP`);
      const host = await Host.start({
        ...options,
        node,
        address,
        bootId: status.nodeInfo.bootID,
        directory: join(directory, node),
        clientKey,
        power: nodePower({ api: cluster.api, node }),
      });
      hosts.set(node, host);
    }),
  );
  const knownHostsPath = join(directory, 'known_hosts');
  await writeKnownHosts(knownHostsPath, hosts.values());
  return {
    identityPath: clientKey.privatePath,
    knownHostsPath,
    port: [...hosts.values()][0]?.port ?? 22,
    host: (node) => {
      const host = hosts.get(node);
      if (host === undefined) throw new TestbedError(`Node ${node} has no host`);
      return host;
    },
    all: () => nodes.flatMap((node) => hosts.get(node) ?? []),
  };
}

function requireHostTools(): void {
  const tools = ['/usr/sbin/sshd', '/usr/bin/ssh', '/usr/bin/ssh-keygen', '/usr/bin/unshare', '/usr/bin/setpriv'];
  const missing = tools.filter((tool) => !existsSync(tool));
  if (missing.length > 0) {
    throw new TestbedError(`The test hosts need ${missing.join(', ')}`, {
      hint: 'On Debian and Ubuntu: apt-get install openssh-server openssh-client util-linux',
    });
  }
  if (process.getuid?.() !== 0) {
    throw new TestbedError('The test hosts need root: each has mounts, processes and a host name of its own', {
      hint: 'Run the cluster tests as root, in a virtual machine or a privileged container.',
    });
  }
}
