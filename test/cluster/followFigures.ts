import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startCluster, type Cluster } from './cluster.js';
import { startHosts, type Hosts } from './hosts/startHosts.js';
import { updateScript, writePlaybook } from './playbook.js';
import { installTurnus, runOf } from './runReport.js';
import { buildTurnus, startTurnus } from './turnus.js';
import { waitFor } from './waitFor.js';

const quietSeconds = 60;
const outputBytes = 1024 ** 3;

/** /proc/PID/stat counts in these. */
const ticksASecond = 100;

/** What it costs to follow a job that says nothing, and one that says a gigabyte. Printed, not judged. */
async function main(): Promise<void> {
  await buildTurnus();
  const cluster = await startCluster({ nodes: 2 });
  try {
    const hosts = await startHosts({ cluster });
    await installTurnus(cluster);
    const quiet = await follow({ cluster, hosts }, 'node-1', `sleep ${String(quietSeconds)}`);
    console.log(
      `a silent job of ${String(quietSeconds)} s: ${(quiet.cpuShare * 100).toFixed(2)} % of one CPU, at most ${quiet.peakMiB.toFixed(0)} MiB resident`,
    );
    const loud = await follow({ cluster, hosts }, 'node-2', `head -c ${String(outputBytes)} /dev/zero | tr '\\0' x`);
    console.log(
      `a job with 1 GiB of output in ${loud.seconds.toFixed(0)} s: at most ${loud.peakMiB.toFixed(0)} MiB resident, ${(loud.peakMiB - quiet.peakMiB).toFixed(0)} MiB more than with the silent one; ${(loud.diskBytes / 1024 ** 2).toFixed(1)} MiB on the host's disk, at most ${(loud.peakDiskBytes / 1024 ** 2).toFixed(1)} meanwhile`,
    );
  } finally {
    await cluster.stop();
  }
}

interface Cost {
  readonly seconds: number;
  readonly cpuShare: number;
  readonly peakMiB: number;
  readonly diskBytes: number;
  readonly peakDiskBytes: number;
}

async function follow(place: { cluster: Cluster; hosts: Hosts }, node: string, commands: string): Promise<Cost> {
  const { cluster, hosts } = place;
  const name = `follow-${node}`;
  const playbook = await writePlaybook({
    cluster,
    hosts,
    name,
    nodes: [node],
    script: updateScript(commands),
    spec: { host: { reboot: { when: 'never' }, update: { timeout: '10m' } } },
  });
  const turnus = startTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
  const host = hosts.host(node);
  const begins = { what: `the script on ${node}`, timeoutMs: 60_000, intervalMs: 20 };
  await waitFor({ ...begins, probe: async () => (await host.counter('updates')) === 1 });
  const run = await runOf(cluster, name);
  const directory = host.pathOnDisk(`/var/lib/turnus/jobs/${run.uid}/${node}.update.1`);
  const begunMs = Date.now();
  const before = await cpuSeconds(turnus.pid);
  let after = before;
  let peakMiB = 0;
  let peakDiskBytes = 0;
  await waitFor({
    what: 'the end of the script',
    timeoutMs: 600_000,
    intervalMs: 100,
    probe: async () => {
      after = await cpuSeconds(turnus.pid);
      const status = await readFile(`/proc/${String(turnus.pid)}/status`, 'utf8');
      peakMiB = Math.max(peakMiB, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      peakDiskBytes = Math.max(peakDiskBytes, await bytesIn(directory));
      return (await readdir(directory)).includes('exit_code');
    },
  });
  const seconds = (Date.now() - begunMs) / 1000;
  const exitCode = await turnus.exited;
  if (exitCode !== 0) throw new Error(turnus.stderr());
  return { seconds, cpuShare: (after - before) / seconds, peakMiB, diskBytes: await bytesIn(directory), peakDiskBytes };
}

/** User and system time of the process so far; fields 14 and 15 of /proc/PID/stat (proc(5)). */
async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksASecond;
}

async function bytesIn(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory)) {
    bytes += await stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

await main();
