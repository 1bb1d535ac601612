import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, expectEnd, letGo } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { updateScript, writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import type { ReadyWatcher } from '../readyWatcher.js';
import { expectExit, installTurnus, phasesOf, runOf, turnsOf } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment, disruptionBudget } from '../workloads.js';

const ours = 'turnus.dev/turn-to-come';
const names = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5', 'node-6'];
/** The turns of these wait until they are let go. */
const stations = ['node-4', 'node-5'];

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;
let watcher: ReadyWatcher;
let playbook: string;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 6, zones: 3 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  attempts = attemptsOn(cluster);
  const workloads = [deployment({ name: 'web', replicas: 12 }), deployment({ name: 'api', replicas: 6 })];
  await createReady(cluster.api, [...workloads, disruptionBudget({ name: 'api', maxUnavailable: 1 })]);
  const team = { key: 'example.com/team', value: 'shop', effect: 'PreferNoSchedule' };
  await cluster.api.patch({ kind: 'Node', name: 'node-6' }, { body: { spec: { taints: [team] } } });
  watcher = await startReadyWatcher({ api: cluster.api, workloads });
  const wait = `case $TURNUS_NODE in ${stations.join('|')}) until [ -e /srv/host/go ]; do sleep 0.1; done;; esac`;
  playbook = await writePlaybook({ cluster, hosts, script: updateScript(wait) });
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await watcher.stop();
  await cluster.stop();
});

/** The keys of the taints of each node that has any. */
async function taints(): Promise<Record<string, string[]>> {
  const nodes = await cluster.api.list({ kind: 'Node' });
  const keysOf = nodes.map(({ metadata, spec }): [string, string[]] => [
    metadata.name,
    (spec.taints ?? []).map(({ key }) => key).filter((key) => !key.startsWith('node.kubernetes.io/')),
  ]);
  return Object.fromEntries(keysOf.filter(([, keys]) => keys.length > 0));
}

/** Waits until the turns before are done and the script of this node runs. */
async function untilScriptWaits(node: string): Promise<void> {
  await waitFor({
    what: `the script on ${node}`,
    timeoutMs: 240_000,
    probe: async () => (await hosts.host(node).counter('updates')) === 1,
  });
}

async function untilTaints(what: string, wanted: Record<string, string[]>): Promise<void> {
  await waitFor({
    what,
    timeoutMs: 60_000,
    probe: async () => JSON.stringify(await taints()) === JSON.stringify(wanted),
  });
}

const foreignAlone = { 'node-6': ['example.com/team'] };

describe('pods are turned away from nodes whose turn is to come', () => {
  it('once a node is done, until the run is paused', async () => {
    const turnus = attempts.start(playbook);
    await untilScriptWaits('node-4');
    expect(await taints()).toEqual({ 'node-5': [ours], 'node-6': ['example.com/team', ours] });
    const run = (await runOf(cluster)).name;
    const status = await runTurnus(['status', run], { kubeconfig: cluster.kubeconfigPath });
    expect(status.stdout).toContain(`carry the taint ${ours}:PreferNoSchedule`);

    const drained = (await turnsOf(cluster))[3]?.steps?.find(({ phase }) => phase === 'Draining')?.startedAt ?? '';
    for (const node of ['node-5', 'node-6']) {
      const pods = await cluster.api.list({ kind: 'Pod', fieldSelector: `spec.nodeName=${node}` });
      const created = pods.map(({ metadata }) => metadata.creationTimestamp ?? '');
      expect(
        created.filter((time) => Date.parse(time) > Date.parse(drained)),
        node,
      ).toEqual([]);
    }

    expectExit(await runTurnus(['pause', run], { kubeconfig: cluster.kubeconfigPath }), 0);
    await letGo(hosts.host('node-4'));
    await waitFor({ what: 'the pause', probe: async () => (await runOf(cluster)).status.phase === 'Paused' });
    expect(await taints()).toEqual(foreignAlone);

    expectExit(await runTurnus(['resume', run], { kubeconfig: cluster.kubeconfigPath }), 0);
    await untilScriptWaits('node-5');
    expect(await taints()).toEqual({ 'node-6': ['example.com/team', ours] });
    turnus.kill('SIGKILL');
    await turnus.exited;
  }, 600_000);

  it('and what an actor that died left behind is taken back by the next start of any run', async () => {
    expect(await taints()).toEqual({ 'node-6': ['example.com/team', ours] });
    const other = await writePlaybook({
      cluster,
      hosts,
      name: 'other',
      nodes: ['node-1'],
      spec: { nodes: { steer: 'off', maxUnavailable: 2 } },
    });
    await expectEnd(attempts.start(other, ['--rehearse']), [0, 3]);
    expect(await taints()).toEqual(foreignAlone);
  });

  it('and from none when the run has ended; the taints of others stay', async () => {
    const turnus = attempts.start(playbook);
    await untilTaints('node-6 to be tainted again', { 'node-6': ['example.com/team', ours] });
    await letGo(hosts.host('node-5'));
    await expectEnd(turnus, 0, 180_000);
    expect(await phasesOf(cluster)).toEqual(names.map((name) => `${name} Done`));
    expect(await taints()).toEqual(foreignAlone);
  }, 300_000);

  it('never before one is done, and never from one that is in work or done', async () => {
    const turns = await turnsOf(cluster);
    const span = (node: string) => {
      const { steps = [] } = turns.find((turn) => turn.node === node) ?? {};
      return { from: Date.parse(steps[0]?.startedAt ?? ''), until: Date.parse(steps.at(-1)?.finishedAt ?? '') };
    };
    const set = watcher.nodes().taints.filter(({ keys }) => keys.includes(ours));
    expect(set.length).toBeGreaterThan(0);
    for (const { time, node } of set) {
      expect(time.getTime(), node).toBeGreaterThanOrEqual(span('node-1').until);
      expect(time.getTime(), node).toBeLessThan(span(node).from + 1000);
      const taken = watcher.nodes().taints.find((later) => later.node === node && later.time > time);
      expect(taken?.keys ?? [], `${node} keeps it`).not.toContain(ours);
    }
    expect(new Set(set.map(({ node }) => node))).toEqual(new Set(['node-3', 'node-4', 'node-5', 'node-6']));
  });
});
