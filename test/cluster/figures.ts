import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditEntry } from './auditLog.js';
import { startCluster, type Cluster } from './cluster.js';
import { createAllOn } from './gather.js';
import { writePlaybook } from './playbook.js';
import { startHosts } from './hosts/startHosts.js';
import { startReadyWatcher } from './readyWatcher.js';
import { buildTurnus, runTurnus, startTurnus } from './turnus.js';
import { waitFor } from './waitFor.js';
import { createReady } from './waitForReady.js';
import { daemonSet, deployment, disruptionBudget, statefulSet } from './workloads.js';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const measurements = {
  start: measureStart,
  large: measureLargeCluster,
  turn: measureTurn,
  budget: measureBudgetOpening,
};

const usage = `Figures of Turnus on a real control plane, printed, not judged.
  npm run figures [-- ${Object.keys(measurements).join('|')} ...]`;

/** Measures the figures one after another; each line says what was measured and how often. */
async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(usage);
    return;
  }
  await buildTurnus();
  const wanted = process.argv.slice(2);
  for (const [name, measure] of Object.entries(measurements)) {
    if (wanted.length === 0 || wanted.includes(name)) await measure();
  }
}

/** Wall time of commands that need no cluster, each in turn with an empty Node program. */
function measureStart(): void {
  const main = join(repository, 'dist', 'main.js');
  const playbook = join(repository, 'playbooks', 'kind.yaml');
  const timed = (args: string[]): number => {
    const begun = performance.now();
    spawnSync(process.execPath, args);
    return performance.now() - begun;
  };
  const rounds = Array.from({ length: 7 }, () => ({
    node: timed(['-e', '0']),
    help: timed([main, '--help']),
    validate: timed([main, 'validate', '-f', playbook]),
  }));
  for (const command of ['help', 'validate'] as const) {
    const ms = median(rounds.map((round) => round[command]));
    const ratio = median(rounds.map((round) => round[command] / round.node));
    console.log(
      `turnus ${command}: ${ms.toFixed(0)} ms, ${ratio.toFixed(1)} times an empty Node program (median of ${rounds.length})`,
    );
  }
}

/** Memory and API requests of a run on 100 nodes and 3,000 pods. */
async function measureLargeCluster(): Promise<void> {
  const cluster = await startCluster({ nodes: 100 });
  try {
    const hosts = await startHosts({ cluster, nodes: [] });
    const workloads = Array.from({ length: 300 }, (_, number) =>
      deployment({ name: `web-${number}`, replicas: 10, startMs: 500, spread: { over: 'node', mode: 'prefer' } }),
    );
    const budgets = workloads.map(({ metadata: { name } }) => disruptionBudget({ name, maxUnavailable: 1 }));
    await createReady(cluster.api, [...workloads, ...budgets], 300_000);
    const playbook = await writePlaybook({ cluster, hosts });
    await installed(cluster);
    const begun = new Date();
    const nodes = ['node-1', 'node-2', 'node-3'].flatMap((node) => ['--node', node]);
    const turnus = startTurnus(['run', '-f', playbook, '--rehearse', '--yes', ...nodes], {
      kubeconfig: cluster.kubeconfigPath,
    });
    let peakKiB = 0;
    await waitFor({
      what: 'the end of the run',
      timeoutMs: 300_000,
      intervalMs: 100,
      probe: async () => {
        peakKiB = Math.max(peakKiB, await peakMemory(turnus.pid));
        return !turnus.isRunning();
      },
    });
    const requests = ofTurnus(await cluster.auditLog(), begun);
    const evictions = requests.filter(isAcceptedEviction);
    console.log(`resident memory of a run on 100 nodes and 3,000 pods: at most ${(peakKiB / 1024).toFixed(0)} MiB`);
    console.log(
      `API requests an eviction: ${(requests.length / evictions.length).toFixed(2)} (${requests.length} requests, ${evictions.length} evictions, start, state and lease included)`,
    );
    for (const [what, count] of [...countBy(requests)].slice(0, 12)) console.log(`  ${what}: ${count}`);
  } finally {
    await cluster.stop();
  }
}

/** API requests of one whole turn, with update and reboot, of a node with 10 pods of 4 workloads in 3 namespaces. */
async function measureTurn(): Promise<void> {
  const cluster = await startCluster({ nodes: 3 });
  try {
    const hosts = await startHosts({ cluster, bootDelayMs: 500 });
    for (const name of ['shop', 'data', 'tools']) await cluster.createNamespace(name);
    await createReady(cluster.api, [daemonSet({ name: 'agent', namespace: 'kube-system' })]);
    await createAllOn(cluster, 'node-1', [
      deployment({ name: 'web', namespace: 'shop', replicas: 4 }),
      disruptionBudget({ name: 'web', namespace: 'shop', maxUnavailable: 2 }),
      deployment({ name: 'cart', namespace: 'shop', replicas: 2 }),
      statefulSet({ name: 'store', namespace: 'data', replicas: 2, podManagementPolicy: 'Parallel' }),
      deployment({ name: 'bench', namespace: 'tools', replicas: 2 }),
    ]);
    const playbook = await writePlaybook({ cluster, hosts, nodes: ['node-1'] });
    await installed(cluster);
    const begun = new Date();
    const end = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
    const requests = ofTurnus(await cluster.auditLog(), begun);
    const evictions = requests.filter(isAcceptedEviction);
    const firstPatch = requests.findIndex(({ verb, resource }) => verb === 'patch' && resource === 'nodeturns');
    const ofTurn = requests.slice(Math.max(0, firstPatch));
    console.log(
      `one turn (exit ${String(end.exitCode)}): ${ofTurn.length} API requests for ${evictions.length} evictions, besides ${requests.length - ofTurn.length} before it began`,
    );
    for (const [what, count] of countBy(ofTurn)) console.log(`  ${what}: ${count}`);
  } finally {
    await cluster.stop();
  }
}

/** From the moment at which a budget has room again to the next eviction the API server is asked for. */
async function measureBudgetOpening(): Promise<void> {
  const cluster = await startCluster({ nodes: 3 });
  try {
    const hosts = await startHosts({ cluster, nodes: [] });
    const web = deployment({ name: 'web', replicas: 8, startMs: 1500 });
    const others = ['node-2', 'node-3'];
    const cordonOthers = async (unschedulable: boolean) => {
      for (const name of others) await cluster.api.patch({ kind: 'Node', name }, { body: { spec: { unschedulable } } });
    };
    await cordonOthers(true);
    await createReady(cluster.api, [web, disruptionBudget({ name: 'web', maxUnavailable: 1 })]);
    await cordonOthers(false);
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [web] });
    const playbook = await writePlaybook({ cluster, hosts, nodes: ['node-1'] });
    await installed(cluster);
    const begun = new Date();
    await runTurnus(['run', '-f', playbook, '--rehearse', '--yes'], { kubeconfig: cluster.kubeconfigPath });
    const evictions = ofTurnus(await cluster.auditLog(), begun).filter(isAcceptedEviction);
    const { timeline } = watcher.workload('web');
    const gaps = evictions.slice(1).flatMap(({ time }) => {
      const opened = timeline.findLast((point) => point.time <= time && point.ready === 8);
      return opened === undefined ? [] : [time.getTime() - opened.time.getTime()];
    });
    console.log(
      `from the budget's opening to the next eviction: median ${median(gaps).toFixed(0)} ms, at most ${Math.max(...gaps)} ms (${gaps.length} times)`,
    );
    await watcher.stop();
  } finally {
    await cluster.stop();
  }
}

async function installed(cluster: Cluster): Promise<void> {
  const end = await runTurnus(['install'], { kubeconfig: cluster.kubeconfigPath });
  if (end.exitCode !== 0) throw new Error(end.stderr);
}

function ofTurnus(entries: AuditEntry[], begun: Date): AuditEntry[] {
  return entries.filter(({ userAgent, time }) => userAgent.startsWith('turnus/') && time >= begun);
}

function isAcceptedEviction({ subresource, verb, code }: AuditEntry): boolean {
  return subresource === 'eviction' && verb === 'create' && code === 201;
}

function countBy(entries: AuditEntry[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { verb, resource, subresource } of entries) {
    const what = `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return new Map([...counts].sort(([, one], [, other]) => other - one));
}

/** VmHWM in KiB; 0 when the process has ended. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
}

function median(values: number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

await main();
