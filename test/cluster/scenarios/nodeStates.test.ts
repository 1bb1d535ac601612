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
import type { Node, Pod } from '../objects.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { evictions, installTurnus, phasesOf, runOf, turnsOf, turnusWrites, untilTurn } from '../runReport.js';
import type { TurnReport } from '../runReport.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

const hold = 'turnus.dev/hold';
const cordonedBy = 'turnus.dev/cordoned-by';

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 11 });
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

async function nodeOf(name: string): Promise<Node> {
  return await cluster.api.get({ kind: 'Node', name });
}

async function annotate(name: string, annotations: Record<string, string | null>): Promise<void> {
  await cluster.api.patch({ kind: 'Node', name }, { body: { metadata: { annotations } } });
}

/** As `kubectl cordon` and `kubectl uncordon` do; the annotations stay as they are. */
async function setUnschedulable(name: string, unschedulable: true | null): Promise<void> {
  await cluster.api.patch({ kind: 'Node', name }, { body: { spec: { unschedulable } } });
}

async function podsOf(app: string): Promise<Pod[]> {
  return await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector: `app=${app}` });
}

/** A workload that lands on this node, as soon as the taint of its cordon is gone. */
async function landOn(node: string, app: string): Promise<void> {
  await waitFor({
    what: `${node} without taints`,
    probe: async () => ((await nodeOf(node)).spec.taints ?? []).length === 0,
  });
  await createReady(cluster.api, [deployment({ name: app, prefers: node })]);
  expect((await podsOf(app)).map(({ spec }) => spec.nodeName)).toContain(node);
}

/** All of its pods run elsewhere, at least one was evicted, and none of them has seen the node's reboot. */
async function expectMovedAway(app: string, node: string): Promise<void> {
  const pods = await podsOf(app);
  expect(pods.map(({ spec }) => spec.nodeName)).not.toContain(node);
  expect(pods.map(({ status }) => status?.containerStatuses?.[0]?.restartCount)).toEqual([0, 0]);
  expect((await evictionsOf(app)).length).toBeGreaterThanOrEqual(1);
}

async function evictionsOf(app: string): Promise<{ pod: string; time: Date }[]> {
  return (await evictions(cluster)).filter(({ pod }) => pod.startsWith(`default/${app}-`));
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
    const playbook = await writePlaybook({ cluster, hosts, name: 'no-room', nodes });
    const turnus = attempts.start(playbook);
    await expectEnd(turnus, 3);
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
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'room',
      nodes,
      spec: { nodes: { maxUnavailable: 2 } },
    });
    await expectEnd(attempts.start(playbook), 3);
    expect(await phasesOf(cluster, 'room')).toEqual(['node-1 Blocked', 'node-2 Done', 'node-3 Done']);
    expect(watcher.nodes().maximumUnavailable).toBe(2);
    for (const node of ['node-2', 'node-3']) await expectOneTurn(node);
    await expectLeftAlone();
    await setUnschedulable('node-1', null);
  });
});

describe('a person who uncordons the node in its turn', () => {
  it('during the drain, does not keep it from being cordoned anew and emptied before its host is touched', async () => {
    await createReady(cluster.api, [deployment({ name: 'slow', replicas: 1, stopMs: 7000, prefers: 'node-4' })]);
    const playbook = await writePlaybook({ cluster, hosts, name: 'in-drain', nodes: ['node-4'] });
    const turnus = attempts.start(playbook);
    await untilPodsLeave(cluster, 'node-4');
    await setUnschedulable('node-4', null);
    await expectEnd(turnus, 0);
    expect(await phasesOf(cluster, 'in-drain')).toEqual(['node-4 Done']);
    expect(cordonsOf(watcher, 'node-4')).toEqual(['cordoned', 'uncordoned', 'cordoned', 'uncordoned']);
    expect(await evictionsOf('slow')).toHaveLength(1);
    await expectOneTurn('node-4');
  });

  it('during the job, finds it cordoned as ours and emptied again before the reboot', async () => {
    const node = 'node-5';
    const playbook = await writePlaybook({ cluster, hosts, name: 'in-job', nodes: [node], script: waitingScript });
    const turnus = attempts.start(playbook);
    await untilScriptRuns(hosts.host(node));
    await setUnschedulable(node, null);
    await annotate(node, { [cordonedBy]: null });
    await landOn(node, 'during-job');

    await letGo(hosts.host(node));
    const place = { cluster, playbook: 'in-job', node };
    await untilTurn({ ...place, what: 'rebooting' }, ({ rebootRequestedAt }) => rebootRequestedAt !== undefined);
    const { spec, metadata } = await nodeOf(node);
    expect(spec.unschedulable).toBe(true);
    expect(metadata.annotations?.[cordonedBy]).toBe((await runOf(cluster, 'in-job')).name);
    await expectEnd(turnus, 0);
    expect(cordonsOf(watcher, node)).toEqual(['cordoned', 'uncordoned', 'cordoned', 'uncordoned']);
    await expectMovedAway('during-job', node);
    await expectOneTurn(node);
  });

  it('while it is held before its job, finds it cordoned and emptied again before the job', async () => {
    const node = 'node-6';
    await createReady(cluster.api, [deployment({ name: 'lingering', replicas: 1, stopMs: 2000, prefers: node })]);
    const playbook = await writePlaybook({ cluster, hosts, name: 'before-job', nodes: [node], script: waitingScript });
    const turnus = attempts.start(playbook);
    await untilPodsLeave(cluster, node);
    await annotate(node, { [hold]: 'the network team looks at it' });
    const place = { cluster, playbook: 'before-job', node };
    const isHeld = ({ waitingFor }: TurnReport): boolean => waitingFor?.what.includes('network team') ?? false;
    await untilTurn({ ...place, what: 'held' }, isHeld);
    await setUnschedulable(node, null);
    await landOn(node, 'before-job');
    await annotate(node, { [hold]: null });

    await untilScriptRuns(hosts.host(node));
    const { spec, metadata } = await nodeOf(node);
    expect(spec.unschedulable).toBe(true);
    expect(metadata.annotations?.[cordonedBy]).toBe((await runOf(cluster, 'before-job')).name);
    await expectMovedAway('before-job', node);
    await letGo(hosts.host(node));
    await expectEnd(turnus, 0);
    await expectOneTurn(node);
  });
});

describe('a hold that is set during the job', () => {
  it('keeps the host from its reboot until it is gone, also where somebody uncordons the node meanwhile', async () => {
    const node = 'node-7';
    const host = hosts.host(node);
    const playbook = await writePlaybook({ cluster, hosts, name: 'hold', nodes: [node], script: waitingScript });
    const turnus = attempts.start(playbook);
    await untilScriptRuns(host);
    await annotate(node, { [hold]: 'a disk is looked at' });
    await letGo(host);
    const place = { cluster, playbook: 'hold', node };
    const held = await untilTurn(
      { ...place, what: 'waiting for the hold' },
      ({ waitingFor }) => waitingFor?.what.includes('a disk is looked at') ?? false,
    );
    expect(held).toMatchObject({ phase: 'Rebooting', jobs: { update: { state: 'exited', exitCode: 0 } } });
    expect(held.waitingFor?.who).toContain(`kubectl annotate node ${node} ${hold}-`);
    expect(held.rebootRequestedAt).toBeUndefined();

    await setUnschedulable(node, null);
    await landOn(node, 'in-hold');
    expect(host.bootIds).toHaveLength(1);
    expect((await turnOf('hold', node)).rebootRequestedAt).toBeUndefined();
    const released = Date.now();
    await annotate(node, { [hold]: null });
    await expectEnd(turnus, 0);

    expect(Date.parse((await turnOf('hold', node)).rebootRequestedAt ?? '')).toBeGreaterThanOrEqual(released);
    expect(cordonsOf(watcher, node)).toEqual(['cordoned', 'uncordoned', 'cordoned', 'uncordoned']);
    await expectMovedAway('in-hold', node);
    await expectOneTurn(node);
  });
});

describe('a node that is deleted in its turn', () => {
  it('before its host is touched, is skipped, and the run goes on with the next', async () => {
    await createReady(cluster.api, [deployment({ name: 'leaving', replicas: 1, stopMs: 5000, prefers: 'node-8' })]);
    const playbook = await writePlaybook({ cluster, hosts, name: 'deleted', nodes: ['node-8', 'node-9'] });
    const turnus = attempts.start(playbook);
    await untilPodsLeave(cluster, 'node-8');
    const registered = await nodeOf('node-8');
    await cluster.api.delete({ kind: 'Node', name: 'node-8' });
    await expectEnd(turnus, 0);
    expect(await phasesOf(cluster, 'deleted')).toEqual(['node-8 Skipped', 'node-9 Done']);
    expect((await turnOf('deleted', 'node-8')).message).toContain('no longer in the cluster');
    expect((await runOf(cluster, 'deleted')).status).toMatchObject({
      phase: 'Completed',
      counts: { total: 1, done: 1 },
    });
    expect(await hosts.host('node-8').counter('updates')).toBe(0);
    await register(registered);
  });

  it('after its host was touched, has failed: exit 4, and the next node is not begun', async () => {
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'lost',
      nodes: ['node-10', 'node-11'],
      script: waitingScript,
    });
    const turnus = attempts.start(playbook);
    await untilScriptRuns(hosts.host('node-10'));
    await cluster.api.delete({ kind: 'Node', name: 'node-10' });
    await letGo(hosts.host('node-10'));
    await expectEnd(turnus, 4);
    expect(await phasesOf(cluster, 'lost')).toEqual(['node-10 Failed', 'node-11 Pending']);
    expect((await turnOf('lost', 'node-10')).message).toContain('no longer in the cluster');
    expect(hosts.host('node-10').bootIds).toHaveLength(1);
    expect(await hosts.host('node-11').counter('updates')).toBe(0);
    expect(cordonsOf(watcher, 'node-11')).toEqual([]);
  });
});

describe('a node that is added while the run is in work', () => {
  it('comes last in the order, and has its turn in the next call of the same run', async () => {
    // Two nodes that were done under other playbooks, and one that comes later.
    const registered = await nodeOf('node-8');
    await cluster.api.delete({ kind: 'Node', name: 'node-8' });
    const nodes = ['node-8', 'node-1', 'node-11'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'grows', nodes, script: waitingScript });
    const first = attempts.start(playbook);
    await untilScriptRuns(hosts.host('node-1'));
    await register(registered);
    for (const node of nodes) await letGo(hosts.host(node));
    await expectEnd(first, 0);
    const { uid, status } = await runOf(cluster, 'grows');
    expect(status.order).toEqual(['node-1', 'node-11']);
    expect(await hosts.host('node-8').counter('updates')).toBe(0);

    await expectEnd(attempts.start(playbook), 0);
    const run = await runOf(cluster, 'grows');
    expect(run.uid).toBe(uid);
    expect(run.status.order).toEqual(['node-1', 'node-11', 'node-8']);
    expect(await phasesOf(cluster, 'grows')).toEqual(['node-1 Done', 'node-11 Done', 'node-8 Done']);
    for (const node of nodes) await expectOneTurn(node);
  });
});

/** The node registers again, as a kubelet does: with its address and its boot, and nothing that others wrote on it. */
async function register({ apiVersion, kind, metadata, status }: Node): Promise<void> {
  const { name, labels = {} } = metadata;
  const { capacity, allocatable, addresses, nodeInfo } = status;
  await cluster.api.create<Node>({
    apiVersion,
    kind,
    metadata: { name, labels },
    spec: {},
    status: { capacity, allocatable, addresses, nodeInfo },
  });
  await cluster.untilNodeReady(name);
}
