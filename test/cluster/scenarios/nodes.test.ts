import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { expectExit, installTurnus, phasesOf, runOf, turnsOf, turnusWrites, untilTurn } from '../runReport.js';
import { runTurnus, startTurnus } from '../turnus.js';
import { createReady } from '../waitForReady.js';
import { barePod, deployment } from '../workloads.js';

const hold = 'turnus.dev/hold';
const allNodes = { nodes: { selector: 'kubernetes.io/os=linux', maxUnavailable: 2 } };

let cluster: Cluster;
let hosts: Hosts;

beforeAll(async () => {
  cluster = await startCluster({
    nodes: 5,
    customize: (node, number) => {
      if (number === 1) node.metadata.labels = { ...node.metadata.labels, 'node-role.kubernetes.io/control-plane': '' };
    },
  });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [
    deployment({ name: 'web', replicas: 3, stopMs: 2000 }),
    barePod({
      name: 'etcd-node-5',
      namespace: 'kube-system',
      annotations: { 'kubernetes.io/config.mirror': 'a', 'kubernetes.io/config.source': 'file' },
      podSpec: { nodeName: 'node-5', tolerations: [{ operator: 'Exists' }] },
    }),
  ]);
  await cluster.api.patch({ kind: 'Node', name: 'node-2' }, { body: { spec: { unschedulable: true } } });
  await annotate('node-3', 'disk is being replaced');
});

afterAll(async () => {
  await cluster.stop();
});

async function annotate(name: string, reason: string | null): Promise<void> {
  await cluster.api.patch({ kind: 'Node', name }, { body: { metadata: { annotations: { [hold]: reason } } } });
}

async function patchedNodes(): Promise<Set<string>> {
  return new Set((await turnusWrites(cluster)).filter(({ resource }) => resource === 'nodes').map(({ name }) => name));
}

describe('nodes that Turnus leaves alone', () => {
  it('are not even planned when they are control plane and no selector names them', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'default-nodes' });
    const result = await runTurnus(['plan', '-f', playbook, '-o', 'json'], { kubeconfig: cluster.kubeconfigPath });
    const plan = JSON.parse(result.stdout) as { order: string[] };
    expect(plan.order.sort()).toEqual(['node-2', 'node-3', 'node-4']);
  });

  it('use up maxUnavailable when somebody else has cordoned them', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'no-room', nodes: ['node-2', 'node-4'] });
    const result = await runTurnus(['plan', '-f', playbook], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 3);
    expect(result.stdout).toMatch(/no-room \(node-4\)\n.*1 of 2 nodes.*\(node-2: cordoned\)/);
  });

  it('keep their state in a run, which takes the others and exits 3', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'left', spec: allNodes });
    const result = await runTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 3);
    const turns = await turnsOf(cluster, 'left');
    const blocks = turns
      .map(({ node, phase, findings = [] }) => ({
        node,
        phase,
        codes: findings.filter(({ severity }) => severity === 'block').map(({ code }) => code),
      }))
      .sort((one, other) => one.node.localeCompare(other.node));
    expect(blocks).toEqual([
      { node: 'node-1', phase: 'Blocked', codes: ['control-plane-node'] },
      { node: 'node-2', phase: 'Blocked', codes: ['already-cordoned'] },
      { node: 'node-3', phase: 'Blocked', codes: ['node-held'] },
      { node: 'node-4', phase: 'Done', codes: [] },
      { node: 'node-5', phase: 'Blocked', codes: ['control-plane-node'] },
    ]);
    expect(await patchedNodes()).toEqual(new Set(['node-4']));
    for (const name of ['node-1', 'node-2', 'node-3', 'node-5']) {
      expect(await hosts.host(name).counter('updates')).toBe(0);
      expect(hosts.host(name).bootIds).toHaveLength(1);
    }
    expect((await cluster.api.get({ kind: 'Node', name: 'node-2' })).spec.unschedulable).toBe(true);
  });

  it('have their turn in the same run once the person who held them lets them go', async () => {
    const { uid } = await runOf(cluster, 'left');
    await cluster.api.patch({ kind: 'Node', name: 'node-2' }, { body: { spec: { unschedulable: null } } });
    await annotate('node-3', null);
    const result = await runTurnus(['run', '-f', `${cluster.directory}/left.yaml`, '--yes'], {
      kubeconfig: cluster.kubeconfigPath,
    });
    expectExit(result, 3);
    expect((await runOf(cluster, 'left')).uid).toBe(uid);
    expect((await phasesOf(cluster, 'left')).sort()).toEqual([
      'node-1 Blocked',
      'node-2 Done',
      'node-3 Done',
      'node-4 Done',
      'node-5 Blocked',
    ]);
    expect(await hosts.host('node-4').counter('updates')).toBe(1);
    expect(await patchedNodes()).toEqual(new Set(['node-2', 'node-3', 'node-4']));
  });
});

describe('a hold that is set in the middle of a turn', () => {
  it('is waited for before the host is touched, and the wait says who can end it', async () => {
    const nodes = ['node-4'];
    const playbook = await writePlaybook({ cluster, hosts, name: 'held', nodes });
    await cluster.api.patch({ kind: 'Deployment', name: 'web' }, { body: { spec: { replicas: 8 } } });
    const updates = await hosts.host('node-4').counter('updates');
    const turnus = startTurnus(['run', '-f', playbook, '--yes'], { kubeconfig: cluster.kubeconfigPath });
    const place = { cluster, playbook: 'held', node: 'node-4' };
    // After the gates were asked once more: they would block the turn.
    await untilTurn({ ...place, what: 'evicting' }, ({ displaced }) => displaced !== undefined);
    await annotate('node-4', 'wait for the network team');
    const { waitingFor } = await untilTurn(
      { ...place, what: 'waiting for the hold' },
      (turn) => turn.waitingFor?.what.includes('network team') ?? false,
    );
    expect(waitingFor?.who).toContain('kubectl annotate node node-4 turnus.dev/hold-');
    expect(await hosts.host('node-4').counter('updates')).toBe(updates);
    await annotate('node-4', null);
    const exitCode = await turnus.exited;
    expectExit({ exitCode, stdout: turnus.stdout(), stderr: turnus.stderr() }, 0);
    expect(await hosts.host('node-4').counter('updates')).toBe(updates + 1);
  });
});
