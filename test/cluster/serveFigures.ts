import { readFile } from 'node:fs/promises';
import { openReceiver } from '../server/receiver.js';
import { startCluster, type Cluster } from './cluster.js';
import { crowd } from './crowd.js';
import { startHosts } from './hosts/startHosts.js';
import { installTurnus } from './runReport.js';
import { serveOn, untilLeads, type Served } from './served.js';
import { buildTurnus, type RunningTurnus } from './turnus.js';
import { waitFor } from './waitFor.js';
import { createReady } from './waitForReady.js';
import { deployment } from './workloads.js';

const nodeCount = Number(process.argv[2] ?? 100);
/** Beyond these, nodes and pods are written and not played. */
const mostPlayed = 200;
const podsANode = 30;
const quietMs = 120_000;
/** /proc/PID/stat counts in these. */
const ticksASecond = 100;

/** What an idle actor costs, and how soon it is ready and hands over. Printed, not judged. */
async function main(): Promise<void> {
  await buildTurnus();
  const isCrowd = nodeCount > mostPlayed;
  const cluster = await startCluster({ nodes: isCrowd ? 2 : nodeCount });
  try {
    const hosts = await startHosts({ cluster, nodes: ['node-1'] });
    await installTurnus(cluster, ['--with', 'serve']);
    if (isCrowd) await crowd(cluster, { nodes: nodeCount, podsANode });
    else await createReady(cluster.api, workloads(), 600_000);
    const served = await serveOn({ cluster, hosts });
    const startedAt = performance.now();
    const one = served.start({ name: 'one' });
    const port = await portOf(one);
    await waitFor({ what: 'readiness', probe: async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok });
    const readyMs = performance.now() - startedAt;
    await untilLeads(served, 'one');
    served.start({ name: 'other' });
    // Every node, so that coverage is read of all of them.
    await served.put({
      name: 'idle',
      nodes: [],
      spec: { nodes: { selector: '' }, schedule: inTenDays(), journal: { stdout: true } },
    });
    await waitFor({
      what: 'the coverage to be judged',
      timeoutMs: 180_000,
      probe: async () => (await served.status('idle')).coverage?.nodes === nodeCount,
    });
    const [requestsBefore, cpuBefore] = [await requestsOf(cluster), await cpuSecondsOf(one)];
    const since = performance.now();
    await waitFor({
      what: 'quiet',
      timeoutMs: quietMs * 2,
      intervalMs: 1000,
      probe: () => performance.now() - since > quietMs,
    });
    const seconds = (performance.now() - since) / 1000;
    const cpu = (await cpuSecondsOf(one)) - cpuBefore;
    const asked = (await requestsOf(cluster)).slice(requestsBefore.length);
    const reads = asked.filter(({ verb, resource }) => verb !== 'watch' && resource !== 'leases');
    const resident = await residentMiB(one);
    const peak = await peakMiB(one);
    const planned = await afterAPlan(served, one);
    const stoppedAt = performance.now();
    one.kill('SIGTERM');
    await untilLeads(served, 'other');
    const handOverMs = performance.now() - stoppedAt;
    console.log(`${String(nodeCount)} nodes, ${String(nodeCount * podsANode)} pods:`);
    console.log(
      `  ready after ${(readyMs / 1000).toFixed(1)} s, the lead handed over in ${(handOverMs / 1000).toFixed(1)} s`,
    );
    console.log(
      `  idle for ${seconds.toFixed(0)} s: ${((100 * cpu) / seconds).toFixed(2)} % of one CPU, ${resident.toFixed(0)} MiB resident (at most ${peak.toFixed(0)})`,
    );
    console.log(
      `  a plan of all of them: ${planned.cpuSeconds.toFixed(0)} s of CPU; a minute later ${planned.resident.toFixed(0)} MiB resident (at most ${planned.peak.toFixed(0)})`,
    );
    const what = reads.map(
      ({ verb, resource, subresource }) => `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`,
    );
    console.log(`  requests of both but for watches and the Lease: ${what.length === 0 ? 'none' : what.join(', ')}`);
    await served.endAll();
  } finally {
    await cluster.stop();
  }
}

/** A plan reads every pod, and asks every host; the memory that it took is looked at when it is over. */
async function afterAPlan(
  served: Served,
  turnus: RunningTurnus,
): Promise<{ resident: number; peak: number; cpuSeconds: number }> {
  const cpuBefore = await cpuSecondsOf(turnus);
  const receiver = await openReceiver();
  try {
    await served.put({
      name: 'idle',
      nodes: [],
      spec: {
        nodes: { selector: '' },
        schedule: inTenDays(),
        journal: { stdout: true },
        notify: {
          webhooks: [{ url: receiver.url, secret: { secretKeyRef: { name: 'ssh', key: 'id_ed25519' } } }],
          before: '14d',
        },
      },
    });
    await waitFor({ what: 'the plan', timeoutMs: 600_000, probe: () => receiver.received.length > 0 });
  } finally {
    await receiver.stop();
  }
  const cpuSeconds = (await cpuSecondsOf(turnus)) - cpuBefore;
  const since = performance.now();
  await waitFor({ what: 'quiet', timeoutMs: 120_000, probe: () => performance.now() - since > 60_000 });
  return { resident: await residentMiB(turnus), peak: await peakMiB(turnus), cpuSeconds };
}

function workloads() {
  const replicas = 100;
  const count = Math.ceil((nodeCount * podsANode) / replicas);
  return Array.from({ length: count }, (_, number) =>
    deployment({ name: `web-${String(number)}`, replicas, startMs: 100, stopMs: 100 }),
  );
}

function inTenDays() {
  const from = new Date(Date.now() + 10 * 24 * 3_600_000).toISOString().slice(0, 19);
  return { timeZone: 'UTC', windows: [{ from, duration: '1h' }], coverage: '40d' };
}

async function portOf(turnus: RunningTurnus): Promise<string> {
  return await waitFor({
    what: 'the address',
    probe: () => /"address":"127\.0\.0\.1:(\d+)"/.exec(turnus.stdout())?.[1],
  });
}

async function requestsOf(cluster: Cluster) {
  return (await cluster.auditLog()).filter(({ user }) => user.endsWith(':turnus'));
}

async function cpuSecondsOf({ pid }: RunningTurnus): Promise<number> {
  const fields = (await readFile(`/proc/${String(pid)}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksASecond;
}

async function residentMiB(turnus: RunningTurnus): Promise<number> {
  return await statusOf(turnus, 'VmRSS');
}

async function peakMiB(turnus: RunningTurnus): Promise<number> {
  return await statusOf(turnus, 'VmHWM');
}

async function statusOf({ pid }: RunningTurnus, field: string): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
}

await main();
