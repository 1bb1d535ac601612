import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBinaries, ensureKubectl } from '../binaries.js';
import { dyingWithItsParent } from '../childProcess.js';
import { startCluster, type Cluster } from '../cluster.js';
import { startHosts, type Hosts } from '../hosts/startHosts.js';
import { turnsOf } from '../runReport.js';
import { builtTurnus, buildTurnus, runTurnus } from '../turnus.js';
import { writeKubectlLoop } from './kubectlLoop.js';
import { watchProcess } from './processUse.js';
import { rollFigures, type RollFigures } from './rollFigures.js';
import { recordRoll } from './rollRecord.js';
import { figuresTable } from './figuresTable.js';
import { seedScene } from './scene.js';
import { writeRollPlaybook, type Verification } from './rollPlaybook.js';

const usage = `Takes the nodes of a real control plane through the same maintenance in several ways, each on a fresh
cluster with the same workloads, and prints what it cost and what the workloads' users saw. Judges nothing.

  npm run bench:roll -- [--nodes 12] [--concurrency 3] [--way WAY]... [--output FILE]

  --nodes        nodes of each cluster, in three zones; 12
  --concurrency  adds a way: Turnus with so many nodes at a time
  --way          only this one: kubectl, turnus, turnus-defaults, turnus-surge, turnus-concurrent
  --output       where the figures are written as JSON; roll.json in the working directory`;

/** One way to take all nodes through their maintenance. */
interface Way {
  readonly name: string;
  /** User agents of its API requests begin so. */
  readonly userAgent: string;
  readonly hasTurns: boolean;
  /** The program that does it. */
  readonly command: (cluster: Cluster, hosts: Hosts) => Promise<readonly [string, ...string[]]>;
}

const bootDelayMs = 4000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '12' },
      concurrency: { type: 'string' },
      way: { type: 'string', multiple: true },
      output: { type: 'string', default: 'roll.json' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const nodes = Number(values.nodes);
  await ensureBinaries();
  await ensureKubectl();
  await buildTurnus();
  const measured: { way: string; figures: RollFigures }[] = [];
  for (const way of chosenWays(values)) {
    console.error(`${way.name}: ${String(nodes)} nodes`);
    const figures = await measure(way, nodes);
    measured.push({ way: way.name, figures });
    console.error(`${way.name}: ${String(figures.rollSeconds)} s`);
  }
  console.log(figuresTable(measured));
  await mkdir(dirname(values.output), { recursive: true });
  await writeFile(values.output, `${JSON.stringify({ nodes, bootDelayMs, measured }, null, 2)}\n`);
}

function chosenWays(values: { concurrency?: string | undefined; way?: string[] | undefined }): Way[] {
  const concurrency = Number(values.concurrency ?? '1');
  const ways: Way[] = [
    {
      name: 'kubectl',
      userAgent: 'kubectl/',
      hasTurns: false,
      command: async (cluster, hosts) => ['bash', await writeKubectlLoop({ cluster, hosts })],
    },
    turnus('turnus', { verification: 'as the loop' }),
    turnus('turnus-defaults', { verification: 'defaults' }),
    turnus('turnus-surge', { verification: 'as the loop', singletons: 'surge' }),
    ...(concurrency > 1 ? [turnus('turnus-concurrent', { verification: 'as the loop', concurrency })] : []),
  ];
  return ways.filter(({ name }) => values.way === undefined || values.way.includes(name));
}

function turnus(
  name: string,
  settings: { verification: Verification; singletons?: 'surge'; concurrency?: number },
): Way {
  return {
    name,
    userAgent: 'turnus/',
    hasTurns: true,
    command: async (cluster, hosts) => {
      const playbook = await writeRollPlaybook({ cluster, hosts, ...settings });
      const withSurge = settings.singletons === 'surge' ? ['--with', 'surge'] : [];
      const installed = await runTurnus(['install', ...withSurge], { kubeconfig: cluster.kubeconfigPath });
      if (installed.exitCode !== 0) throw new Error(installed.stderr);
      return [process.execPath, builtTurnus, 'run', '-f', playbook, '--yes'];
    },
  };
}

async function measure(way: Way, nodes: number): Promise<RollFigures> {
  const cluster = await startCluster({ nodes, zones: 3 });
  try {
    const hosts = await startHosts({ cluster, bootDelayMs });
    const { workloads } = await seedScene(cluster);
    const command = await way.command(cluster, hosts);
    const record = await recordRoll(cluster.api);
    const beganMs = Date.now();
    const use = await runMeasured(cluster, way.name, command);
    const endedMs = Date.now();
    await record.stop();
    const requests = (await cluster.auditLog()).filter(
      ({ userAgent, time }) => userAgent.startsWith(way.userAgent) && time.getTime() >= beganMs,
    );
    const zoneOf = new Map<string, string>();
    for (const { metadata } of await cluster.api.list({ kind: 'Node' })) {
      zoneOf.set(metadata.name, metadata.labels?.['topology.kubernetes.io/zone'] ?? '');
    }
    const replicas = new Map(workloads.map(({ metadata, spec }) => [metadata.name, spec.replicas]));
    const turns = way.hasTurns ? await turnsOf(cluster) : [];
    return rollFigures({ record, replicas, zoneOf, requests, beganMs, endedMs, use, turns });
  } finally {
    await cluster.stop();
  }
}

/** Runs the program to its end and answers what it used; what it says is in a file beside the cluster's logs. */
async function runMeasured(
  cluster: Cluster,
  name: string,
  command: readonly [string, ...string[]],
): Promise<ReturnType<ReturnType<typeof watchProcess>['stop']>> {
  const logPath = join(cluster.directory, `${name}.log`);
  const log = openSync(logPath, 'a');
  const [program, args] = dyingWithItsParent(command[0], command.slice(1));
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'], HOME: cluster.directory, KUBECONFIG: cluster.kubeconfigPath },
    stdio: ['ignore', log, log],
  });
  const use = watchProcess(child.pid ?? 0);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const used = use.stop();
  if (exitCode !== 0)
    throw new Error(`${name} ended with exit code ${String(exitCode)}; it said: ${await tail(logPath)}`);
  return used;
}

async function tail(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim().split('\n').slice(-30).join('\n');
}

await main();
