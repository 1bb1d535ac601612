import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  attemptsOn,
  cordonsOf,
  expectEnd,
  letGo,
  untilPodsLeave,
  untilScriptRuns,
  waitingScript,
} from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { nodeObject } from '../nodes.js';
import type { Node } from '../objects.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { evictions, installTurnus, phasesOf, runOf, turnsOf, turnusWrites } from '../runReport.js';
import type { TurnReport } from '../runReport.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

const cordonedBy = 'turnus.dev/cordoned-by';

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 7 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 4 })]);
  watcher = await startReadyWatcher({ api: cluster.api, workloads: [] });
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

const quick = { health: { consecutive: 1, interval: '200ms' }, settle: { time: '200ms' } };

async function nodeOf(name: string): Promise<Node> {
  return await cluster.api.get({ kind: 'Node', name });
}

/** As `kubectl cordon` and `kubectl uncordon` do; the annotations stay as they are. */
async function setUnschedulable(name: string, unschedulable: true | null): Promise<void> {
  await cluster.api.patch({ kind: 'Node', name }, { body: { spec: { unschedulable } } });
}

async function turnOf(playbook: string, node: string): Promise<TurnReport> {
  const turn = (await turnsOf(cluster, playbook)).find((candidate) => candidate.node === node);
  if (turn === undefined) throw new Error(`run of ${playbook} has no turn of ${node}`);
  return turn;
}

/** The node was updated and rebooted once, is back in service, and nothing but its last turn is marked on it. */
async function expectOneTurn(node: string): Promise<void> {
  expect(await hosts.host(node).counter('updates')).toBe(1);
  expect(hosts.host(node).bootIds).toHaveLength(2);
  const { spec, metadata } = await nodeOf(node);
  expect(spec.unschedulable ?? false).toBe(false);
  expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('turnus.dev/'))).toEqual([
    'turnus.dev/last-turn',
  ]);
}

describe('a node that somebody else has cordoned', () => {
  const nodes = ['node-1', 'node-2', 'node-3'];

  beforeAll(async () => {
    await setUnschedulable('node-1', true);
  });

  /** It is as the person left it. */
  async function expectLeftAlone(): Promise<void> {
    const { spec, metadata } = await nodeOf('node-1');
    expect(spec.unschedulable).toBe(true);
    expect(metadata.annotations).not.toHaveProperty([cordonedBy]);
    expect(cordonsOf(watcher, 'node-1')).toEqual(['cordoned']);
    expect(await hosts.host('node-1').counter('updates')).toBe(0);
  }

  it('uses up maxUnavailable 1: the others have no room, nothing is touched, exit 3', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'no-room', nodes, spec: quick });
    await expectEnd(attempts.start(playbook), 3);
    const blocks = (await turnsOf(cluster, 'no-room')).map(({ node, phase, findings = [] }) => ({
      node,
      phase,
      codes: findings.filter(({ severity }) => severity === 'block').map(({ code }) => code),
    }));
    expect(blocks).toEqual([
      { node: 'node-1', phase: 'Blocked', codes: ['already-cordoned'] },
      { node: 'node-2', phase: 'Deferred', codes: ['no-room'] },
      { node: 'node-3', phase: 'Deferred', codes: ['no-room'] },
    ]);
    expect((await turnOf('no-room', 'node-2')).message).toContain('(node-1: cordoned)');
    expect((await turnusWrites(cluster)).filter(({ resource }) => resource === 'nodes')).toEqual([]);
    expect(await evictions(cluster)).toEqual([]);
    for (const node of nodes) expect(await hosts.host(node).counter('updates')).toBe(0);
    await expectLeftAlone();
  });

  it('leaves room for one with maxUnavailable 2: the others are done, exit 3, and it stays cordoned', async () => {
    const spec = { ...quick, nodes: { maxUnavailable: 2 } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'room', nodes, spec });
    await expectEnd(attempts.start(playbook), 3);
    expect(await phasesOf(cluster, 'room')).toEqual(['node-1 Blocked', 'node-2 Done', 'node-3 Done']);
    expect(watcher.nodes().maximumUnavailable).toBe(2);
    for (const node of ['node-2', 'node-3']) await expectOneTurn(node);
    await expectLeftAlone();
    await setUnschedulable('node-1', null);
  });
});

describe('a node that is deleted in its turn', () => {
  it('before its host is touched, is skipped, and the run goes on with the next', async () => {
    await createReady(cluster.api, [deployment({ name: 'leaving', replicas: 1, stopMs: 20_000, prefers: 'node-4' })]);
    const nodes = ['node-4', 'node-5'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'deleted', nodes, spec: quick });
    const turnus = attempts.start(playbook);
    await untilPodsLeave(cluster, 'node-4');
    await cluster.api.delete({ kind: 'Node', name: 'node-4' });
    await expectEnd(turnus, 0);
    expect(await phasesOf(cluster, 'deleted')).toEqual(['node-4 Skipped', 'node-5 Done']);
    expect((await turnOf('deleted', 'node-4')).message).toContain('no longer in the cluster');
    expect(turnus.stderr()).not.toContain('Somebody uncordoned');
    const { status } = await runOf(cluster, 'deleted');
    expect(status).toMatchObject({ phase: 'Completed', counts: { total: 1, done: 1 } });
    expect(await hosts.host('node-4').counter('updates')).toBe(0);
  });

  it('after its host was touched, has failed: exit 4, and the next node is not begun', async () => {
    const nodes = ['node-6', 'node-7'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'lost', nodes, script: waitingScript, spec: quick });
    const turnus = attempts.start(playbook);
    await untilScriptRuns(hosts.host('node-6'));
    await cluster.api.delete({ kind: 'Node', name: 'node-6' });
    await letGo(hosts.host('node-6'));
    await expectEnd(turnus, 4);
    expect(await phasesOf(cluster, 'lost')).toEqual(['node-6 Failed', 'node-7 Pending']);
    expect((await turnOf('lost', 'node-6')).message).toContain('no longer in the cluster');
    expect(hosts.host('node-6').bootIds).toHaveLength(1);
    expect(await hosts.host('node-7').counter('updates')).toBe(0);
    expect(cordonsOf(watcher, 'node-7')).toEqual([]);
  });
});

describe('a node that is added while the run is in work', () => {
  it('comes last in the order, and has its turn in the next call of the same run', async () => {
    const nodes = ['node-1', 'node-4'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'grows', nodes, script: waitingScript, spec: quick });
    const first = attempts.start(playbook);
    await untilScriptRuns(hosts.host('node-1'));
    await register('node-4');
    for (const node of nodes) await letGo(hosts.host(node));
    await expectEnd(first, 0);
    const { uid, status } = await runOf(cluster, 'grows');
    expect(status.order).toEqual(['node-1']);
    expect(await hosts.host('node-4').counter('updates')).toBe(0);

    await expectEnd(attempts.start(playbook), 0);
    const run = await runOf(cluster, 'grows');
    expect(run.uid).toBe(uid);
    expect(run.status.order).toEqual(nodes);
    expect(await phasesOf(cluster, 'grows')).toEqual(['node-1 Done', 'node-4 Done']);
    for (const node of nodes) await expectOneTurn(node);
  });
});

/** A kubelet registers its node anew, with the address and the boot of its machine. */
async function register(name: string): Promise<void> {
  const number = Number(name.replace('node-', ''));
  const { address, bootId } = hosts.host(name);
  const node = nodeObject({ number, zones: 3, address });
  node.status.nodeInfo.bootID = bootId;
  await cluster.api.create(node);
  await cluster.untilNodeReady(name);
}
