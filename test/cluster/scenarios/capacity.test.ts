import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, expectEnd } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { evictions, expectExit, installTurnus, phasesOf } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

/** Three nodes of 4 cores: one pod of `big` on each, and small ones in what is left. */
beforeAll(async () => {
  cluster = await startCluster({
    nodes: 3,
    customize: ({ status }) => {
      status.allocatable['cpu'] = '4';
    },
  });
  hosts = await startHosts({ cluster });
  await installTurnus(cluster);
  await createReady(cluster.api, [
    deployment({ name: 'big', replicas: 3, cpu: '3' }),
    deployment({ name: 'small', replicas: 3, cpu: '250m', spread: { over: 'node', mode: 'require' } }),
    deployment({ name: 'slow', replicas: 1, podSpec: { terminationGracePeriodSeconds: 90 } }),
  ]);
  attempts = attemptsOn(cluster);
});

afterAll(async () => {
  await attempts.endAll();
  await cluster.stop();
});

interface PlannedNode {
  readonly node: string;
  readonly verdict: string;
  readonly findings: { code: string; severity: string; objects: string[]; message: string }[];
}

async function plan(playbook: string, exitCode: number): Promise<PlannedNode[]> {
  const result = await runTurnus(['plan', '-f', playbook, '-o', 'json'], { kubeconfig: cluster.kubeconfigPath });
  expectExit(result, exitCode);
  return (JSON.parse(result.stdout) as { nodes: PlannedNode[] }).nodes;
}

async function podOn(node: string, app: string): Promise<string | undefined> {
  const selection = { kind: 'Pod', fieldSelector: `spec.nodeName=${node}`, labelSelector: `app=${app}` } as const;
  const [pod] = await cluster.api.list(selection);
  return pod && `Pod default/${pod.metadata.name}`;
}

describe('pods that find no room on other nodes', () => {
  it('are named in the plan, with the numbers, and the node may leave all the same', async () => {
    const planned = await plan(await writePlaybook({ cluster, hosts, name: 'warns' }), 0);
    expect(planned.map(({ verdict }) => verdict)).toEqual(['goes', 'goes', 'goes']);
    for (const { node, findings } of planned) {
      const big = await podOn(node, 'big');
      expect(findings.filter(({ code }) => code === 'no-capacity')).toMatchObject([
        {
          severity: 'caution',
          objects: [big],
          message: expect.stringContaining(
            `${big ?? ''} (it needs 3 cpu, and the most that any of 2 nodes has free is 0.75 cpu (node-`,
          ) as unknown,
        },
      ]);
    }
  });

  it('keep the node in service where the playbook says so', async () => {
    const spec = { gates: { capacity: { mode: 'block' } } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'blocks', spec });
    expect((await plan(playbook, 3)).map(({ verdict }) => verdict)).toEqual(['blocked', 'blocked', 'blocked']);
    const turnus = attempts.start(playbook);
    await expectEnd(turnus, 3);
    expect(await phasesOf(cluster, 'blocks')).toEqual(['node-1 Blocked', 'node-2 Blocked', 'node-3 Blocked']);
    expect(turnus.stdout() + turnus.stderr()).toContain('needs 3 cpu');
    expect(await evictions(cluster)).toEqual([]);
    for (const name of cluster.nodeNames) {
      expect((await cluster.api.get({ kind: 'Node', name })).spec.unschedulable).toBeUndefined();
    }
  });
});

describe('a pod that may end later than the drain waits', () => {
  it('is named in the plan', async () => {
    const planned = await plan(
      await writePlaybook({ cluster, hosts, name: 'slow', spec: { drain: { timeout: '1m' } } }),
      0,
    );
    for (const { node, findings } of planned) {
      const slow = await podOn(node, 'slow');
      const expected = slow === undefined ? [] : [{ severity: 'caution', objects: [slow] }];
      expect(findings.filter(({ code }) => code === 'grace-exceeds-timeout')).toMatchObject(expected);
    }
  });
});
