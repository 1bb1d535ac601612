import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { maximumNodes, ports, reserveAddresses } from './addresses.js';
import type { ClusterAddresses } from './addresses.js';
import { ensureBinaries } from './binaries.js';
import { kwokArgs } from './componentArgs.js';
import { startControlPlane, untilHealthy } from './controlPlane.js';
import type { ControlPlane } from './controlPlane.js';
import { nodeObject } from './nodes.js';
import type { Node } from './objects.js';
import { isTrue } from './objects.js';
import { keepAsked } from './rights/asked.js';
import { TestbedError } from './testbedError.js';
import { waitFor } from './waitFor.js';
import { createWorkDirectory } from './workDirectory.js';

export interface ClusterOptions {
  /** Number of nodes, `node-1` to `node-N`; 6. */
  nodes?: number;
  /** Number of zones, `zone-a`, `zone-b`, ..., dealt out in turn; 3. */
  zones?: number;
  /** Changes a node before it is created: labels, taints, capacity. */
  customize?: (node: Node, number: number) => void;
}

/** A cluster of real control plane and played nodes, for one test file or one engineer. */
export interface Cluster extends Omit<ControlPlane, 'stop'> {
  /** UID of the namespace kube-system, by which a cluster is known. */
  readonly uid: string;
  readonly nodeNames: string[];
  /** A directory of this cluster for whatever a test writes; it goes with the cluster. */
  readonly directory: string;
  /** Creates the namespace and waits until pods can be created in it. */
  createNamespace(name: string, labels?: Record<string, string>): Promise<void>;
  /** Waits until the node's Ready condition is True. */
  untilNodeReady(name: string, timeoutMs?: number): Promise<Node>;
  /** Total loss of a kubelet: its lease is no longer renewed (after 40 s the node is Unknown); and its return. */
  silenceKubelet(node: string): Promise<void>;
  restoreKubelet(node: string): Promise<void>;
  /** Runs before the control plane ends, last registered first. */
  onStop(action: () => Promise<void>): void;
  stop(): Promise<void>;
}

const kwokLabel = 'kwok.x-k8s.io/node';

/** Starts a cluster and returns when all nodes are Ready (about 4 s). `stop` leaves no process and no file. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { nodes = 6, zones = 3, customize } = options;
  if (nodes > maximumNodes) throw new TestbedError(`A test cluster has at most ${maximumNodes} nodes`);
  const binaries = await ensureBinaries();
  const work = await createWorkDirectory();
  const releases: (() => Promise<void>)[] = [() => work.remove()];
  const stop = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let action = releases.pop(); action !== undefined; action = releases.pop()) {
      await action().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, 'The test cluster did not stop cleanly');
  };

  try {
    const addresses = await reserveAddresses();
    releases.push(() => addresses.release());
    const controlPlane = await startControlPlane({
      binaries,
      directory: work.path,
      etcdDirectory: work.memoryPath,
      address: addresses.controlPlane,
    });
    releases.push(() => controlPlane.stop());
    releases.push(() => keepAsked(() => controlPlane.auditLog()));
    const { api } = controlPlane;
    await startKwok(controlPlane, addresses);

    const nodeNames: string[] = [];
    for (let number = 1; number <= nodes; number += 1) {
      const node = nodeObject({ number, zones, address: addresses.node(number) });
      customize?.(node, number);
      await api.create(node);
      nodeNames.push(node.metadata.name);
    }
    const untilNodeReady = async (name: string, timeoutMs = 30_000): Promise<Node> =>
      await waitFor({
        what: `node ${name} Ready`,
        timeoutMs,
        probe: async () => {
          const node = await api.get({ kind: 'Node', name });
          return isTrue(node, 'Ready') ? node : undefined;
        },
      });
    const untilPodsCanBeCreated = async (namespace: string): Promise<void> => {
      await waitFor({
        what: `service account default in namespace ${namespace}`,
        probe: () => api.find({ kind: 'ServiceAccount', namespace, name: 'default' }),
      });
    };
    for (const name of nodeNames) await untilNodeReady(name);
    await untilPodsCanBeCreated('default');

    const directory = join(work.path, 'test');
    await mkdir(directory);
    const setKwokLabel = async (node: string, value: string | null): Promise<void> => {
      await api.patch({ kind: 'Node', name: node }, { body: { metadata: { labels: { [kwokLabel]: value } } } });
    };
    return {
      ...controlPlane,
      uid: (await api.get({ kind: 'Namespace', name: 'kube-system' })).metadata.uid ?? '',
      nodeNames,
      directory,
      createNamespace: async (name, labels = {}) => {
        await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
        await untilPodsCanBeCreated(name);
      },
      untilNodeReady,
      silenceKubelet: (node) => setKwokLabel(node, null),
      restoreKubelet: (node) => setKwokLabel(node, 'fake'),
      onStop: (action) => {
        releases.push(action);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startKwok(controlPlane: ControlPlane, addresses: ClusterAddresses): Promise<void> {
  const kwok = await controlPlane.start(
    'kwok',
    kwokArgs({
      address: addresses.controlPlane,
      kubeconfigPath: await controlPlane.kubeconfigFor('system:kwok'),
      configPath: join(dirname(fileURLToPath(import.meta.url)), 'kwok.yaml'),
    }),
  );
  await untilHealthy(kwok, `http://${addresses.controlPlane}:${ports.kwok}/healthz`);
}
