import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulatedCluster } from '../../src/sandbox/createSimulatedCluster.js';
import { loopbackAddress, openHosts } from '../../src/sandbox/hosts/openHosts.js';
import { openApiServer } from '../../src/sandbox/http/openApiServer.js';
import { seededRandom } from '../../src/sandbox/seededRandom.js';
import type { SimulatedCluster } from '../../src/sandbox/simulatedCluster.js';
import { systemTimeline } from '../../src/sandbox/systemTimeline.js';
import { runTurnus as runHere } from '../cli/runTurnus.js';
import { TestApi } from '../cluster/api.js';
import { isTrue } from '../cluster/objects.js';
import { expectExit } from '../cluster/runReport.js';
import { startTurnus } from '../cluster/turnus.js';
import type { TurnusOptions } from '../cluster/turnus.js';
import { waitFor } from '../cluster/waitFor.js';
import { linesOf } from './realSide.js';
import type { MaintainedSide, Side, SideOptions } from './side.js';

const zones = 3;

/** What the components of the test cluster are quicker in than usual. */
const pace = {
  kubeletStartMs: { least: 50, most: 200 },
  firstReportMs: { least: 0, most: 300 },
  nodeMonitorMs: 1000,
  leaseRenewMs: 2000,
  farewellChance: 1,
};

/** The sandbox over HTTPS, with the pace of the played kubelets of the test cluster. */
export async function openSandboxSide(options: SideOptions): Promise<Side> {
  const { side } = await open(options);
  return side;
}

/** The same with SSH hosts, and Turnus: compiled, or from its sources, where nothing was compiled. */
export async function openSandboxMaintainedSide(
  options: SideOptions & Pick<TurnusOptions, 'program'>,
): Promise<MaintainedSide> {
  const { side, cluster, endings } = await open(options);
  const { directory, kubeconfigPath } = side;
  const { program = 'built' } = options;
  try {
    const hosts = await openHosts({
      directory: join(directory, 'hosts'),
      timeline: systemTimeline,
      nodes: side.nodeNames.map((name, index) => ({ name, address: loopbackAddress(index) })),
      machineOf: (node) => cluster.machine(node),
      bootMs: 300,
    });
    endings.push(() => hosts.close());
    const paths = { identityPath: join(directory, 'id'), knownHostsPath: join(directory, 'known_hosts') };
    await writeFile(paths.identityPath, hosts.clientKey, { mode: 0o600 });
    await writeFile(paths.knownHostsPath, hosts.knownHosts);
    expectExit(await runHere(['install'], { env: { HOME: side.directory, KUBECONFIG: kubeconfigPath } }), 0);
    return {
      ...side,
      turnus: (args) => startTurnus(args, { kubeconfig: kubeconfigPath, program }),
      hosts: {
        ...paths,
        port: hosts.port,
        host: (name) => {
          const host = hosts.host(name);
          if (host === undefined) throw new Error(`node ${name} has no host`);
          return {
            node: name,
            get bootId() {
              return host.bootId;
            },
            counter: async (file) => linesOf(await readFile(join(host.directory, file), 'utf8').catch(() => undefined)),
            put: (file) => writeFile(join(host.directory, file), ''),
          };
        },
      },
    };
  } catch (error) {
    await side.stop();
    throw error;
  }
}

type Endings = (() => Promise<void> | void)[];

async function open({ nodes }: SideOptions): Promise<{ side: Side; cluster: SimulatedCluster; endings: Endings }> {
  const timeline = systemTimeline;
  const cluster = createSimulatedCluster({ timeline, random: seededRandom(1), pace });
  const token = randomUUID();
  const server = await openApiServer({ api: cluster.api, timeline, tokens: new Map([[token, 'admin']]) });
  const directory = await mkdtemp(join(tmpdir(), 'turnus-honesty-'));
  const { certificateAuthority } = server;
  const api = new TestApi({ server: server.server, certificateAuthority, token, userAgent: 'testbed/admin' });
  const endings: Endings = [
    () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
    () => {
      cluster.stop();
    },
    () => server.close(),
    () => {
      api.close();
    },
  ];
  const kubeconfigPath = join(directory, 'kubeconfig');
  await writeFile(kubeconfigPath, server.kubeconfig(), { mode: 0o600 });
  await mkdir(join(directory, 'test'));
  const nodeNames = Array.from({ length: nodes }, (_, index) => `node-${String(index + 1)}`);
  for (const [index, name] of nodeNames.entries()) {
    const zone = `zone-${String.fromCharCode(97 + (index % zones))}`;
    cluster.addNode({ name, zone, address: loopbackAddress(index), capacity: { cpu: 32, memoryGib: 256 } });
  }
  const untilNodeReady: Side['untilNodeReady'] = async (name, timeoutMs = 30_000) =>
    await waitFor({
      what: `node ${name} Ready`,
      timeoutMs,
      probe: async () => {
        const node = await api.get({ kind: 'Node', name });
        return isTrue(node, 'Ready') ? node : undefined;
      },
    });
  for (const name of nodeNames) await untilNodeReady(name);
  const side: Side = {
    name: 'sandbox',
    api,
    uid: (await api.get({ kind: 'Namespace', name: 'kube-system' })).metadata.uid ?? '',
    nodeNames,
    kubeconfigPath,
    directory: join(directory, 'test'),
    untilNodeReady,
    createNamespace: async (name, labels = {}) => {
      await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    },
    machine: (node) => ({
      goDown: () => {
        cluster.machine(node).goDown();
      },
      boot: () => {
        cluster.machine(node).boot({ bootId: randomUUID() });
      },
    }),
    forgetHistory: () => {
      cluster.api.compact();
    },
    stop: async () => {
      for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end();
    },
  };
  return { side, cluster, endings };
}
