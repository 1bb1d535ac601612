import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, cordonsOf, expectEnd, letGo } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startDenyingWebhook } from '../denyingWebhook.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { updateScript, writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { expectExit, installTurnus, phasesOf, runOf, runs, turnsOf, turnusWrites } from '../runReport.js';
import type { RunReport } from '../runReport.js';
import { cordonOf, podsOn } from '../trouble.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
let attempts: Attempts;

const nodes = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5', 'node-6'];
const web = deployment({ name: 'web', replicas: 8, spread: { over: 'node', mode: 'prefer' } });

beforeAll(async () => {
  cluster = await startCluster({ nodes: 12, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [web]);
  watcher = await startReadyWatcher({ api: cluster.api, workloads: [web] });
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

/** A local time of the playbooks' zone, UTC. */
function wallTime(at: number): string {
  return new Date(at).toISOString().slice(0, 19);
}

function seconds(from: number, until: number): string {
  return `${String(Math.round((until - from) / 1000))}s`;
}

/** A window by its times, which are whole seconds. */
function once(opensAt: number, closesAt: number): { from: string; duration: string } {
  return { from: wallTime(opensAt), duration: seconds(opensAt, closesAt) };
}

function secondsFromNow(count: number): number {
  return (Math.floor(Date.now() / 1000) + count) * 1000;
}

async function untilPast(at: number): Promise<void> {
  await waitFor({ what: wallTime(at), timeoutMs: 120_000, probe: () => Date.now() > at });
}

/** The nodes had their last turns so long ago, the first longest. */
async function waitedInThisOrder(order: readonly string[]): Promise<void> {
  for (const [place, name] of order.entries()) {
    const time = new Date(Date.UTC(2026, 0, 1 + place)).toISOString();
    const annotations = { 'turnus.dev/last-turn': JSON.stringify({ time, run: 'earlier-2026-01' }) };
    await cluster.api.patch({ kind: 'Node', name }, { body: { metadata: { annotations } } });
  }
}

async function turnus(...args: string[]) {
  return await runTurnus(args, { kubeconfig: cluster.kubeconfigPath });
}

async function writesSoFar(): Promise<number> {
  return (await turnusWrites(cluster)).length;
}

/** When each node was cordoned, by what the API server showed. */
function cordonedAt(names: readonly string[]): { node: string; at: number }[] {
  return watcher
    .nodes()
    .timeline.filter(({ node, change }) => change === 'cordoned' && names.includes(node))
    .map(({ node, time }) => ({ node, at: time.getTime() }));
}

async function runNamed(name: string): Promise<RunReport> {
  const found = (await runs(cluster)).find((run) => run.name === name);
  if (found === undefined) throw new Error(`no run ${name}`);
  return found;
}

/** A script that waits on this node until {@link letGo}, and nowhere else. */
function waitingOn(node: string): string {
  return updateScript(`if [ "$TURNUS_NODE" = ${node} ]; then until [ -e /srv/host/go ]; do sleep 0.1; done; fi`);
}

async function untilUpdated(node: string): Promise<void> {
  await waitFor({
    what: `the script on ${node}`,
    timeoutMs: 120_000,
    probe: async () => (await hosts.host(node).counter('updates')) === 1,
  });
}

describe('a window that closes', () => {
  const order = ['node-4', 'node-6', 'node-2', 'node-1', 'node-3', 'node-5'];

  it('has three of six nodes, and the next one the others, those first that have waited longest', async () => {
    await waitedInThisOrder(order);
    const [opens, closes] = [secondsFromNow(-5), secondsFromNow(75)];
    const [opensAgain, closesAgain] = [closes + 45_000, closes + 900_000];
    const journal = join(cluster.directory, 'windows.ndjson');
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'windows',
      nodes,
      script: waitingOn('node-2'),
      spec: {
        schedule: {
          timeZone: 'UTC',
          expectedTurn: '10s',
          windows: [once(opens, closes), once(opensAgain, closesAgain)],
        },
        settle: { time: '200ms', timeout: '1m' },
      },
    });
    const first = attempts.start(playbook, ['--journal', journal]);
    await untilUpdated('node-2');
    await untilPast(closes + 1000);
    // In work and its host touched: it is finished after the close.
    expect(await cordonOf(cluster, 'node-2')).toMatchObject({ unschedulable: true });
    await letGo(hosts.host('node-2'));
    await expectEnd(first, 5);
    expect(await phasesOf(cluster, 'windows')).toEqual(
      order.map((node, place) => `${node} ${place < 3 ? 'Done' : 'Pending'}`),
    );
    const run = await runOf(cluster, 'windows');
    expect(run.status).toMatchObject({ phase: 'AwaitingWindow', counts: { total: 6, done: 3, left: 3 } });
    expect(run.status.waitingFor?.until).toBe(new Date(opensAgain).toISOString());
    expect(first.stderr()).toContain('The 3 nodes that are left are carried over');
    for (const node of nodes) {
      const { spec } = await cluster.api.get({ kind: 'Node', name: node });
      expect(spec.unschedulable ?? false).toBe(false);
      expect((spec.taints ?? []).filter(({ key }) => key.startsWith('turnus.dev/'))).toEqual([]);
    }
    const lines = (await readFile(journal, 'utf8')).trimEnd().split('\n');
    const closed = lines.map((line) => JSON.parse(line) as { type: string; left?: string[] });
    expect(closed.find(({ type }) => type === 'window.closed')?.left).toEqual(order.slice(3));

    const before = await writesSoFar();
    const outside = await turnus('run', '-f', playbook, '--yes');
    expectExit(outside, 5);
    expect(outside.stderr).toContain('is outside of its windows; the next window opens at');
    expect(await writesSoFar()).toBe(before);

    const second = attempts.start(playbook, ['--wait', '--journal', journal]);
    await expectEnd(second, 0, 240_000);
    expect(await phasesOf(cluster, 'windows')).toEqual(order.map((node) => `${node} Done`));
    const cordons = cordonedAt(nodes);
    expect(cordons.map(({ node }) => node)).toEqual(order);
    expect(cordons.slice(0, 3).filter(({ at }) => at < opens || at > closes)).toEqual([]);
    expect(cordons.slice(3).filter(({ at }) => at < opensAgain || at > closesAgain)).toEqual([]);
    for (const node of nodes) expect(await hosts.host(node).counter('updates')).toBe(1);
    expectExit(await turnus('journal', 'verify', journal, '--run', run.name), 0);
  });
});

describe('a freeze that begins in the middle of a window', () => {
  it('gives a node back whose host was not touched, and holds until somebody overrides it by name and reason', async () => {
    const node = 'node-7';
    const [frozen, thawed] = [secondsFromNow(25), secondsFromNow(7200)];
    const stamp = (at: number) => `${wallTime(at).replace(/[-:]/g, '')}Z`;
    const calendar = join(cluster.directory, 'freezes.ics');
    const event = ['UID:1', `DTSTAMP:${stamp(frozen)}`, `DTSTART:${stamp(frozen)}`, `DTEND:${stamp(thawed)}`];
    await writeFile(
      calendar,
      [
        'BEGIN:VCALENDAR',
        'VERSION:2.0',
        'PRODID:-//test//EN',
        'BEGIN:VEVENT',
        ...event,
        'SUMMARY:Release',
        'END:VEVENT',
        'END:VCALENDAR',
        '',
      ].join('\r\n'),
    );
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'frozen',
      nodes: [node],
      spec: {
        schedule: {
          timeZone: 'UTC',
          expectedTurn: '5s',
          windows: [once(secondsFromNow(-5), thawed)],
          freezes: [{ name: 'Releases', calendar: { path: calendar } }],
        },
        settle: { time: '200ms', timeout: '1m' },
      },
    });
    const [pod = ''] = (await podsOn(cluster, node)).filter((key) => key.startsWith('default/'));
    const webhook = await startDenyingWebhook({
      cluster,
      name: 'deny.example.com',
      namespace: 'default',
      pod: pod.slice('default/'.length),
      code: 403,
      message: 'not now',
    });
    const first = attempts.start(playbook);
    await expectEnd(first, 5);
    expect(first.stderr()).toContain('freeze Releases began');
    expect(webhook.asked()).toBeGreaterThan(0);
    expect(cordonsOf(watcher, node)).toEqual(['cordoned', 'uncordoned']);
    expect(cordonedAt([node]).every(({ at }) => at < frozen)).toBe(true);
    expect(await phasesOf(cluster, 'frozen')).toEqual([`${node} Pending`]);
    expect(await hosts.host(node).counter('updates')).toBe(0);
    webhook.relent();

    const before = await writesSoFar();
    for (const args of [[], ['--now', '--reason', 'it is urgent']]) {
      const held = await turnus('run', '-f', playbook, '--yes', ...args);
      expectExit(held, 5);
      expect(held.stderr).toContain('is frozen (Releases)');
    }
    expectExit(await turnus('run', '-f', playbook, '--yes', '--override-freeze', 'Releases'), 2);
    const unknown = await turnus('run', '-f', playbook, '--yes', '--override-freeze', 'Xmas', '--reason', 'urgent');
    expectExit(unknown, 2);
    expect(unknown.stderr).toContain('Its freezes: "Releases"');
    expect(await writesSoFar()).toBe(before);

    const args = ['--override-freeze', 'Releases', '--reason', 'kernel fix that cannot wait'];
    await expectEnd(attempts.start(playbook, args), 0);
    expect(await phasesOf(cluster, 'frozen')).toEqual([`${node} Done`]);
    const { desired } = (await runOf(cluster, 'frozen')).spec;
    expect(desired?.overrides).toMatchObject([{ what: 'freeze Releases', reason: 'kernel fix that cannot wait' }]);
  });
});

describe('the window of the next month', () => {
  const taken = ['node-8', 'node-9', 'node-10'];

  it('supersedes what the last month has left, and has the nodes first that were left', async () => {
    await waitedInThisOrder(taken);
    const now = new Date();
    const lastMonth = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 0, 23, 59, 59);
    const closes = secondsFromNow(50);
    const opens = closes + 10_000;
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'months',
      nodes: taken,
      script: waitingOn('node-8'),
      spec: {
        schedule: {
          timeZone: 'UTC',
          expectedTurn: '5s',
          windows: [once(lastMonth, closes), once(opens, opens + 900_000)],
        },
        settle: { time: '200ms', timeout: '1m' },
      },
    });
    const first = attempts.start(playbook);
    await untilUpdated('node-8');
    await untilPast(closes);
    await letGo(hosts.host('node-8'));
    await expectEnd(first, 5);
    const old = `months-${wallTime(lastMonth).slice(0, 7)}`;
    expect((await turnsOf(cluster, 'months')).map(({ node, phase }) => `${node} ${phase}`)).toEqual([
      'node-8 Done',
      'node-9 Pending',
      'node-10 Pending',
    ]);

    await expectEnd(attempts.start(playbook, ['--wait']), 0, 240_000);
    expect((await runNamed(old)).status.phase).toBe('Superseded');
    const next = await runOf(cluster, 'months');
    expect(next.name).toBe(`months-${wallTime(opens).slice(0, 7)}`);
    expect(next.spec).toMatchObject({ replaces: old });
    expect(await phasesOf(cluster, 'months')).toEqual(['node-9 Done', 'node-10 Done', 'node-8 Done']);
    expect(cordonedAt(taken).map(({ node }) => node)).toEqual(['node-8', 'node-9', 'node-10', 'node-8']);
    const counts = await Promise.all(taken.map((node) => hosts.host(node).counter('updates')));
    expect(counts).toEqual([2, 1, 1]);
  });
});
