import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import { podKey, type ClusterView, type PodView } from '../../src/cluster/view.js';
import { openWatchCache, type WatchCache } from '../../src/cluster/watchCache.js';
import { evaluateNode } from '../../src/gates/evaluateNode.js';
import { connect } from '../../src/kubernetes/connect.js';
import { seededRandom } from '../../src/sandbox/seededRandom.js';
import { systemClock } from '../../src/systemClock.js';
import { drainPolicy } from '../drain/clusterFixtures.js';
import { nodeOfCase, nodesOfCase, randomWorkloads } from './capacityCase.js';
import { startCluster } from './cluster.js';
import type { Cluster } from './cluster.js';
import { waitFor } from './waitFor.js';
import { createAll } from './waitForReady.js';

/** CAPACITY_SEED=17 plays one run again. */
const seed = Number(process.env['CAPACITY_SEED'] ?? Date.now() % 1_000_000);
const casesAtOnce = 12;
const rounds = 3;
/** So long nothing must have changed before the scheduler counts as done; its back-off starts at 1 s. */
const quietMs = 4000;

const random = seededRandom(seed);
let cluster: Cluster;
let port: ClusterPort;
let cache: WatchCache;

beforeAll(async () => {
  const nodes = random.fork();
  cluster = await startCluster({
    nodes: casesAtOnce * nodesOfCase,
    customize: (node, number) => {
      nodeOfCase(node, number, nodes);
    },
  });
  port = await connect({
    kubeconfigPath: await cluster.kubeconfigFor('admin'),
    inCluster: false,
    userAgent: 'turnus/test',
    clock: systemClock,
    requestTimeoutMs: 10_000,
  });
  cache = await openWatchCache({
    cluster: port,
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
  });
});

afterAll(async () => {
  await cache.close();
  port.close();
  await cluster.stop();
});

interface Outcome {
  readonly what: string;
  /** Pods that the gates said would find no place. */
  readonly said: number;
  /** Replacements that the scheduler left Pending. */
  readonly pending: number;
  /** Where the two differ: the scheduler draws among equal nodes, so that no seed brings the same scene again. */
  readonly scene?: readonly string[];
}

describe('the capacity gate beside the real scheduler', () => {
  it(`names no pod where all find a place, and seldom misses one that does not (CAPACITY_SEED=${String(seed)})`, async () => {
    const outcomes: Outcome[] = [];
    for (let round = 0; round < rounds; round += 1) outcomes.push(...(await playRound(round)));
    const wrong = outcomes.filter(({ said, pending }) => said > 0 && pending === 0);
    const missed = outcomes.filter(({ said, pending }) => said === 0 && pending > 0);
    const more = outcomes.filter(({ said, pending }) => said > 0 && pending !== said && pending > 0);
    const agreed = outcomes.filter(({ said, pending }) => said === pending);
    const found = outcomes.filter(({ pending }) => pending > 0).length;
    console.log(
      `seed ${String(seed)}: ${String(outcomes.length)} cases, in ${String(found)} of them pods stayed Pending; ` +
        `${String(agreed.length)} agreed, ${String(missed.length)} missed, ${String(more.length)} with another number, ${String(wrong.length)} wrong`,
    );
    expect(wrong, 'said to stay Pending, and found a place').toEqual([]);
    // The scheduler takes no thought for the pods that follow: see placePods.
    expect(missed.length, JSON.stringify(missed)).toBeLessThanOrEqual(outcomes.length / 5);
    expect(more.length, JSON.stringify(more)).toBeLessThanOrEqual(outcomes.length / 3);
    expect(found, 'cases that put the gate to the test').toBeGreaterThan(rounds);
  }, 600_000);
});

async function playRound(round: number): Promise<Outcome[]> {
  const deployments = Array.from({ length: casesAtOnce }, (_, number) =>
    randomWorkloads(random.fork(), { round, number }),
  );
  await createAll(cluster.api, deployments.flat());
  const expected = deployments.flat().reduce((sum, { spec }) => sum + spec.replicas, 0);
  const before = await settled({ what: 'the first pods', expected, round });
  const view = cache.view();
  const chosen = Array.from({ length: casesAtOnce }, (_, number) => fullestNode(before, number));
  const said = chosen.map((node) => namedPods(view, node));

  for (const name of chosen)
    await cluster.api.patch({ kind: 'Node', name }, { body: { spec: { unschedulable: true } } });
  const leaving = before.filter(({ nodeName }) => chosen.includes(nodeName ?? ''));
  for (const { name } of leaving) await cluster.api.delete({ kind: 'Pod', name });
  const gone = new Set(leaving.map(({ uid }) => uid));
  const after = await settled({ what: 'the replacements', expected, round, gone });

  const known = new Set(before.map(({ uid }) => uid));
  const outcomes = chosen.map((node, number): Outcome => {
    const pending = after.filter(
      (pod) => pod.nodeName === undefined && !known.has(pod.uid) && caseOf(pod) === number,
    ).length;
    const named = said[number]?.size ?? 0;
    const outcome = { what: `round ${String(round)}, ${node}`, said: named, pending };
    if (named <= pending) return outcome;
    const ofCase = (pods: readonly PodView[]): PodView[] => pods.filter((pod) => caseOf(pod) === number);
    return { ...outcome, scene: [...sceneOf(ofCase(before)), 'afterwards', ...sceneOf(ofCase(after))] };
  });
  await cleanUp(
    deployments.flat().map(({ metadata }) => metadata.name),
    chosen,
  );
  return outcomes;
}

/** All pods of the round, as soon as each has a node or is known to find none, and that stays so. */
async function settled(wait: {
  readonly what: string;
  readonly expected: number;
  readonly round: number;
  readonly gone?: ReadonlySet<string>;
}): Promise<PodView[]> {
  let seen = { state: '', since: 0 };
  return await waitFor({
    what: `${wait.what} of round ${String(wait.round)} to be placed or known to find no place`,
    timeoutMs: 90_000,
    intervalMs: 200,
    probe: () => {
      const pods = [...cache.view().pods.values()].filter(({ labels }) => labels['round'] === String(wait.round));
      const isDecided = pods.every(
        (pod) => !pod.terminating && (pod.nodeName !== undefined || pod.unschedulableReason !== undefined),
      );
      if (pods.length !== wait.expected || !isDecided || pods.some(({ uid }) => wait.gone?.has(uid))) return undefined;
      const state = pods.map((pod) => `${pod.uid} ${pod.nodeName ?? ''}`).join();
      if (state !== seen.state) seen = { state, since: Date.now() };
      return Date.now() - seen.since >= quietMs ? pods : undefined;
    },
  });
}

function sceneOf(pods: readonly PodView[]): readonly string[] {
  return pods
    .map(({ name, nodeName = 'Pending', requests, nodeSelector, affinity, antiAffinity, hardSpread, hostPorts }) =>
      JSON.stringify({ name, nodeName, requests, nodeSelector, affinity, antiAffinity, hardSpread, hostPorts }),
    )
    .sort();
}

function caseOf({ labels }: PodView): number {
  return Number(labels['capacity-case']?.slice('case-'.length));
}

function fullestNode(pods: readonly PodView[], number: number): string {
  const counts = new Map<string, number>();
  for (const pod of pods) {
    if (caseOf(pod) === number && pod.nodeName !== undefined) {
      counts.set(pod.nodeName, (counts.get(pod.nodeName) ?? 0) + 1);
    }
  }
  const [fullest] = [...counts].sort(([, one], [, other]) => other - one);
  if (fullest === undefined) throw new Error(`case ${String(number)} has no pod on a node`);
  return fullest[0];
}

/** Of both findings that say so. */
function namedPods(view: ClusterView, name: string): ReadonlySet<string> {
  const node = view.nodes.get(name);
  if (node === undefined) throw new Error(`${name} is not in the view`);
  const { findings } = evaluateNode({
    view,
    node,
    moment: 'before-cordon',
    run: undefined,
    selection: [],
    nodes: { maxUnavailable: 1 },
    gates: {
      replicaSpread: { minReadyElsewhere: 0, singletons: 'allow' },
      managedBudgets: [],
      capacity: { mode: 'warn' },
    },
    drain: drainPolicy,
    api: { ready: true, message: '' },
  });
  const pods = new Set([...view.pods.values()].map((pod) => `Pod ${podKey(pod)}`));
  const meant = findings.filter(({ code }) => code === 'no-capacity' || code === 'short-during-turn');
  return new Set(meant.flatMap(({ objects }) => objects).filter((object) => pods.has(object)));
}

async function cleanUp(deployments: readonly string[], nodes: readonly string[]): Promise<void> {
  for (const name of deployments) {
    await cluster.api.delete({ kind: 'Deployment', name }, { propagationPolicy: 'Background' });
  }
  for (const name of nodes)
    await cluster.api.patch({ kind: 'Node', name }, { body: { spec: { unschedulable: false } } });
  await waitFor({
    what: 'the pods of the round to be gone',
    timeoutMs: 60_000,
    probe: async () => (await cluster.api.list({ kind: 'Pod', namespace: 'default' })).length === 0,
  });
}
