import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, cordonsOf, expectEnd, interrupt, letGo, untilScriptRuns, waitingScript } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import type { OtherObject } from '../objects.js';
import { updateScript, writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { evictions, installTurnus, phasesOf, runOf, runs, systemNamespace, turnsOf, untilTurn } from '../runReport.js';
import type { TurnReport } from '../runReport.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

const hold = 'turnus.dev/hold';

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 9 });
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

async function annotate(node: string, reason: string | null): Promise<void> {
  await cluster.api.patch({ kind: 'Node', name: node }, { body: { metadata: { annotations: { [hold]: reason } } } });
}

async function isCordoned(node: string): Promise<boolean> {
  return (await cluster.api.get({ kind: 'Node', name: node })).spec.unschedulable === true;
}

async function onlyTurn(playbook: string): Promise<TurnReport> {
  const [turn] = await turnsOf(cluster, playbook);
  if (turn === undefined) throw new Error(`run of ${playbook} has no turn`);
  return turn;
}

async function findRun(name: string): Promise<OtherObject | undefined> {
  return await cluster.api.find({ kind: 'MaintenanceRun', namespace: systemNamespace, name });
}

async function deleteRun(name: string): Promise<void> {
  await cluster.api.delete({ kind: 'MaintenanceRun', namespace: systemNamespace, name });
}

async function untilRunGone(name: string): Promise<void> {
  await waitFor({ what: `the end of run ${name}`, probe: async () => (await findRun(name)) === undefined });
}

describe('a host that changed while nobody acted', () => {
  it('leaves its node cordoned and fails the turn when it refuses sudo to the second start', async () => {
    const host = hosts.host('node-1');
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'sudo',
      nodes: ['node-1'],
      script: waitingScript,
      spec: { host: { update: { timeout: '30s' } } },
    });
    const first = attempts.start(playbook);
    await untilScriptRuns(host);
    await interrupt(first);
    expect(await phasesOf(cluster, 'sudo')).toEqual(['node-1 Updating']);
    expect(await isCordoned('node-1')).toBe(true);

    await host.setSudo('password-required');
    await expectEnd(attempts.start(playbook), 4);
    expect(await phasesOf(cluster, 'sudo')).toEqual(['node-1 Failed']);
    expect((await onlyTurn('sudo')).message).toContain('password is required');
    expect(await isCordoned('node-1')).toBe(true);
    expect(cordonsOf(watcher, 'node-1')).toEqual(['cordoned']);
    expect(await host.counter('updates')).toBe(1);
    expect(host.bootIds).toHaveLength(1);
    await letGo(host);
  });
});

describe('a person who takes over a node whose script runs, after the actor was killed', () => {
  it('is waited for before the reboot; then the node is cordoned and emptied again, and rebooted once', async () => {
    const host = hosts.host('node-2');
    const place = { cluster, playbook: 'held', node: 'node-2' };
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'held',
      nodes: ['node-2'],
      script: waitingScript,
    });
    const first = attempts.start(playbook);
    await untilScriptRuns(host);
    first.kill('SIGKILL');
    await first.exited;
    const { actor } = await onlyTurn('held');

    await cluster.api.patch(
      { kind: 'Node', name: 'node-2' },
      { body: { spec: { unschedulable: null }, metadata: { annotations: { [hold]: 'a disk is looked at' } } } },
    );
    const moved = preferring('node-2', 'moved');
    await createReady(cluster.api, [moved]);
    expect(await nodesOfPods('moved')).toContain('node-2');
    const served = await startReadyWatcher({ api: cluster.api, workloads: [moved] });

    const second = attempts.start(playbook);
    await untilTurn(
      { ...place, what: 'taken over' },
      (turn) => turn.actor !== actor && turn.phase === 'Updating' && turn.waitingFor !== undefined,
    );
    await letGo(host);
    const held = await untilTurn(
      { ...place, what: 'waiting for the hold' },
      ({ waitingFor }) => waitingFor?.what.includes('a disk is looked at') ?? false,
    );
    expect(held).toMatchObject({ phase: 'Rebooting', jobs: { update: { state: 'exited', exitCode: 0 } } });
    expect(held.rebootRequestedAt).toBeUndefined();
    const released = Date.now();
    await annotate('node-2', null);
    await expectEnd(second, 0);
    await served.stop();

    const turn = await onlyTurn('held');
    expect(turn.phase).toBe('Done');
    expect(Date.parse(turn.rebootRequestedAt ?? '')).toBeGreaterThanOrEqual(released);
    expect(host.bootIds).toHaveLength(2);
    expect(await host.counter('updates')).toBe(1);
    await waitFor({ what: 'the watcher to see it', probe: () => cordonsOf(watcher, 'node-2').length === 4 });
    expect(cordonsOf(watcher, 'node-2')).toEqual(['cordoned', 'uncordoned', 'cordoned', 'uncordoned']);
    // Emptied: its pods live elsewhere, and none went through the reboot.
    expect(await nodesOfPods('moved')).not.toContain('node-2');
    expect(await restartsOfPods('moved')).toEqual([0, 0]);
    expect(served.workload('moved').minimumReady).toBeGreaterThanOrEqual(1);
    const evicted = (await evictions(cluster)).map(({ pod }) => pod);
    expect(evicted.some((pod) => pod.startsWith('default/moved-'))).toBe(true);
    expect(new Set(evicted).size).toBe(evicted.length);
  });
});

function preferring(node: string, name: string): ReturnType<typeof deployment> {
  const preference = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] };
  return deployment({
    name,
    podSpec: {
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference }] } },
    },
  });
}

async function nodesOfPods(app: string): Promise<string[]> {
  const pods = await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector: `app=${app}` });
  return pods.map(({ spec }) => spec.nodeName ?? '');
}

async function restartsOfPods(app: string): Promise<number[]> {
  const pods = await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector: `app=${app}` });
  return pods.map(({ status }) => status?.containerStatuses?.[0]?.restartCount ?? -1);
}

describe('a failed turn whose run was deleted', () => {
  it('leaves the node cordoned in the next run as long as a person holds it', async () => {
    const host = hosts.host('node-3');
    const script = updateScript('echo half an update; exit 1');
    const playbook = await writePlaybook({ cluster, hosts, name: 'failed', nodes: ['node-3'], script });
    await expectEnd(attempts.start(playbook), 4);
    const { name, uid, finalizers } = await runOf(cluster, 'failed');
    expect(finalizers).toEqual([]);
    await annotate('node-3', 'half updated');
    await deleteRun(name);
    await untilRunGone(name);

    await expectEnd(attempts.start(playbook), 3);
    expect((await runOf(cluster, 'failed')).uid).not.toBe(uid);
    const turn = await onlyTurn('failed');
    expect(turn.phase).toBe('Blocked');
    expect(turn.findings?.map(({ code }) => code)).toContain('node-held');
    expect(await isCordoned('node-3')).toBe(true);
    expect(cordonsOf(watcher, 'node-3')).toEqual(['cordoned']);
    expect(await host.counter('updates')).toBe(1);
    expect(host.bootIds).toHaveLength(1);
  });
});

describe('Ctrl-C while the host is down for its reboot', () => {
  /** Interrupts the run when the host has gone down, and starts it again. */
  async function secondStart(
    name: string,
    node: string,
    rebootTimeout: string,
  ): Promise<ReturnType<Attempts['start']>> {
    const host = hosts.host(node);
    await host.setOnReboot('never-returns');
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name,
      nodes: [node],
      spec: { host: { reboot: { timeout: rebootTimeout } } },
    });
    const first = attempts.start(playbook);
    await waitFor({ what: `${node} down`, timeoutMs: 60_000, intervalMs: 10, probe: () => !host.isOn });
    await interrupt(first);
    const { phase, actor, rebootRequestedAt } = await onlyTurn(name);
    expect(phase).toBe('Rebooting');
    expect(rebootRequestedAt).toBeDefined();

    const second = attempts.start(playbook);
    const { waitingFor } = await untilTurn(
      { cluster, playbook: name, node, what: 'waiting for the boot' },
      (turn) => turn.actor !== actor && turn.waitingFor !== undefined,
    );
    const [seconds = 0] = rebootTimeout.split('s').map(Number);
    expect(Date.parse(waitingFor?.until ?? '') - Date.now()).toBeLessThanOrEqual(seconds * 1000);
    return second;
  }

  it('makes the second start wait for the boot and finish; the host has rebooted once', async () => {
    const host = hosts.host('node-4');
    const second = await secondStart('boots', 'node-4', '40s');
    await host.setOnReboot('normal');
    await host.powerOn();
    await expectEnd(second, 0);
    expect(await phasesOf(cluster, 'boots')).toEqual(['node-4 Done']);
    expect(host.bootIds).toHaveLength(2);
    expect(await host.counter('updates')).toBe(1);
  });

  it('makes the second start give up when reboot.timeout is over, and leave the node cordoned', async () => {
    const second = await secondStart('dark', 'node-5', '12s');
    await expectEnd(second, 4, 25_000);
    const turn = await onlyTurn('dark');
    expect(turn.phase).toBe('Failed');
    expect(turn.message).toMatch(/did not come back/);
    expect(await isCordoned('node-5')).toBe(true);
    expect(cordonsOf(watcher, 'node-5')).toEqual(['cordoned']);
  });
});

describe('a run that is deleted while the host of a node is touched', () => {
  async function runWithOrder(playbook: string): Promise<{ name: string; uid: string; order: string[] }> {
    return await waitFor({
      what: `the run of ${playbook} in its order`,
      probe: async () => {
        const run = (await runs(cluster)).find((candidate) => candidate.name.startsWith(`${playbook}-`));
        return run?.status.order === undefined ? undefined : { ...run, order: run.status.order };
      },
    });
  }

  it('stays until that turn is finished and begins no other; the next run takes the rest', async () => {
    const nodes = ['node-6', 'node-7'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'deleted', nodes, script: waitingScript });
    const first = attempts.start(playbook);
    const { name, uid, order } = await runWithOrder('deleted');
    const [one = '', other = ''] = order;
    await untilScriptRuns(hosts.host(one));
    await interrupt(first);
    await deleteRun(name);
    expect((await findRun(name))?.metadata).toMatchObject({ uid, deletionTimestamp: expect.any(String) as string });

    const second = attempts.start(playbook);
    await letGo(hosts.host(one));
    await letGo(hosts.host(other));
    await expectEnd(second, [5, 7]);
    await untilRunGone(name);
    const lastTurn = (await cluster.api.get({ kind: 'Node', name: one })).metadata.annotations?.[
      'turnus.dev/last-turn'
    ];
    expect(lastTurn).toContain(name);
    expect(await isCordoned(one)).toBe(false);
    expect(hosts.host(one).bootIds).toHaveLength(2);
    expect(cordonsOf(watcher, other)).toEqual([]);
    expect(await hosts.host(other).counter('updates')).toBe(0);

    await expectEnd(attempts.start(playbook), 0);
    expect((await runOf(cluster, 'deleted')).uid).not.toBe(uid);
    expect((await phasesOf(cluster, 'deleted')).sort()).toEqual(['node-6 Done', 'node-7 Done']);
    for (const node of nodes) {
      expect(await hosts.host(node).counter('updates'), node).toBe(1);
      expect(hosts.host(node).bootIds, node).toHaveLength(2);
    }
  });

  it('is ended by the actor at work after that turn', async () => {
    const nodes = ['node-8', 'node-9'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'dropped', nodes, script: waitingScript });
    const turnus = attempts.start(playbook);
    const { name, order } = await runWithOrder('dropped');
    const [one = '', other = ''] = order;
    await untilScriptRuns(hosts.host(one));
    await deleteRun(name);
    await letGo(hosts.host(one));
    await expectEnd(turnus, [5, 7]);
    await untilRunGone(name);
    expect(turnus.stderr()).toContain('was deleted');
    expect(await isCordoned(one)).toBe(false);
    expect(hosts.host(one).bootIds).toHaveLength(2);
    expect(cordonsOf(watcher, other)).toEqual([]);
    expect(await hosts.host(other).counter('updates')).toBe(0);
  });
});
