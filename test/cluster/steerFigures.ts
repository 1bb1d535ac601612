import { startCluster, type Cluster } from './cluster.js';
import { startHosts } from './hosts/startHosts.js';
import type { Pod } from './objects.js';
import { writePlaybook } from './playbook.js';
import { evictions, installTurnus } from './runReport.js';
import { buildTurnus, runTurnus } from './turnus.js';
import { createReady } from './waitForReady.js';
import { daemonSet, deployment, disruptionBudget, statefulSet } from './workloads.js';

const usage = `What steering by taints gains: a roll of 12 nodes with and without it, printed, not judged.
  npm run figures:steer -- [--nodes 12] [--zones 3] [--rounds 1] [--steer taint,off]`;

/** Where the pods of the workloads are: `count` by workload, node and zone. */
interface Spread {
  readonly podsOnNode: readonly number[];
  readonly shares: ReadonlyMap<string, { readonly replicas: number; readonly node: number; readonly zone: number }>;
}

interface Figures {
  readonly steer: string;
  readonly round: number;
  readonly seconds: number;
  readonly evictions: number;
  readonly pods: number;
  readonly before: Spread;
  readonly after: Spread;
}

/** 100 pods: 4 of 10 replicas, 6 of 4, 8 of 3, 4 of 2 and 4 singletons; half of them with a budget. */
const sizes = [10, 10, 10, 10, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1];
const workloads = sizes.map((replicas, number) => {
  const options = { name: `w${number}-of-${replicas}`, replicas, startMs: 500 + 100 * (number % 5), stopMs: 300 };
  return number % 7 === 6 ? statefulSet({ ...options, podManagementPolicy: 'Parallel' }) : deployment(options);
});
const budgets = workloads
  .filter(({ spec }, number) => number % 2 === 0 && spec.replicas > 1)
  .map(({ metadata: { name } }) => disruptionBudget({ name, maxUnavailable: 1 }));

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(usage);
    return;
  }
  await buildTurnus();
  for (let round = 1; round <= Number(option('rounds', '1')); round += 1) {
    for (const steer of option('steer', 'off,taint').split(',')) print(await roll(steer, round));
  }
}

async function roll(steer: string, round: number): Promise<Figures> {
  const cluster = await startCluster({ nodes: Number(option('nodes', '12')), zones: Number(option('zones', '3')) });
  try {
    const hosts = await startHosts({ cluster, bootDelayMs: 500 });
    await installTurnus(cluster);
    await createReady(cluster.api, [...workloads, ...budgets, daemonSet({ name: 'agent' })], 120_000);
    const playbook = await writePlaybook({
      cluster,
      hosts,
      spec: {
        nodes: { steer },
        health: { consecutive: 1, interval: '200ms', timeout: '1m' },
        settle: { time: '1s', timeout: '1m' },
      },
    });
    const before = await spreadOf(cluster);
    const begun = performance.now();
    const result = await runTurnus(['run', '-f', playbook, '--yes'], {
      kubeconfig: cluster.kubeconfigPath,
    });
    const seconds = (performance.now() - begun) / 1000;
    if (result.exitCode !== 0) throw new Error(result.stderr.slice(-3000));
    return {
      steer,
      round,
      seconds,
      evictions: (await evictions(cluster)).length,
      pods: before.podsOnNode.reduce((sum, pods) => sum + pods, 0),
      before,
      after: await spreadOf(cluster),
    };
  } finally {
    await cluster.stop();
  }
}

async function spreadOf(cluster: Cluster): Promise<Spread> {
  const nodes = await cluster.api.list({ kind: 'Node' });
  const zoneOf = new Map(
    nodes.map(({ metadata }) => [metadata.name, metadata.labels?.['topology.kubernetes.io/zone'] ?? '']),
  );
  const pods = (await cluster.api.list({ kind: 'Pod', namespace: 'default' })).filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined && metadata.labels?.['app'] !== 'agent',
  );
  const shares = new Map(
    workloads.map(({ metadata: { name } }) => {
      const own = pods.filter(({ metadata }) => metadata.labels?.['app'] === name);
      return [
        name,
        {
          replicas: own.length,
          node: most(own, (pod) => pod.spec.nodeName ?? ''),
          zone: most(own, (pod) => zoneOf.get(pod.spec.nodeName ?? '') ?? ''),
        },
      ] as const;
    }),
  );
  const podsOnNode = nodes.map(({ metadata: { name } }) => pods.filter(({ spec }) => spec.nodeName === name).length);
  return { podsOnNode, shares };
}

/** How many pods are where most of them are. */
function most(pods: readonly Pod[], placeOf: (pod: Pod) => string): number {
  const counts = new Map<string, number>();
  for (const pod of pods) counts.set(placeOf(pod), (counts.get(placeOf(pod)) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

function print({ steer, round, seconds, evictions: moved, pods, before, after }: Figures): void {
  console.log(
    `\nsteer ${steer}, round ${round}: ${moved} evictions of ${pods} pods, ${(moved / pods).toFixed(2)} moves a pod, ${seconds.toFixed(0)} s`,
  );
  for (const [when, spread] of Object.entries({ before, after })) {
    const several = [...spread.shares.values()].filter(({ replicas }) => replicas > 1);
    const mean = (of: 'node' | 'zone') =>
      several.reduce((sum, share) => sum + share[of] / share.replicas, 0) / several.length;
    const gathered = (of: 'node' | 'zone') => several.filter((share) => share[of] === share.replicas).length;
    console.log(
      `  ${when.padEnd(6)}: pods on the fullest node ${Math.max(...spread.podsOnNode)} (${spread.podsOnNode.join(' ')}); ` +
        `largest share of a workload on one node ${percent(mean('node'))}, in one zone ${percent(mean('zone'))} (mean); ` +
        `all on one node ${gathered('node')}, all in one zone ${gathered('zone')}`,
    );
  }
  const heaped = [...after.shares].flatMap(([name, { node, zone }]) => {
    const was = before.shares.get(name) ?? { node: 0, zone: 0 };
    return [
      ...(node > was.node ? [`${name} on a node ${was.node} to ${node}`] : []),
      ...(zone > was.zone ? [`${name} in a zone ${was.zone} to ${zone}`] : []),
    ];
  });
  console.log(`  more gathered than before: ${heaped.length === 0 ? 'none' : heaped.join(', ')}`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function option(name: string, otherwise: string): string {
  const place = process.argv.indexOf(`--${name}`);
  return place < 0 ? otherwise : (process.argv[place + 1] ?? otherwise);
}

await main();
