import { describe, expect, it } from 'vitest';
import type { ClusterView } from '../../src/cluster/view.js';
import { evaluateNode, type NodeToEvaluate } from '../../src/gates/evaluateNode.js';
import { budget, clusterView, drainPolicy, node, pod, spreadPolicy, workload } from '../drain/clusterFixtures.js';

const here = { on: 'node-1' };
const elsewhere = { on: 'node-2' };
const nodes = [node('node-1'), node('node-2'), node('node-3')];

/** `severity code` of each finding, in order. */
function findings(view: ClusterView, changes: Partial<NodeToEvaluate> = {}): string[] {
  const evaluated = evaluateNode({
    view,
    node: view.nodes.get('node-1') ?? node('node-1'),
    moment: 'before-cordon',
    run: 'monthly-2026-11',
    selection: nodes,
    nodes: { maxUnavailable: 1 },
    gates: { replicaSpread: spreadPolicy, managedBudgets: [], capacity: { mode: 'warn' } },
    drain: drainPolicy,
    api: { ready: true, message: '' },
    ...changes,
  });
  return evaluated.findings.map(({ severity, code }) => `${severity} ${code}`);
}

const closed = { expectedPods: 2, currentHealthy: 2, desiredHealthy: 2 };

describe('the gates of a node', () => {
  it('find nothing on a node whose pods can all move', () => {
    expect(
      findings(clusterView({ nodes, workloads: [workload({ name: 'web', pods: [here, here, elsewhere] })] })),
    ).toEqual([]);
  });

  it('say what blocks first, then cautions, then information', () => {
    const view = clusterView({
      nodes,
      workloads: [
        workload({ name: 'single', pods: [{ ...here, emptyDirs: ['cache'] }] }),
        workload({ name: 'web', pods: [here, elsewhere] }),
      ],
      pods: [pod('bare-0')],
      budgets: [budget('web', { maxUnavailable: 0, status: closed })],
    });
    expect(findings(view)).toEqual([
      'block budget-never',
      'block unmanaged-pod',
      'caution singleton-outage',
      'info local-data-lost',
    ]);
  });

  it('say every cause in one go, also behind one that blocks', () => {
    const critical = { priority: 2_000_000_000 };
    const view = clusterView({
      nodes,
      workloads: [
        workload({ name: 'web', pods: [here, elsewhere] }),
        workload({
          name: 'dns',
          pods: [
            { ...here, ...critical },
            { ...elsewhere, ...critical, ready: false },
          ],
        }),
      ],
      budgets: [budget('web', { maxUnavailable: 0, status: closed })],
    });
    expect(findings(view)).toEqual(['block budget-never', 'block replica-spread']);
  });

  it('say one cause once for all its pods', () => {
    const view = clusterView({
      nodes,
      workloads: [workload({ name: 'web', pods: [here, here, here] })],
      budgets: [
        budget('web', { minAvailable: '90%', status: { expectedPods: 3, currentHealthy: 3, desiredHealthy: 3 } }),
      ],
    });
    expect(findings(view)).toEqual(['block budget-never']);
  });

  it('tell "not now" from "never"', () => {
    const view = clusterView({
      nodes,
      workloads: [workload({ name: 'web', pods: [here, elsewhere, { ...elsewhere, ready: false }] })],
      budgets: [budget('web', { minAvailable: 2, status: { expectedPods: 3, currentHealthy: 2, desiredHealthy: 2 } })],
    });
    expect(findings(view)).toEqual(['block budget-not-now']);
  });

  it('let what waits for a Ready pod be caution once pods of the turn are moving', () => {
    const view = clusterView({
      nodes,
      workloads: [workload({ name: 'web', pods: [here, { ...elsewhere, ready: false }] })],
    });
    expect(findings(view, { moment: 'after-cordon' })).toEqual(['block replica-spread']);
    expect(findings(view, { moment: 'resumed' })).toEqual(['caution replica-spread']);
  });

  it('take a budget that an operator runs as caution', () => {
    const view = clusterView({
      nodes,
      workloads: [workload({ name: 'ceph', pods: [here, elsewhere] })],
      budgets: [budget('ceph', { maxUnavailable: 0, managedBy: 'CephCluster', status: closed })],
    });
    expect(findings(view)).toEqual(['caution budget-managed']);
  });

  it('block where a pod is pinned to the node and its owner would have none left', () => {
    const pinned = { ...here, nodeSelector: { 'kubernetes.io/hostname': 'node-1' } };
    const view = clusterView({ nodes, workloads: [workload({ name: 'web', pods: [pinned, pinned] })] });
    expect(findings(view)).toEqual(['block replica-spread', 'caution short-during-turn']);
  });

  it('name a pod that can run on this node alone, where the others suffice', () => {
    const pinned = { ...here, nodeSelector: { 'kubernetes.io/hostname': 'node-1' } };
    const view = clusterView({ nodes, workloads: [workload({ name: 'web', pods: [pinned, elsewhere] })] });
    expect(findings(view)).toEqual(['caution short-during-turn']);
  });

  it('name what ties a pod to the node, and let it go where the other replicas suffice', () => {
    const selector = { matchLabels: { app: 'web' }, matchExpressions: [] };
    const antiAffinity = [
      { topologyKey: 'kubernetes.io/hostname', selector, namespaces: [], namespaceSelector: undefined },
    ];
    const apart = ['node-1', 'node-2', 'node-3'].map((on) => ({ on, antiAffinity }));
    const view = clusterView({
      nodes,
      workloads: [workload({ name: 'web', pods: apart })],
      budgets: [
        budget('web', {
          maxUnavailable: 1,
          status: { expectedPods: 3, currentHealthy: 3, desiredHealthy: 2, disruptionsAllowed: 1 },
        }),
      ],
    });
    expect(findings(view)).toEqual(['caution short-during-turn']);
    const two = clusterView({
      nodes: nodes.slice(0, 2),
      workloads: [workload({ name: 'web', pods: apart.slice(0, 2) })],
    });
    expect(findings(two)).toEqual(['caution short-during-turn']);
  });

  it('wait for Job pods by default and say so', () => {
    const controller = { apiVersion: 'batch/v1', kind: 'Job', name: 'import', uid: 'job' };
    const view = clusterView({ nodes, pods: [pod('import-0', { controller })] });
    expect(findings(view)).toEqual(['caution job-running']);
    expect(findings(view, { drain: { ...drainPolicy, jobPods: 'block' } })).toEqual(['block job-running']);
  });

  it('ask for the health of kube-system before the cordon alone', () => {
    const dns = workload({ name: 'coredns', desired: 2, pods: [{ namespace: 'kube-system', on: 'node-2' }] });
    const view = clusterView({ nodes, workloads: [{ ...dns, owner: { ...dns.owner, namespace: 'kube-system' } }] });
    expect(findings(view)).toEqual(['block system-owner-short']);
    expect(findings(view, { moment: 'after-cordon' })).toEqual([]);
  });

  it('ask the host only where there is one to ask', () => {
    const view = clusterView({ nodes });
    const host = {
      address: '127.0.1.1',
      answer: { kind: 'unreachable', message: 'connection refused' },
      ssh: { address: 'InternalIP', user: 'root' },
    } as const;
    expect(findings(view)).toEqual([]);
    expect(findings(view, { host })).toEqual(['block host-unreachable']);
  });

  it('forecast evictions and waits', () => {
    const view = clusterView({ nodes, workloads: [workload({ name: 'web', pods: [here, here, here] })] });
    const { forecast } = evaluateNode({
      view,
      node: node('node-1'),
      moment: 'before-cordon',
      run: undefined,
      selection: nodes,
      nodes: { maxUnavailable: 1 },
      gates: { replicaSpread: spreadPolicy, managedBudgets: [], capacity: { mode: 'warn' } },
      drain: drainPolicy,
      api: { ready: true, message: '' },
    });
    expect(forecast).toMatchObject({ verdict: 'possible', evictions: 3, waits: 2 });
  });
});
