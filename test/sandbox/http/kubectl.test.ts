import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { recordOf } from '../../../src/cluster/json.js';
import { resources } from '../../../src/cluster/resources.js';
import { createSimulatedCluster } from '../../../src/sandbox/createSimulatedCluster.js';
import { openApiServer, type ApiServer } from '../../../src/sandbox/http/openApiServer.js';
import { seededRandom } from '../../../src/sandbox/seededRandom.js';
import type { SimulatedCluster } from '../../../src/sandbox/simulatedCluster.js';
import { systemTimeline } from '../../../src/sandbox/systemTimeline.js';
import { waitFor } from '../../cluster/waitFor.js';
import { put } from './servedApi.js';

const program = 'kubectl';
const hasKubectl = spawnSync(program, ['version', '--client']).status === 0;
const title = hasKubectl ? 'kubectl on the sandbox' : 'kubectl on the sandbox (skipped: kubectl is not installed)';

const soon = { least: 1, most: 5 };
const pace = {
  controllerMs: soon,
  schedulerMs: soon,
  kubeletMs: soon,
  podStartMs: soon,
  kubeletStartMs: soon,
  firstReportMs: soon,
  podStopMs: 50,
};

let cluster: SimulatedCluster;
let server: ApiServer;
let directory: string;

describe.skipIf(!hasKubectl)(title, () => {
  beforeAll(async () => {
    cluster = createSimulatedCluster({ timeline: systemTimeline, random: seededRandom(1), pace });
    server = await openApiServer({ api: cluster.api, timeline: systemTimeline });
    directory = await mkdtemp(join(tmpdir(), 'turnus-kubectl-'));
    await writeFile(join(directory, 'kubeconfig'), server.kubeconfig(), { mode: 0o600 });
    for (const name of ['node-1', 'node-2']) cluster.addNode({ name });
    deploy('web', 2);
    put(cluster.api, resources.budgets, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'web' } } },
    });
    await kubectl('wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=5s');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=5s');
  });

  afterAll(async () => {
    await server.close();
    cluster.stop();
    await rm(directory, { recursive: true });
  });

  it('gets tables of several resources at once, wide ones, and whole objects', async () => {
    const [tables, wide, yaml, json] = await Promise.all([
      kubectl('get', 'nodes,pods,pdb,deployments', '--all-namespaces'),
      kubectl('get', 'nodes', '--output', 'wide'),
      kubectl('get', 'node', 'node-1', '--output', 'yaml'),
      kubectl('get', 'pods', '--output', 'json'),
    ]);
    expect(tables).toMatch(/node\/node-1 +Ready /);
    expect(tables).toMatch(/default +pod\/web-\S+ +1\/1 +Running +0 /);
    expect(tables).toMatch(/default +poddisruptionbudget\.policy\/web +N\/A +0 +0 /);
    expect(tables).toMatch(/default +deployment\.apps\/web +2\/2 +2 +2 /);
    expect(wide).toMatch(/INTERNAL-IP .*CONTAINER-RUNTIME/);
    expect(yaml).toContain('kind: Node\n');
    expect((JSON.parse(json) as { items: unknown[] }).items).toHaveLength(2);
  });

  it('cordons, annotates, labels and describes a node, and waits for a condition', async () => {
    await kubectl('cordon', 'node-2');
    expect(await kubectl('get', 'node', 'node-2')).toContain('Ready,SchedulingDisabled');
    await Promise.all([
      kubectl('annotate', 'node', 'node-2', 'turnus.dev/hold=disk'),
      kubectl('label', 'node', 'node-2', 'rack=7'),
      kubectl('taint', 'node', 'node-2', 'kept=for:NoSchedule'),
    ]);
    const described = await kubectl('describe', 'node', 'node-2');
    expect(described).toMatch(/turnus.dev\/hold: disk/);
    expect(described).toMatch(/rack=7/);
    expect(described).toMatch(/kept=for:NoSchedule/);
    expect(described).toMatch(/Unschedulable: +true/);
    await kubectl('taint', 'node', 'node-2', 'kept-');
    await kubectl('uncordon', 'node-2');
    expect(await kubectl('get', 'node', 'node-2')).not.toContain('SchedulingDisabled');
  });

  it('drains a node once the budget in its way allows it', async () => {
    const [node = ''] = readyNodes();
    const drain = ['drain', node, '--ignore-daemonsets', '--delete-emptydir-data'];
    // kubectl would ask again after five seconds.
    const refused = follow(...drain);
    await refused.until(/Cannot evict pod as it would violate the pod's disruption budget/);
    await refused.end();
    const loosened = { op: 'replace', path: '/spec/maxUnavailable', value: 2 };
    await kubectl('patch', 'pdb', 'web', '--type=json', '--patch', JSON.stringify([loosened]));
    await kubectl('wait', '--for=jsonpath={.status.disruptionsAllowed}=2', 'pdb/web', '--timeout=5s');
    expect(await kubectl(...drain, '--timeout=5s')).toContain(`node/${node} drained`);
    expect(readyNodes()).not.toContain(node);
    await kubectl('uncordon', node);
  });

  it('follows pods', async () => {
    const watch = follow('get', 'pods', '--watch');
    const [pod = ''] = /web-\S+/.exec(await watch.until(/web-\S+ +1\/1 +Running/)) ?? [];
    await kubectl('delete', 'pod', pod);
    const seen = await watch.until(new RegExp(`${pod} +\\S+ +Terminating`));
    expect(seen.match(/^NAME /gm)).toHaveLength(1);
    await watch.end();
  });

  it('applies, scales, restarts and deletes a Deployment', async () => {
    const file = join(directory, 'extra.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', ...deployment('extra', 1) }));
    const validate = await supportsOpenApi();
    expect(await kubectl('apply', '--filename', file, validate)).toBe('deployment.apps/extra created\n');
    expect(await kubectl('apply', '--filename', file, validate)).toBe('deployment.apps/extra unchanged\n');
    await kubectl('scale', 'deployment', 'extra', '--replicas=3');
    await kubectl('rollout', 'restart', 'deployment/extra');
    await kubectl('rollout', 'status', 'deployment/extra', '--timeout=5s');
    await kubectl('wait', '--for=condition=Available', 'deployment/extra', '--timeout=5s');
    expect(await kubectl('get', 'deployment', 'extra')).toMatch(/extra +3\/3 +3 +3 /);
    await kubectl('delete', '--filename', file);
    expect(await failing('get', 'deployment', 'extra')).toContain('deployments.apps "extra" not found');
  });
});

/** Before 1.29 kubectl asks for OpenAPI v2, which the sandbox has not. */
async function supportsOpenApi(): Promise<string> {
  const { clientVersion } = JSON.parse(await kubectl('version', '--output', 'json')) as {
    clientVersion: { minor: string };
  };
  return Number.parseInt(clientVersion.minor, 10) >= 29 ? '--validate=true' : '--validate=false';
}

function deploy(name: string, replicas: number): void {
  put(cluster.api, resources.deployments, deployment(name, replicas));
}

function deployment(name: string, replicas: number) {
  const labels = { app: name };
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'main' }] } },
    },
  };
}

/** Where the pods of web are Ready. */
function readyNodes(): string[] {
  const reply = cluster.api.list({ resource: resources.pods, labelSelector: 'app=web' });
  const pods = reply.kind === 'ok' ? reply.value.items : [];
  return pods
    .filter((pod) => JSON.stringify(pod).includes('"type":"Ready","status":"True"'))
    .map((pod) => String(recordOf(pod['spec'])['nodeName']));
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: join(directory, 'kubeconfig') };
}

/** What kubectl prints. */
async function kubectl(...words: string[]): Promise<string> {
  const { failure, stdout, stderr } = await run(words);
  if (failure !== null) throw new Error(`kubectl ${words.join(' ')}: ${stderr}`);
  return stdout;
}

/** A kubectl that goes on: what it prints, as soon as it matches. */
function follow(...words: string[]) {
  const child = spawn(program, words, { env: environment() });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += String(chunk)));
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(end);
  const until = async (pattern: RegExp) =>
    await waitFor({ what: String(pattern), probe: () => pattern.test(printed) && printed, timeoutMs: 5000 });
  return { until, end };
}

/** What kubectl says when it fails. */
async function failing(...words: string[]): Promise<string> {
  const { failure, stderr } = await run(words);
  expect(failure).not.toBeNull();
  return stderr;
}

async function run(words: string[]): Promise<{ failure: Error | null; stdout: string; stderr: string }> {
  return await new Promise((resolve) => {
    execFile(program, words, { env: environment(), timeout: 15_000 }, (failure, stdout, stderr) => {
      resolve({ failure, stdout, stderr });
    });
  });
}
