import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { ports } from '../cluster/addresses.js';
import { startCluster } from '../cluster/cluster.js';
import type { Cluster } from '../cluster/cluster.js';
import { nodePower } from '../cluster/hosts/nodePower.js';
import { startHosts } from '../cluster/hosts/startHosts.js';
import { installTurnus } from '../cluster/runReport.js';
import { startTurnus } from '../cluster/turnus.js';
import type { MaintainedSide, Side, SideOptions } from './side.js';

/** The real control plane, with kubelets played by kwok. */
export async function openRealSide({ nodes }: SideOptions): Promise<Side> {
  return sideOf(await startCluster({ nodes }));
}

/** The same with real sshd, and the compiled Turnus. */
export async function openRealMaintainedSide({ nodes }: SideOptions): Promise<MaintainedSide> {
  const cluster = await startCluster({ nodes });
  const hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  const home = '/root';
  return {
    ...sideOf(cluster),
    hosts: {
      ...hosts,
      host: (name) => {
        const host = hosts.host(name);
        return {
          node: name,
          get bootId() {
            return host.bootId;
          },
          counter: async (file) => linesOf(await host.readFile(`${home}/${file}`)),
          put: (file) => writeFile(host.pathOnDisk(`${home}/${file}`), ''),
        };
      },
    },
    turnus: (args) => startTurnus(args, { kubeconfig: cluster.kubeconfigPath }),
  };
}

function sideOf(cluster: Cluster): Side {
  const stopping = new AbortController();
  const { signal } = stopping;
  return {
    ...cluster,
    name: 'real control plane',
    machine: (node) => {
      const power = nodePower({ api: cluster.api, node });
      return {
        goDown: () => power.lose({ bootId: randomUUID(), bootDelayMs: 0, holdDown: true, signal }),
        boot: async () => {
          await power.release(signal);
          await cluster.untilNodeReady(node);
          await power.restartPods(signal);
        },
      };
    },
    forgetHistory: async () => {
      await compact(cluster);
      // The watch cache would still remember.
      await cluster.restartApiServer();
    },
    stop: async () => {
      stopping.abort();
      await cluster.stop();
    },
  };
}

/** As kube-apiserver does every five minutes, by the gateway of etcd. */
async function compact({ api, server }: Cluster): Promise<void> {
  const { resourceVersion } = await api.listWithVersion({ kind: 'Namespace' });
  const answer = await fetch(`http://${new URL(server).hostname}:${String(ports.etcd)}/v3/kv/compaction`, {
    method: 'POST',
    body: JSON.stringify({ revision: resourceVersion, physical: true }),
  });
  if (!answer.ok) throw new Error(`etcd does not compact: ${await answer.text()}`);
}

/** How many lines a file has that counts by lines. */
export function linesOf(content: string | undefined): number {
  return (content ?? '').split('\n').filter((line) => line !== '').length;
}
