import type { Cluster } from '../cluster.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { updateScript } from './updateScript.js';

/** How much Turnus verifies: what the loop does (the node is Ready with a new boot), or what it does unasked. */
export type Verification = 'as the loop' | 'defaults';

/** Fields of `spec`; undefined leaves a field to its default. */
const verifications: Readonly<Record<Verification, Readonly<Record<string, unknown>>>> = {
  'as the loop': {
    drain: { timeout: '5m', waitForReplacements: false },
    health: { consecutive: 1, interval: '500ms', timeout: '5m', daemonSets: false },
    settle: { time: '0s', timeout: '5m' },
  },
  defaults: { drain: undefined, health: undefined, settle: undefined },
};

/** The same script, reboot and nodes as those of the loop. */
export async function writeRollPlaybook(options: {
  cluster: Cluster;
  hosts: Hosts;
  verification: Verification;
  singletons?: 'surge';
  concurrency?: number;
}): Promise<string> {
  const { cluster, hosts, verification, singletons, concurrency } = options;
  return await writePlaybook({
    cluster,
    hosts,
    script: updateScript,
    spec: {
      ...verifications[verification],
      ...(singletons === undefined ? {} : { gates: { replicaSpread: { singletons } } }),
      ...(concurrency === undefined ? {} : { nodes: { concurrency, maxUnavailable: concurrency } }),
    },
  });
}
