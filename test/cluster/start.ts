import { parseArgs } from 'node:util';
import { startCluster } from './cluster.js';
import { startHosts } from './hosts/startHosts.js';
import { writePlaybook } from './playbook.js';
import { TestbedError } from './testbedError.js';
import { createReady } from './waitForReady.js';
import { daemonSet, deployment, disruptionBudget, statefulSet } from './workloads.js';

const usage = `A cluster to try Turnus on, until Ctrl-C.
  npx tsx test/cluster/start.ts [--nodes 6] [--zones 3] [--workloads] [--boot-delay-ms 1500]`;

/** Starts a cluster with hosts, says how to reach it, and stays until it is interrupted. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '6' },
      zones: { type: 'string', default: '3' },
      workloads: { type: 'boolean', default: false },
      'boot-delay-ms': { type: 'string', default: '1500' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
  const cluster = await startCluster({ nodes: Number(values.nodes), zones: Number(values.zones) });
  try {
    const hosts = await startHosts({ cluster, bootDelayMs: Number(values['boot-delay-ms']) });
    if (values.workloads) await createReady(cluster.api, sampleWorkloads());
    const [first] = hosts.all();
    console.log(`export KUBECONFIG=${cluster.kubeconfigPath}`);
    console.log(`# server       ${cluster.server}, uid ${cluster.uid}, ${cluster.nodeNames.length} nodes`);
    console.log(`# known hosts  ${hosts.knownHostsPath}`);
    console.log(`# key          ${hosts.identityPath} (users root and maintenance)`);
    console.log(`# playbook     ${await writePlaybook({ cluster, hosts })}`);
    const options = `-i ${hosts.identityPath} -o UserKnownHostsFile=${hosts.knownHostsPath} -p ${hosts.port}`;
    console.log(`# a host       ssh ${options} root@${first?.address ?? ''}`);
    console.log('# Ctrl-C ends it all');
    await interrupted;
  } finally {
    await cluster.stop();
  }
}

function sampleWorkloads(): Parameters<typeof createReady>[1] {
  return [
    disruptionBudget({ name: 'shop', maxUnavailable: 1 }),
    deployment({ name: 'shop', replicas: 4, spread: { over: 'zone', mode: 'prefer' } }),
    deployment({ name: 'unprotected', replicas: 2 }),
    deployment({ name: 'singleton', replicas: 1 }),
    disruptionBudget({ name: 'database', minAvailable: 2 }),
    statefulSet({ name: 'database', replicas: 3, onePerNode: true, stopMs: 1500 }),
    daemonSet({ name: 'agent' }),
  ];
}

main().catch((error: unknown) => {
  console.error(error instanceof TestbedError ? error.message : error);
  process.exitCode = 1;
});
