import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd, letGo, untilPodsLeave, untilScriptRuns, waitingScript } from '../attempts.js';
import type { UserName } from '../accounts.js';
import type { AuditEntry } from '../auditLog.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import {
  evictions,
  installTurnus,
  phasesOf,
  runOf,
  systemNamespace,
  turnsOf,
  turnusWrites,
  untilTurn,
} from '../runReport.js';
import { startTurnus } from '../turnus.js';
import type { RunningTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment, disruptionBudget } from '../workloads.js';

/** The audit log tells two actors apart by their users. */
const [firstUser, secondUser] = ['admin', 'operator'] as const;
const web = deployment({
  name: 'web',
  replicas: 8,
  startMs: 1500,
  stopMs: 1500,
  spread: { over: 'node', mode: 'prefer' },
});

let cluster: Cluster;
let hosts: Hosts;
let watcher: ReadyWatcher;
const started: RunningTurnus[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 4, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await cluster.api.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: secondUser },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: secondUser }],
  });
  // One pod at a time: a drain of two pods takes a while.
  await createReady(cluster.api, [web, disruptionBudget({ name: 'web', maxUnavailable: 1 })]);
  watcher = await startReadyWatcher({ api: cluster.api, workloads: [web] });
});

afterEach(async () => {
  for (const turnus of started.splice(0)) {
    turnus.kill('SIGKILL');
    await turnus.exited;
  }
});

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

async function start(playbook: string, user: UserName): Promise<RunningTurnus> {
  const turnus = startTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: await cluster.kubeconfigFor(user) });
  started.push(turnus);
  return turnus;
}

async function writesOf(user: UserName): Promise<AuditEntry[]> {
  return (await turnusWrites(cluster)).filter((entry) => entry.user === user);
}

/** When this user's process had taken the lease, by the API server's clock. */
async function takeover(user: UserName, since: Date): Promise<Date> {
  const taken = (await writesOf(user)).find(
    ({ resource, code, time }) => resource === 'leases' && code === 200 && time > since,
  );
  if (taken === undefined) throw new Error(`${user} has not taken the lease`);
  return taken.time;
}

async function expectDoneOnce(playbook: string, node: string): Promise<void> {
  expect(await phasesOf(cluster, playbook)).toEqual([`${node} Done`]);
  expect((await runOf(cluster, playbook)).status.phase).toBe('Completed');
  expect((await turnsOf(cluster, playbook))[0]?.jobs?.['update']).toMatchObject({ execution: 1, exitCode: 0 });
  expect(await hosts.host(node).counter('updates')).toBe(1);
  expect(hosts.host(node).bootIds).toHaveLength(2);
  const evicted = (await evictions(cluster)).map(({ pod }) => pod);
  expect(new Set(evicted).size).toBe(evicted.length);
  expect(watcher.nodes().maximumCordoned).toBe(1);
  expect(watcher.workload('web').minimumReady).toBeGreaterThanOrEqual(7);
}

describe('an actor that stands still for longer than its lease, and then goes on', () => {
  /** Stops the first actor at this moment, lets a second take over, wakes the first, and waits for the end of both. */
  async function overtaken(name: string, node: string, until: () => Promise<unknown>): Promise<void> {
    const playbook = await writePlaybook({ cluster, hosts, name, nodes: [node], script: waitingScript });
    const since = new Date();
    const first = await start(playbook, firstUser);
    await until();
    first.kill('SIGSTOP');
    const { actor } = await untilTurn({ cluster, playbook: name, node, what: 'begun' }, () => true);

    const second = await start(playbook, secondUser);
    await untilTurn(
      { cluster, playbook: name, node, what: 'taken over, and its script at work' },
      (turn) => turn.phase === 'Updating' && turn.actor !== actor && turn.jobs?.['update'] !== undefined,
    );
    await untilScriptRuns(hosts.host(node));
    first.kill('SIGCONT');
    await waitFor({
      what: 'the first to see that its lease is lost',
      probe: () => /lease .*lost/.test(first.stderr()),
    });
    await letGo(hosts.host(node));
    await expectEnd(second, 0);
    await expectEnd(first, 7);

    const takenAt = await takeover(secondUser, since);
    const writes = (await writesOf(firstUser)).filter(({ time }) => time > since);
    const late = writes.filter(({ time }) => time > takenAt);
    expect(writes.length).toBeGreaterThan(late.length);
    expect(late.filter(({ code }) => code < 400)).toEqual([]);
    await expectDoneOnce(name, node);
  }

  it('in the middle of a drain does nothing more, and the second finishes the turn', async () => {
    await overtaken('drain', 'node-1', () => untilPodsLeave(cluster, 'node-1'));
  });

  it('in the middle of a job does nothing more, and the second follows the same execution to its end', async () => {
    await overtaken('job', 'node-2', () => untilScriptRuns(hosts.host('node-2')));
  });
});

describe('two runs of the same playbook, started at the same moment', () => {
  /** One must act, and the other follow it, write nothing, and end with its exit code. */
  async function expectOneActs(name: string, node: string): Promise<void> {
    const playbook = await writePlaybook({ cluster, hosts, name, nodes: [node], script: waitingScript });
    const before = (await turnusWrites(cluster)).length;
    const both = [
      { user: firstUser, turnus: await start(playbook, firstUser) },
      { user: secondUser, turnus: await start(playbook, secondUser) },
    ];
    const follower = await waitFor({
      what: 'one to follow the other',
      probe: () => {
        for (const { turnus } of both) expect(turnus.isRunning(), turnus.stderr()).toBe(true);
        return both.find(({ turnus }) => /is at work.*following/.test(turnus.stderr()));
      },
    });
    await untilScriptRuns(hosts.host(node));
    expect(follower.turnus.isRunning()).toBe(true);
    await letGo(hosts.host(node));
    for (const { turnus } of both) await expectEnd(turnus, 0);
    const written = (await turnusWrites(cluster)).slice(before).filter(({ code }) => code < 400);
    expect(new Set(written.map(({ user }) => user)).size).toBe(1);
    expect(written.map(({ user }) => user)).not.toContain(follower.user);
    expect(follower.turnus.stderr()).toContain(`${node}: Done`);
    await expectDoneOnce(name, node);
  }

  it('are one: one acts, the other follows it, writes nothing, and ends with its exit code', async () => {
    await expectOneActs('both', 'node-3');
  });

  it('are one as well where both waited for the lease of a dead actor to run out', async () => {
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    await cluster.api.patch(
      { kind: 'Lease', namespace: systemNamespace, name: 'turnus' },
      { body: { spec: { holderIdentity: 'somebody@else/dead', leaseDurationSeconds: 5, renewTime } } },
    );
    await expectOneActs('heirs', 'node-4');
  });
});
