import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resources } from '../cluster/resources.js';
import { applyManifests } from '../install/applyManifests.js';
import { defaultNamespace, manifests } from '../install/manifests.js';
import { connect } from '../kubernetes/connect.js';
import { runResource } from '../run/objects.js';
import type { Clock } from '../time/clock.js';
import { createSimulatedCluster } from './createSimulatedCluster.js';
import { answerWish, faultsPath } from './faultRoute.js';
import { openFaults, type Faults } from './faults.js';
import { loopbackAddress, openHosts } from './hosts/openHosts.js';
import { openApiServer } from './http/openApiServer.js';
import { allFaults } from './scene/allFaults.js';
import { awaitScene } from './scene/awaitScene.js';
import { stuckBudget } from './scene/clusterFaults.js';
import { sceneNodes } from './scene/nodes.js';
import type { ScenePace } from './scene/scenePace.js';
import { playbookText, sceneFiles, upgradeScript } from './scene/playbookFile.js';
import { isSceneComplete, setScene } from './scene/setScene.js';
import { stuckWorkload } from './scene/workloads.js';
import { seededRandom } from './seededRandom.js';
import type { SimulatedCluster } from './simulatedCluster.js';
import { systemTimeline } from './systemTimeline.js';

/** A cluster to try Turnus on: a model behind a real API server, with real SSH hosts, all on this machine. */
export interface Sandbox {
  readonly directory: string;
  readonly kubeconfigPath: string;
  readonly playbookPath: string;
  readonly nodes: readonly string[];
  /** The workload whose budget never allows an eviction. */
  readonly stuck: typeof stuckWorkload;
  /** The team of that workload gives it a second replica; waits until that is Ready. */
  mendStuck(signal: AbortSignal): Promise<void>;
  /** Name of the youngest run; undefined where there is none. */
  newestRun(): string | undefined;
  /** Ends every connection and process and removes every file. May be called twice. */
  close(): Promise<void>;
}

export interface SandboxOptions {
  readonly nodes: number;
  /** Of the API server; 0: a free one. */
  readonly port: number;
  readonly pace: ScenePace;
  readonly clock: Clock;
}

const installWithinMs = 30_000;

/**
 * Opens a sandbox in a private directory of its own. What was opened is closed where the rest cannot be, and where the
 * signal aborts.
 *
 * @throws TurnusError `port-in-use`, `sandbox-not-installed`, `sandbox-hosts-need-linux`, `scene-not-ready`
 */
export async function openSandbox(options: SandboxOptions, signal: AbortSignal): Promise<Sandbox> {
  const endings: (() => Promise<void> | void)[] = [];
  let closing: Promise<void> | undefined;
  const close = async () => {
    closing ??= endAll(endings);
    await closing;
  };
  try {
    return await open(options, { endings, close }, signal);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  { nodes: count, port, pace, clock }: SandboxOptions,
  own: { readonly endings: (() => Promise<void> | void)[]; readonly close: () => Promise<void> },
  signal: AbortSignal,
): Promise<Sandbox> {
  const { endings, close } = own;
  const timeline = systemTimeline;
  const directory = await mkdtemp(join(tmpdir(), 'turnus-sandbox-'));
  endings.push(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const [kubeconfigPath, playbookPath] = [join(directory, 'kubeconfig'), join(directory, sceneFiles.playbook)];

  const cluster = createSimulatedCluster({ timeline, random: seededRandom(clock.now()), pace: pace.cluster });
  endings.push(() => {
    cluster.stop();
  });
  const { api } = cluster;
  const later: { faults?: Faults } = {};
  const sideDoor = { path: faultsPath, answer: (wish: string) => answerWish(later.faults, wish) };
  const server = await openApiServer({ api, timeline, port, sideDoor });
  endings.push(() => server.close());
  await write(kubeconfigPath, server.kubeconfig());

  const nodes = sceneNodes(count, pace).map((node, index) => ({ ...node, address: loopbackAddress(index) }));
  const names = nodes.map(({ name }) => name);
  await setScene({ cluster, timeline, nodes, pace }, signal);
  signal.throwIfAborted();
  const hosts = await openHosts({
    directory: join(directory, 'hosts'),
    timeline,
    nodes,
    machineOf: (node) => cluster.machine(node),
    bootMs: pace.bootMs,
  });
  endings.push(() => hosts.close());
  await write(join(directory, sceneFiles.knownHosts), hosts.knownHosts);
  await write(join(directory, sceneFiles.identity), hosts.clientKey);
  await write(join(directory, sceneFiles.script), upgradeScript(pace));
  await write(
    playbookPath,
    playbookText({ clusterUid: uidOf(cluster), ssh: { user: 'maintenance', port: hosts.port }, pace }),
  );
  await install({ kubeconfigPath, clock }, signal);

  const faults = openFaults({
    makers: allFaults({ cluster, hosts, api: server.faults, nodes: names }),
    begun: { 'block-budget': stuckBudget(api) },
    later: (delayMs, act) => timeline.after(delayMs, act),
  });
  later.faults = faults;
  return {
    directory,
    kubeconfigPath,
    playbookPath,
    nodes: names,
    stuck: stuckWorkload,
    async mendStuck(stop) {
      faults.mend('block-budget');
      await awaitScene({ api, timeline }, { what: 'every pod is Ready', holds: () => isSceneComplete(api) }, stop);
    },
    newestRun() {
      const reply = api.list({ resource: runResource });
      return reply.kind === 'ok' ? reply.value.items.at(-1)?.metadata.name : undefined;
    },
    close,
  };
}

/** The objects of Turnus, as `turnus install` applies them. */
async function install(
  { kubeconfigPath, clock }: { readonly kubeconfigPath: string; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const cluster = await connect({
    kubeconfigPath,
    inCluster: false,
    userAgent: 'turnus-sandbox',
    clock,
    requestTimeoutMs: installWithinMs,
  });
  try {
    const objects = manifests(defaultNamespace);
    const end = await applyManifests(
      { cluster, clock, objects, timeoutMs: installWithinMs, onApplied: () => undefined },
      signal,
    );
    if (end.kind === 'installed') return;
    const why = end.kind === 'failed' ? end.failure.message : 'it is not served';
    throw new Error(`${end.object} could not be installed in the sandbox: ${why}`);
  } finally {
    cluster.close();
  }
}

/** What the playbook names the cluster by. */
function uidOf(cluster: SimulatedCluster): string {
  const reply = cluster.api.get({ resource: resources.namespaces, name: 'kube-system' });
  const uid = reply.kind === 'ok' ? reply.value.metadata.uid : undefined;
  if (uid === undefined) throw new Error('the cluster of the sandbox has no namespace kube-system');
  return uid;
}

/** Token and key are in these files: nobody else reads them. */
async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}

/** The last first, each one whatever becomes of the others; then the first failure is told. */
async function endAll(endings: readonly (() => Promise<void> | void)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of [...endings].reverse()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
