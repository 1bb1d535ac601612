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
import { updateScript, writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { evictions, installTurnus, phasesOf, runOf, turnsOf, untilTurn } from '../runReport.js';
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
  cluster = await startCluster({ nodes: 6 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
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

/** As `kubectl uncordon` does; the annotations stay as they are. */
async function uncordon(name: string): Promise<void> {
  await cluster.api.patch({ kind: 'Node', name }, { body: { spec: { unschedulable: null } } });
}

/** A playbook for this node alone. */
async function playbookFor(name: string, node: string, script = waitingScript): Promise<string> {
  const spec = { health: { consecutive: 1, interval: '200ms' }, settle: { time: '200ms' } };
  return await writePlaybook({ cluster, hosts, name, nodes: [node], script, spec });
}

async function podsOf(app: string): Promise<Pod[]> {
  return await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector: `app=${app}` });
}

/** A workload that lands on this node, as soon as the taint of its cordon is gone. */
async function landOn(node: string, app: string, stopMs = 500): Promise<void> {
  await waitFor({
    what: `${node} without taints`,
    probe: async () => ((await nodeOf(node)).spec.taints ?? []).length === 0,
  });
  await createReady(cluster.api, [deployment({ name: app, stopMs, prefers: node })]);
  expect((await podsOf(app)).map(({ spec }) => spec.nodeName)).toContain(node);
}

/** One pod on this node, so that there is something to evict. */
async function singletonOn(node: string, app: string, stopMs: number): Promise<void> {
  await createReady(cluster.api, [deployment({ name: app, replicas: 1, stopMs, prefers: node })]);
  expect((await podsOf(app)).map(({ spec }) => spec.nodeName)).toEqual([node]);
}

async function evictionsOf(app: string): Promise<number> {
  return (await evictions(cluster)).filter(({ pod }) => pod.startsWith(`default/${app}-`)).length;
}

/** All of its pods run elsewhere, at least one was evicted, and none of them has seen the node's reboot. */
async function expectMovedAway(app: string, node: string): Promise<void> {
  const pods = await podsOf(app);
  expect(pods.map(({ spec }) => spec.nodeName)).not.toContain(node);
  expect(pods.map(({ status }) => status?.containerStatuses?.[0]?.restartCount)).toEqual([0, 0]);
  expect(await evictionsOf(app)).toBeGreaterThanOrEqual(1);
}

/** The cordon is there and is this run's. */
async function expectCordonedAsOurs(node: string, playbook: string): Promise<void> {
  const { spec, metadata } = await nodeOf(node);
  expect(spec.unschedulable).toBe(true);
  expect(metadata.annotations?.[cordonedBy]).toBe((await runOf(cluster, playbook)).name);
}

/** Cordoned so often; updated and rebooted once; back in service with the mark of its last turn alone. */
async function expectDone(node: string, playbook: string, cordons = 2): Promise<void> {
  expect(await phasesOf(cluster, playbook)).toEqual([`${node} Done`]);
  const expected = Array.from({ length: cordons }, () => ['cordoned', 'uncordoned']).flat();
  await waitFor({ what: 'the watcher to see it', probe: () => cordonsOf(watcher, node).length >= expected.length });
  expect(cordonsOf(watcher, node)).toEqual(expected);
  expect(await hosts.host(node).counter('updates')).toBe(1);
  expect(hosts.host(node).bootIds).toHaveLength(2);
  const annotations = Object.keys((await nodeOf(node)).metadata.annotations ?? {});
  expect(annotations.filter((key) => key.startsWith('turnus.dev/'))).toEqual(['turnus.dev/last-turn']);
}

async function untilHeld(playbook: string, node: string, reason: string): Promise<TurnReport> {
  return await untilTurn(
    { cluster, playbook, node, what: 'waiting for the hold' },
    ({ waitingFor }) => waitingFor?.what.includes(reason) ?? false,
  );
}

describe('a person who uncordons the node in its turn', () => {
  it('during the drain, does not keep it from being cordoned anew and emptied before its host is touched', async () => {
    const node = 'node-1';
    await singletonOn(node, 'slow', 7000);
    const turnus = attempts.start(await playbookFor('in-drain', node));
    await untilPodsLeave(cluster, node);
    await uncordon(node);

    await untilScriptRuns(hosts.host(node));
    await expectCordonedAsOurs(node, 'in-drain');
    expect((await podsOf('slow')).map(({ spec }) => spec.nodeName)).not.toContain(node);
    expect(await evictionsOf('slow')).toBe(1);
    await letGo(hosts.host(node));
    await expectEnd(turnus, 0);
    await expectDone(node, 'in-drain');
  });

  it('while it is held before its job, finds it cordoned and emptied again before the job', async () => {
    const node = 'node-2';
    await singletonOn(node, 'lingering', 2000);
    const turnus = attempts.start(await playbookFor('before-job', node));
    await untilPodsLeave(cluster, node);
    await annotate(node, { [hold]: 'the network team looks at it' });
    await untilHeld('before-job', node, 'the network team looks at it');
    await uncordon(node);
    await landOn(node, 'landed-before-job');
    expect(await hosts.host(node).counter('updates')).toBe(0);
    await annotate(node, { [hold]: null });

    await untilScriptRuns(hosts.host(node));
    await expectCordonedAsOurs(node, 'before-job');
    await expectMovedAway('landed-before-job', node);
    await letGo(hosts.host(node));
    await expectEnd(turnus, 0);
    await expectDone(node, 'before-job');
  });

  it('during the job, finds it cordoned as ours and emptied again before the reboot', async () => {
    const node = 'node-3';
    const turnus = attempts.start(await playbookFor('in-job', node));
    await untilScriptRuns(hosts.host(node));
    await uncordon(node);
    await annotate(node, { [cordonedBy]: null });
    await landOn(node, 'landed-in-job');

    await letGo(hosts.host(node));
    await untilTurn(
      { cluster, playbook: 'in-job', node, what: 'rebooting' },
      ({ rebootRequestedAt }) => rebootRequestedAt !== undefined,
    );
    await expectCordonedAsOurs(node, 'in-job');
    await expectMovedAway('landed-in-job', node);
    await expectEnd(turnus, 0);
    await expectDone(node, 'in-job');
    await expectMovedAway('landed-in-job', node);
  });

  it('and once more while it is emptied before the reboot, does not get a reboot with pods on it', async () => {
    const node = 'node-5';
    const turnus = attempts.start(await playbookFor('twice', node));
    await untilScriptRuns(hosts.host(node));
    await uncordon(node);
    await landOn(node, 'landed-twice', 7000);
    await letGo(hosts.host(node));
    await untilPodsLeave(cluster, node);
    await uncordon(node);
    await expectEnd(turnus, 0);
    await expectMovedAway('landed-twice', node);
    await expectDone(node, 'twice', 3);
  });

  it('during a job that fails, finds it cordoned as ours: an unproven host gets no pods', async () => {
    const node = 'node-6';
    const script = updateScript('until [ -e /srv/host/go ]; do sleep 0.1; done; exit 1');
    const turnus = attempts.start(await playbookFor('fails', node, script));
    await untilScriptRuns(hosts.host(node));
    await uncordon(node);
    await letGo(hosts.host(node));
    await expectEnd(turnus, 4);
    const [turn] = await turnsOf(cluster, 'fails');
    expect(turn).toMatchObject({ phase: 'Failed', failure: { node: 'cordoned', host: 'touched' } });
    await expectCordonedAsOurs(node, 'fails');
    expect(cordonsOf(watcher, node)).toEqual(['cordoned', 'uncordoned', 'cordoned']);
  });
});

describe('a hold that is set during the job', () => {
  it('keeps the host from its reboot until it is gone, also where somebody uncordons the node meanwhile', async () => {
    const node = 'node-4';
    const host = hosts.host(node);
    const turnus = attempts.start(await playbookFor('hold', node));
    await untilScriptRuns(host);
    await annotate(node, { [hold]: 'a disk is looked at' });
    await letGo(host);
    const held = await untilHeld('hold', node, 'a disk is looked at');
    expect(held).toMatchObject({ phase: 'Rebooting', jobs: { update: { state: 'exited', exitCode: 0 } } });
    expect(held.waitingFor?.who).toContain(`kubectl annotate node ${node} ${hold}-`);

    await uncordon(node);
    await landOn(node, 'landed-in-hold');
    const [stillHeld] = await turnsOf(cluster, 'hold');
    expect(stillHeld?.phase).toBe('Rebooting');
    expect(stillHeld?.rebootRequestedAt).toBeUndefined();
    expect(host.bootIds).toHaveLength(1);
    const released = Date.now();
    await annotate(node, { [hold]: null });
    await expectEnd(turnus, 0);

    const [turn] = await turnsOf(cluster, 'hold');
    expect(Date.parse(turn?.rebootRequestedAt ?? '')).toBeGreaterThanOrEqual(released);
    await expectMovedAway('landed-in-hold', node);
    await expectDone(node, 'hold');
  });
});
