import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, cordonsOf, expectEnd } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { onLocalVolumes } from '../localVolumes.js';
import type { Pod } from '../objects.js';
import { updateScript, writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyReport } from '../readyWatcher.js';
import { evictions, expectExit, installTurnus, phasesOf, runOf, turnsOf, untilTurn } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createAll, createReady, waitForReady } from '../waitForReady.js';
import { deployment, disruptionBudget, statefulSet } from '../workloads.js';

const nodes = ['node-1', 'node-2', 'node-3'];
/** Long enough that the settle time alone does not bring the replicas back. */
const startMs = 2500;

const apart = deployment({ name: 'apart', replicas: 3, onePerNode: true, startMs });
const ports = deployment({ name: 'ports', replicas: 3, hostPort: 8080, startMs });
const even = deployment({ name: 'even', replicas: 3, spread: { over: 'node', mode: 'require' }, startMs });
const local = onLocalVolumes(statefulSet({ name: 'local', startMs }), nodes);
const tied = [apart, ports, even, local.set];
const free = deployment({ name: 'free', replicas: 3, spread: { over: 'node', mode: 'prefer' } });

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createAll(cluster.api, [...local.storage, disruptionBudget({ name: 'apart', maxUnavailable: 1 })]);
  await createReady(cluster.api, [...tied, free]);
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

/** How many pods were Ready at that moment. */
function readyAt({ timeline }: ReadyReport, moment: Date): number | undefined {
  return timeline.findLast(({ time }) => time <= moment)?.ready;
}

describe('workloads whose pods can run on one node each', () => {
  it('are named in the plan as short-during-turn, with what ties them to the node', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'planned' });
    const result = await runTurnus(['plan', '-f', playbook, '-o', 'json'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 0);
    const plan = JSON.parse(result.stdout) as {
      nodes: { node: string; findings: { code: string; severity: string; objects: string[]; message: string }[] }[];
    };
    const number = (node: string): number => nodes.indexOf(node);
    for (const { node, findings } of plan.nodes) {
      const short = findings.filter(({ code }) => code === 'short-during-turn');
      expect(new Set(findings.map(({ severity }) => severity))).toEqual(new Set(['caution']));
      expect(Object.fromEntries(short.map(({ objects, message }) => [objects[0], message]))).toEqual({
        'Deployment default/apart': expect.stringMatching(
          /its anti-affinity keeps it from Pod default\/apart-/,
        ) as string,
        'Deployment default/ports': expect.stringMatching(/host port 8080 is taken by Pod default\/ports-/) as string,
        'Deployment default/even': expect.stringMatching(/its topology spread over kubernetes\.io\/hostname/) as string,
        'StatefulSet default/local': expect.stringContaining(
          `PersistentVolume data-local-${String(number(node))}-on-${node} of its claim default/data-local-${String(number(node))}`,
        ) as string,
      });
    }
    const text = await runTurnus(['plan', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expect(text.stdout).toMatch(/short-during-turn.*\n?.*can run on no node but node-1/);
  });

  it('do not hold up the drain; the next turn waits until all their replicas are Ready again', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'all' });
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [...tied, free] });
    await expectEnd(attempts.start(playbook), 0);
    await waitFor({ what: 'the watcher to see the last node', probe: () => watcher.nodes().timeline.length >= 12 });
    await watcher.stop();

    expect((await phasesOf(cluster, 'all')).sort()).toEqual(nodes.map((node) => `${node} Done`));
    for (const { metadata } of tied) {
      const report = watcher.workload(metadata.name);
      expect({ [metadata.name]: report.minimumReady }).toEqual({ [metadata.name]: 2 });
      const cordons = watcher.nodes().timeline.filter(({ change }) => change === 'cordoned');
      expect(cordons.map(({ time }) => readyAt(report, time))).toEqual([3, 3, 3]);
      const evicted = (await evictions(cluster)).filter(({ pod }) => pod.startsWith(`default/${metadata.name}-`));
      expect({ [metadata.name]: evicted.length }).toEqual({ [metadata.name]: 3 });
    }
    for (const host of hosts.all()) {
      expect(await host.counter('updates')).toBe(1);
      expect(host.bootIds).toHaveLength(2);
    }
    for (const turn of await turnsOf(cluster, 'all')) {
      const found = (turn.findings ?? []).filter(({ code }) => code === 'short-during-turn');
      expect(found).toHaveLength(tied.length);
    }
  });
});

describe('a pod that is away during the turn', () => {
  /** Waits for the pods that no node takes, one of each workload, and sees to it that they never become Ready. */
  async function spoilReturn(apps: string[]): Promise<void> {
    for (const app of apps) {
      const pending = await waitFor({
        what: `the Pending pod of ${app}`,
        probe: async () => (await podsOf(app)).find(({ spec }) => spec.nodeName === undefined),
      });
      const annotations = { 'sandbox.turnus.dev/never-ready': 'true' };
      await cluster.api.patch({ kind: 'Pod', name: pending.metadata.name }, { body: { metadata: { annotations } } });
    }
  }

  async function podsOf(app: string): Promise<Pod[]> {
    return await cluster.api.list({ kind: 'Pod', namespace: 'default', labelSelector: `app=${app}` });
  }

  async function orderOf(playbook: string): Promise<string[]> {
    return await waitFor({
      what: `the order of ${playbook}`,
      probe: async () => (await runOf(cluster, playbook)).status.order,
    });
  }

  /** An update that counts itself and waits for {@link letGo} of this playbook. */
  function waitingUpdate(playbook: string): string {
    return updateScript(`until [ -e /srv/host/${playbook} ]; do sleep 0.1; done`);
  }

  async function letGo(playbook: string, node: string): Promise<void> {
    await writeFile(hosts.host(node).pathOnDisk(`/srv/host/${playbook}`), '');
  }

  async function untilAway(node: string): Promise<void> {
    const before = await hosts.host(node).counter('updates');
    await waitFor({
      what: `the script on ${node}`,
      timeoutMs: 60_000,
      probe: async () => (await hosts.host(node).counter('updates')) > before,
    });
  }

  it('holds nothing up where its owner is deleted or scaled down meanwhile', async () => {
    const gone = deployment({ name: 'gone', replicas: 3, onePerNode: true });
    const smaller = deployment({ name: 'smaller', replicas: 3, onePerNode: true });
    await createReady(cluster.api, [gone, smaller]);
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'released',
      nodes: nodes.slice(0, 2),
      script: waitingUpdate('released'),
    });
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [] });
    const turnus = attempts.start(playbook);
    const [one = '', other = ''] = await orderOf('released');
    await untilAway(one);
    await spoilReturn(['gone', 'smaller']);
    await letGo('released', one);
    const waits = await untilTurn(
      { cluster, playbook: 'released', node: one, what: 'waiting for both' },
      ({ phase, waitingFor }) =>
        phase === 'Settling' && /Deployment default\/gone .*Deployment default\/smaller /.test(waitingFor?.what ?? ''),
    );
    expect(waits.waitingFor?.what).toContain('has 2 Ready replicas and needs 3');
    expect(cordonsOf(watcher, other)).toEqual([]);

    await cluster.api.delete({ kind: 'Deployment', name: 'gone' }, { propagationPolicy: 'Background' });
    await cluster.api.patch({ kind: 'Deployment', name: 'smaller' }, { body: { spec: { replicas: 2 } } });
    await letGo('released', other);
    await expectEnd(turnus, 0);
    await watcher.stop();
    expect(await phasesOf(cluster, 'released')).toEqual([`${one} Done`, `${other} Done`]);
    await cluster.api.delete({ kind: 'Deployment', name: 'smaller' }, { propagationPolicy: 'Background' });
    await waitForReady({ api: cluster.api, objects: tied });
  });

  it('and does not become Ready again on a canary is told as not-recovered: the run stops, later nodes are untouched', async () => {
    const before = await Promise.all(hosts.all().map((host) => host.counter('updates')));
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'spoilt',
      script: waitingUpdate('spoilt'),
      spec: { settle: { time: '1s', timeout: '4s' } },
    });
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [apart] });
    const turnus = attempts.start(playbook);
    const [one = '', ...later] = await orderOf('spoilt');
    await untilAway(one);
    await spoilReturn(tied.map(({ metadata }) => metadata.name));
    await letGo('spoilt', one);
    await expectEnd(turnus, 3);
    await waitFor({ what: 'the watcher to see the end', probe: () => cordonsOf(watcher, one).length === 2 });
    await watcher.stop();

    expect(later).toHaveLength(2);
    expect(await phasesOf(cluster, 'spoilt')).toEqual([`${one} Done`, ...later.map((node) => `${node} Pending`)]);
    const [done] = await turnsOf(cluster, 'spoilt');
    expect(done?.message).toContain('not everything recovered');
    for (const { kind, metadata } of tied) {
      const sentence = `${kind} default/${metadata.name} has 2 Ready replicas and needs 3`;
      expect(done?.message).toContain(sentence);
      expect(turnus.stderr()).toMatch(new RegExp(`not-recovered.*${sentence}`));
    }
    for (const node of later) {
      expect(cordonsOf(watcher, node)).toEqual([]);
      expect(await hosts.host(node).counter('updates')).toBe(before[nodes.indexOf(node)]);
    }
    expect(cordonsOf(watcher, one)).toEqual(['cordoned', 'uncordoned']);
  });
});
