import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { letGo, waitingScript } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { openReceiver } from '../../server/receiver.js';
import { startHosts } from '../hosts/startHosts.js';
import { updateScript } from '../playbook.js';
import type { Hosts } from '../hosts/startHosts.js';
import { expectExit, installTurnus, phasesOf, runOf, runs, systemNamespace } from '../runReport.js';
import { saidBy, serveOn, untilEnded, untilLeads, windowIn, type Served } from '../served.js';
import { runTurnus } from '../turnus.js';
import type { RunningTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let served: Served;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 12, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster, ['--with', 'serve']);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 12, spread: { over: 'node', mode: 'prefer' } })]);
  served = await serveOn({ cluster, hosts });
});

afterEach(async () => {
  await served.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

interface Entry {
  readonly type: string;
  readonly time: string;
  readonly node?: string;
}

/** The journal's lines on standard output; the log has lines there too. */
function entriesOf(turnus: RunningTurnus): Entry[] {
  const lines = turnus.stdout().split('\n');
  return lines.filter((line) => line.includes('"hash":')).map((line) => JSON.parse(line) as Entry);
}

async function condition(name: string, type: string) {
  return (await served.status(name)).conditions?.find((each) => each.type === type);
}

describe('two processes of turnus serve', () => {
  it('do by themselves what a playbook says when its window opens, and say so in its status', async () => {
    const one = served.start({ name: 'one' });
    await untilLeads(served, 'one');
    const other = served.start({ name: 'other' });
    await served.put({ name: 'nightly', nodes: ['node-1', 'node-2'], spec: { schedule: windowIn(6000, '10m') } });
    await waitFor({
      what: 'the playbook to be in force',
      probe: async () => (await condition('nightly', 'Valid'))?.reason === 'InForce',
    });
    const before = await served.status('nightly');
    expect(before.nextWindow).toBeDefined();
    expect(before.lastRun).toBeUndefined();
    await untilEnded({ cluster, name: 'nightly', phase: 'Completed' }, () => saidBy(one, other));
    expect(await phasesOf(cluster, 'nightly')).toEqual(['node-1 Done', 'node-2 Done']);
    for (const node of ['node-1', 'node-2']) expect(await hosts.host(node).counter('updates')).toBe(1);
    await waitFor({
      what: 'the status to tell of it',
      probe: async () => (await served.status('nightly')).lastRun?.phase === 'Completed',
    });
    const run = await runOf(cluster, 'nightly');
    expect(run.spec.requester).toBe('system:serviceaccount:turnus-system:turnus');
    const begun = entriesOf(one).find(({ type }) => type === 'run.started');
    expect(Date.parse(begun?.time ?? '')).toBeGreaterThanOrEqual(Date.parse(before.nextWindow?.opensAt ?? ''));
    expect(entriesOf(one).map(({ type }) => type)).toContain('run.finished');
    expect(entriesOf(other)).toEqual([]);
  });

  it('go on where kill -9 ended the one that led, in the middle of a job', async () => {
    const one = served.start({ name: 'one' });
    await untilLeads(served, 'one');
    const other = served.start({ name: 'other' });
    await served.put({
      name: 'killed',
      nodes: ['node-3'],
      script: waitingScript,
      spec: { schedule: windowIn(0, '30m') },
    });
    const host = hosts.host('node-3');
    await waitFor({
      what: 'the script',
      timeoutMs: 60_000,
      probe: async () => (await host.counter('updates')) === 1,
    }).catch((cause: unknown) => {
      throw new Error(saidBy(one, other), { cause });
    });
    one.kill('SIGKILL');
    await untilLeads(served, 'other');
    await letGo(host);
    await untilEnded({ cluster, name: 'killed', phase: 'Completed' }, () => saidBy(one, other));
    expect(await host.counter('updates')).toBe(1);
    expect(host.bootIds).toHaveLength(2);
  });

  it('leave the node that they run on to each other', async () => {
    const one = served.start({ name: 'one', node: 'node-7' });
    await untilLeads(served, 'one');
    const other = served.start({ name: 'other', node: 'node-8' });
    await served.put({ name: 'own', nodes: ['node-7', 'node-8'], spec: { schedule: windowIn(0, '30m') } });
    await untilEnded({ cluster, name: 'own', phase: 'Completed' }, () => saidBy(one, other));
    expect(await phasesOf(cluster, 'own')).toEqual(expect.arrayContaining(['node-7 Done', 'node-8 Done']));
    const doneBy = [one, other].map((each) =>
      entriesOf(each).flatMap(({ type, node }) => (type === 'node.cordoned' ? node : [])),
    );
    expect(doneBy).toEqual([['node-8'], ['node-7']]);
  });
});

describe('a webhook receiver', () => {
  it('that is down when the run begins hears of all of it, in order and signed, and holds nothing back', async () => {
    const closed = await openReceiver();
    await closed.stop();
    await cluster.api.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'webhook', namespace: systemNamespace },
      stringData: { key: 'of the signature' },
    });
    const one = served.start({ name: 'one' });
    await served.put({
      name: 'told',
      nodes: ['node-11'],
      spec: {
        schedule: windowIn(0, '30m'),
        notify: { webhooks: [{ url: closed.url, secret: { secretKeyRef: { name: 'webhook', key: 'key' } } }] },
      },
    });
    await untilEnded({ cluster, name: 'told', phase: 'Completed' }, () => saidBy(one));
    const receiver = await openReceiver(undefined, closed.port);
    try {
      await waitFor({ what: 'the notifications', probe: () => receiver.received.length >= 4 });
      expect(receiver.received.map(({ event }) => event['type'])).toEqual(
        ['window.opened', 'turn.started', 'turn.finished', 'run.finished'].map((type) => `dev.turnus.${type}`),
      );
      for (const { headers, body } of receiver.received) {
        const [, at = '', hex] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(headers['turnus-signature'])) ?? [];
        expect(hex).toBe(createHmac('sha256', 'of the signature').update(`${at}.${body}`).digest('hex'));
      }
    } finally {
      await receiver.stop();
    }
  });
});

describe('the plan of the next window', () => {
  it('is told as long before as the playbook says, once', async () => {
    const receiver = await openReceiver();
    try {
      await cluster.api.create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'planned', namespace: systemNamespace },
        stringData: { key: 'of the signature' },
      });
      const one = served.start({ name: 'one' });
      const webhooks = [{ url: receiver.url, secret: { secretKeyRef: { name: 'planned', key: 'key' } } }];
      await served.put({
        name: 'planned',
        nodes: ['node-9'],
        spec: { schedule: windowIn(3_600_000, '30m'), notify: { webhooks, before: '2h' } },
      });
      await waitFor({ what: 'the plan', probe: () => receiver.received.length > 0 }).catch((cause: unknown) => {
        throw new Error(saidBy(one), { cause });
      });
      // Each edit is looked at; the plan of this window is told already.
      await served.put({ name: 'planned', nodes: ['node-9'], spec: { runHistoryLimit: 3 } });
      await waitFor({
        what: 'the edit to be in force',
        probe: async () => (await served.status('planned')).inForce?.generation === 2,
      });
      expect(receiver.received.map(({ event }) => event['type'])).toEqual(['dev.turnus.plan.ready']);
      expect(receiver.received[0]?.event['data']).toMatchObject({ nodes: { total: 1, go: 1, blocked: 0 } });
      const names = (await runs(cluster)).map(({ name }) => name);
      expect(names.filter((name) => name.startsWith('planned-'))).toEqual([]);
    } finally {
      await receiver.stop();
    }
  });
});

describe('a playbook', () => {
  it('that is edited wrongly leaves the former one in force', async () => {
    const one = served.start({ name: 'one' });
    await served.put({ name: 'edited', nodes: ['node-9'], spec: { schedule: windowIn(3_600_000, '10m') } });
    await waitFor({
      what: 'the playbook to be in force',
      timeoutMs: 60_000,
      probe: async () => (await condition('edited', 'Valid'))?.reason === 'InForce',
    }).catch((cause: unknown) => {
      throw new Error(saidBy(one), { cause });
    });
    await served.put({
      name: 'edited',
      nodes: ['node-9'],
      spec: { schedule: { timeZone: 'Mars/Olympus', windows: [] } },
    });
    await waitFor({
      what: 'the mistake to be told',
      probe: async () => (await condition('edited', 'Valid'))?.status === 'False',
    });
    expect((await condition('edited', 'Valid'))?.message).toContain('spec.schedule.timeZone');
    const status = await served.status('edited');
    expect(status.inForce?.generation).toBe(1);
    expect(status.nextWindow).toBeDefined();
  });

  it('is started by hand outside of its windows', async () => {
    const one = served.start({ name: 'one' });
    await served.put({ name: 'urgent', nodes: ['node-10'], spec: { schedule: windowIn(3_600_000, '10m') } });
    await waitFor({
      what: 'the playbook to be in force',
      timeoutMs: 60_000,
      probe: async () => (await condition('urgent', 'Valid'))?.reason === 'InForce',
    });
    const asked = await runTurnus(['trigger', 'urgent', '--reason', 'a hole in the kernel'], {
      kubeconfig: cluster.kubeconfigPath,
    });
    expectExit(asked, 0);
    await untilEnded({ cluster, name: 'urgent', phase: 'Completed' }, () => saidBy(one));
    await waitFor({
      what: 'the trigger to be answered',
      probe: async () => (await served.status('urgent')).trigger?.finishedAt !== undefined,
    });
    const run = await runOf(cluster, 'urgent');
    expect(run.spec.reason).toBe('triggered by admin: a hole in the kernel');
    expect((await served.status('urgent')).trigger?.run).toBe(run.name);
    expect(await hosts.host('node-10').counter('updates')).toBe(1);
  });
});

describe('a run that a failure has stopped', () => {
  it('goes on by turnus retry, which serve answers at once', async () => {
    const one = served.start({ name: 'one' });
    const script = updateScript('[ -e /srv/host/go ] || exit 1');
    await served.put({ name: 'failing', nodes: ['node-12'], script, spec: { schedule: windowIn(0, '30m') } });
    await untilEnded({ cluster, name: 'failing', phase: 'Failed' }, () => saidBy(one));
    await letGo(hosts.host('node-12'));
    const { name } = await runOf(cluster, 'failing');
    const asked = await runTurnus(['retry', name, 'node-12', '--again'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(asked, 0);
    expect(asked.stderr).toContain('Answered: done');
    await untilEnded({ cluster, name: 'failing', phase: 'Completed' }, () => saidBy(one));
    expect(await hosts.host('node-12').counter('updates')).toBe(2);
  });
});

describe('a process of turnus serve', () => {
  it('answers probes and metrics, and says nothing on standard output but lines of JSON without its key', async () => {
    const one = served.start({ name: 'one' });
    const address = await waitFor({
      what: 'the address',
      probe: () => /"address":"(127\.0\.0\.1:\d+)"/.exec(one.stdout())?.[1],
    });
    const get = async (path: string) => {
      const answer = await fetch(`http://${address}${path}`);
      return { status: answer.status, text: await answer.text() };
    };
    await untilLeads(served, 'one');
    await served.put({ name: 'watched', nodes: ['node-1'], spec: { schedule: windowIn(0, '30m') } });
    await untilEnded({ cluster, name: 'watched', phase: 'Completed' }, () => saidBy(one));
    expect((await get('/livez')).status).toBe(200);
    const ready = await get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.text).toContain('this process leads');
    const { text } = await get('/metrics');
    const valueOf = (sample: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${sample} `))
          ?.slice(sample.length + 1),
      );
    expect(valueOf('turnus_leader')).toBe(1);
    expect(valueOf('turnus_watch_lag_seconds')).toBe(0);
    expect(valueOf('turnus_playbook_valid{playbook="watched"}')).toBe(1);
    expect(valueOf('turnus_turns_finished_total{playbook="watched",phase="Done"}')).toBe(1);
    expect(valueOf('turnus_evictions_total{answer="accepted"}')).toBeGreaterThan(0);
    expect(valueOf('turnus_api_requests_total{method="GET",code="200"}')).toBeGreaterThan(0);
    const key = await readFile(hosts.identityPath, 'utf8');
    const lines = one.stdout().trimEnd().split('\n');
    expect(lines.map((line) => typeof JSON.parse(line))).toEqual(lines.map(() => 'object'));
    for (const part of key.split('\n').filter((line) => line.length > 40))
      expect(one.stdout() + one.stderr()).not.toContain(part);
    expect(one.stderr()).toBe('');
  });
});

describe('the ServiceAccount of serve', () => {
  it('was refused nothing', async () => {
    const requests = (await cluster.auditLog()).filter(
      ({ user, resource }) => user === `system:serviceaccount:${systemNamespace}:turnus` && resource !== '',
    );
    expect(requests.length).toBeGreaterThan(100);
    expect(requests.filter(({ code }) => code === 403).map(({ verb, uri }) => `${verb} ${uri}`)).toEqual([]);
  });
});
