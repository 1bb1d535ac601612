import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cordonsOf, letGo, untilScriptRuns, waitingScript } from '../attempts.js';
import { startCluster, type Cluster } from '../cluster.js';
import { startDenyingWebhook } from '../denyingWebhook.js';
import { createAllOn } from '../gather.js';
import { startHosts, type Hosts } from '../hosts/startHosts.js';
import { startReadyWatcher, type ReadyWatcher } from '../readyWatcher.js';
import { evictions, expectExit, installTurnus, phasesOf, runOf, systemNamespace, turnsOf } from '../runReport.js';
import { saidBy, serveOn, untilEnded, untilLeads, windowIn, type Served } from '../served.js';
import { signallingOn, type Signalling } from '../signalling.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment, disruptionBudget } from '../workloads.js';

const handOverWithinMs = 5000;

/** In the order of a turn: the entry of the journal after which the process is asked to end. */
const moments: { phase: string; entry: string; more?: string }[] = [
  { phase: 'Preparing', entry: 'turn.started' },
  { phase: 'Checking', entry: 'gate.checked' },
  { phase: 'Cordoning', entry: 'node.cordoning' },
  { phase: 'Draining', entry: 'pod.evicting' },
  { phase: 'Draining, done', entry: 'drain.finished' },
  { phase: 'Updating', entry: 'job.started' },
  { phase: 'Updating, done', entry: 'job.finished' },
  { phase: 'Rebooting', entry: 'reboot.requested' },
  { phase: 'Verifying', entry: 'boot.proved' },
  { phase: 'Verifying, done', entry: 'health.checked' },
  { phase: 'Uncordoning', entry: 'node.uncordoning' },
  { phase: 'Settling', entry: 'node.uncordoned' },
];
const web = deployment({ name: 'web', replicas: moments.length + 4, spread: { over: 'node', mode: 'prefer' } });

let cluster: Cluster;
let hosts: Hosts;
let served: Served;
let watcher: ReadyWatcher;
let signalling: Signalling;

beforeAll(async () => {
  cluster = await startCluster({ nodes: moments.length + 4, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster, ['--with', 'serve']);
  await createReady(cluster.api, [web, disruptionBudget({ name: 'web', maxUnavailable: 1 })]);
  watcher = await startReadyWatcher({ api: cluster.api, workloads: [web] });
  served = await serveOn({ cluster, hosts });
  signalling = await signallingOn(cluster);
});

afterEach(async () => {
  await served.endAll();
});

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

interface Entry {
  readonly type: string;
  readonly time: string;
}

async function entriesIn(file: string): Promise<Entry[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Entry]));
}

/** The node had one turn, with one script, one boot and one cordon, in one run whose journal is whole. */
async function expectOneTurn(name: string, node: string, journal: string): Promise<void> {
  expect(await phasesOf(cluster, name)).toEqual([`${node} Done`]);
  expect((await turnsOf(cluster, name))[0]?.attempts).toBe(1);
  expect(await hosts.host(node).counter('updates')).toBe(1);
  expect(hosts.host(node).bootIds).toHaveLength(2);
  expect(cordonsOf(watcher, node)).toEqual(['cordoned', 'uncordoned']);
  const run = await runOf(cluster, name);
  const verdict = await runTurnus(['journal', 'verify', journal, '--run', run.name], {
    kubeconfig: cluster.kubeconfigPath,
  });
  expectExit(verdict, 0);
  expect(verdict.stdout).toContain('The end is proved');
}

describe('SIGTERM', () => {
  it.each(moments.map((moment, index) => ({ ...moment, number: index + 1 })))(
    'while $phase ($entry) hands over within 5 s, and nothing is undone',
    async ({ entry, number }) => {
      const [name, node] = [`term-${String(number)}`, `node-${String(number)}`];
      const journal = join(cluster.directory, `${name}.ndjson`);
      const texts = [`"type":"${entry}"`, `"run":"${name}-`];
      const one = served.start({ name: 'one', env: signalling({ signal: 'SIGTERM', texts }) });
      await untilLeads(served, 'one');
      const other = served.start({ name: 'other' });
      await waitFor({ what: 'the other to stand by', probe: () => other.stdout().includes('one/') });
      await served.put({
        name,
        nodes: [node],
        spec: { schedule: windowIn(0, '30m'), journal: { file: journal } },
      });
      await untilLeads(served, 'other');
      const takenAt = Date.now();
      await untilEnded({ cluster, name, phase: 'Completed' }, () => saidBy(one, other));
      expect(await one.exited, saidBy(one)).toBe(0);
      const entries = await entriesIn(journal);
      const askedAt = Date.parse(entries.find(({ type }) => type === entry)?.time ?? '');
      expect(takenAt - askedAt, saidBy(one, other)).toBeLessThan(handOverWithinMs);
      expect(entries.map(({ type }) => type)).toContain('run.resumed');
      await expectOneTurn(name, node, journal);
    },
  );
});

describe('a process that loses the lead and lives on', () => {
  it('because somebody else took it does nothing more, stands by, and the script runs once', async () => {
    const [name, node] = ['taken', `node-${String(moments.length + 1)}`];
    const journal = join(cluster.directory, `${name}.ndjson`);
    const one = served.start({ name: 'one' });
    await untilLeads(served, 'one');
    const spec = { schedule: windowIn(0, '30m'), journal: { file: journal } };
    await served.put({ name, nodes: [node], script: waitingScript, spec });
    await untilScriptRuns(hosts.host(node));
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const takenAt = Date.now();
    await cluster.api.patch(
      { kind: 'Lease', namespace: systemNamespace, name: 'turnus-serve' },
      { body: { spec: { holderIdentity: 'somebody/1', acquireTime: renewTime, renewTime } } },
    );
    await waitFor({ what: 'the loss to be told', probe: () => one.stdout().includes('"lead.lost"') });
    await letGo(hosts.host(node));
    // Nobody renews it, so that it leads again once the Lease has run out.
    await untilLeads(served, 'one');
    const leadsAgainAt = Date.now();
    await untilEnded({ cluster, name, phase: 'Completed' }, () => saidBy(one));
    expect(one.isRunning()).toBe(true);
    const noticedWithinMs = 5000;
    expect(leadsAgainAt - takenAt).toBeGreaterThan(noticedWithinMs);
    const meanwhile = (await entriesIn(journal)).filter(({ time }) => {
      const at = Date.parse(time);
      return at > takenAt + noticedWithinMs && at < leadsAgainAt - 1000;
    });
    expect(meanwhile).toEqual([]);
    await expectOneTurn(name, node, journal);
  });

  it('because it stood still does nothing more when it wakes up', async () => {
    const [name, node] = ['frozen', `node-${String(moments.length + 2)}`];
    const journal = join(cluster.directory, `${name}.ndjson`);
    const texts = [`"type":"job.started"`, `"run":"${name}-`];
    const one = served.start({ name: 'one', env: signalling({ signal: 'SIGSTOP', texts }) });
    await untilLeads(served, 'one');
    const other = served.start({ name: 'other' });
    await served.put({
      name,
      nodes: [node],
      script: waitingScript,
      spec: { schedule: windowIn(0, '30m'), journal: { file: journal } },
    });
    await untilLeads(served, 'other');
    one.kill('SIGCONT');
    await waitFor({ what: 'the loss to be told', probe: () => one.stdout().includes('"lead.lost"') });
    await letGo(hosts.host(node));
    await untilEnded({ cluster, name, phase: 'Completed' }, () => saidBy(one, other));
    expect(one.isRunning(), saidBy(one)).toBe(true);
    await expectOneTurn(name, node, journal);
  });
});

describe('SIGTERM while an eviction hangs in a slow webhook', () => {
  it('hands over within 5 s all the same, and the pod is evicted once', async () => {
    const [name, node, namespace] = ['slow', `node-${String(moments.length + 3)}`, 'slow'];
    const journal = join(cluster.directory, `${name}.ndjson`);
    await cluster.createNamespace(namespace);
    await createAllOn(cluster, node, [deployment({ name: 'guarded', namespace, replicas: 1 })]);
    const [pod] = await cluster.api.list({ kind: 'Pod', namespace });
    const podName = pod?.metadata.name ?? '';
    const webhook = await startDenyingWebhook({
      cluster,
      name: 'slow.example.com',
      namespace,
      pod: podName,
      code: 403,
      message: 'not yet',
    });
    webhook.hang();
    const askedBefore = webhook.asked();
    const one = served.start({ name: 'one' });
    await untilLeads(served, 'one');
    const other = served.start({ name: 'other' });
    await waitFor({ what: 'the other to stand by', probe: () => other.stdout().includes('one/') });
    await served.put({ name, nodes: [node], spec: { schedule: windowIn(0, '30m'), journal: { file: journal } } });
    await waitFor({ what: 'the webhook to be asked', timeoutMs: 60_000, probe: () => webhook.asked() > askedBefore });
    const askedAt = Date.now();
    one.kill('SIGTERM');
    expect(await one.exited, saidBy(one)).toBe(0);
    expect(Date.now() - askedAt, saidBy(one, other)).toBeLessThan(handOverWithinMs);
    await untilLeads(served, 'other');
    expect((await cluster.api.get({ kind: 'Pod', namespace, name: podName })).metadata).not.toHaveProperty(
      'deletionTimestamp',
    );
    webhook.relent();
    await untilEnded({ cluster, name, phase: 'Completed' }, () => saidBy(one, other));
    const accepted = (await evictions(cluster)).filter((eviction) => eviction.pod === `${namespace}/${podName}`);
    expect(accepted).toHaveLength(1);
    await expectOneTurn(name, node, journal);
  });
});
