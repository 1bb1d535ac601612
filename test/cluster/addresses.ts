import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { TestbedError } from './testbedError.js';

/** Ports of the control plane, on an address of its own. */
export const ports = {
  reservation: 16400,
  etcd: 12379,
  etcdPeer: 12380,
  apiServer: 16443,
  controllerManager: 20257,
  scheduler: 20259,
  kwok: 20247,
} as const;

/** Where the hosts' sshd listen, each on its node's address. */
export const sshPort = 2201;

/** The loopback network 127.0.k.0/24 of one cluster: several clusters may run on one machine at the same time. */
export interface ClusterAddresses {
  /** 127.0.k.250 */
  readonly controlPlane: string;
  /** 127.0.k.N of the Nth node, from 1 to {@link maximumNodes}. */
  node(number: number): string;
  release(): Promise<void>;
}

export const maximumNodes = 240;

/** Takes a free 127.0.k.0/24 and keeps it until `release`: a listener on its control plane's address is the lock. */
export async function reserveAddresses(): Promise<ClusterAddresses> {
  const first = Math.floor(Math.random() * 250);
  for (let offset = 0; offset < 250; offset += 1) {
    const network = `127.0.${1 + ((first + offset) % 250)}`;
    const controlPlane = `${network}.250`;
    const lock = await listen(controlPlane, ports.reservation);
    if (lock === undefined) continue;
    if (await areFree(controlPlane)) {
      lock.unref();
      return { controlPlane, node: (number) => `${network}.${number}`, release: () => closed(lock) };
    }
    await closed(lock);
  }
  throw new TestbedError('No network 127.0.k.0/24 is free for a test cluster', {
    hint: `Another program listens on all addresses (0.0.0.0) on one of the ports ${Object.values(ports).join(', ')}.`,
  });
}

async function areFree(address: string): Promise<boolean> {
  for (const port of Object.values(ports)) {
    if (port === ports.reservation) continue;
    const server = await listen(address, port);
    if (server === undefined) return false;
    await closed(server);
  }
  return true;
}

function listen(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ host, port, exclusive: true }, () => {
      resolve(server);
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
