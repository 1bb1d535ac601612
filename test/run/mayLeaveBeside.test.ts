import { describe, expect, it } from 'vitest';
import type { ClusterView, NodeView } from '../../src/cluster/view.js';
import { mayLeaveBeside, type TurnInWork } from '../../src/run/mayLeaveBeside.js';
import { overlappingTurns } from '../../src/run/overlaps.js';
import { budget, clusterView, drainPolicy, node, workload } from '../drain/clusterFixtures.js';
import { nodesPolicy } from './runFixtures.js';

const web = 'shop/Deployment/web';

function zoned(name: string, changes: Partial<NodeView> = {}): NodeView {
  const labels = { 'topology.kubernetes.io/zone': name.charAt(0), 'kubernetes.io/hostname': name };
  return node(name, { labels, ...changes });
}

const nodes = [zoned('a1', { unschedulable: true }), zoned('a2'), zoned('a3'), zoned('b1')];

const playbook = {
  nodes: { ...nodesPolicy, canaries: 0, concurrency: 3, maxUnavailable: 3 },
  drain: drainPolicy,
  gates: {
    replicaSpread: { minReadyElsewhere: '50%', singletons: 'allow' },
    managedBudgets: [],
    capacity: { mode: 'warn' },
    clusterHealth: { conditions: [], waitMs: 0 },
  },
} as const;

function a1(phase: string, changes: Partial<TurnInWork> = {}): TurnInWork {
  return { node: 'a1', phase, isCordoned: true, displaced: new Map([[web, 4]]), ...changes };
}

function mayA2Leave(view: ClusterView, other: TurnInWork, policy: Partial<typeof playbook.nodes> = {}): boolean {
  const question = { ...playbook, nodes: { ...playbook.nodes, ...policy } };
  return mayLeaveBeside({ view, node: 'a2', others: [other], playbook: question });
}

/** Four replicas: one on each of a2, a3 and b1, and one that a1 has given away, as `moved` says. */
function fourOf(moved: { readonly on?: string; readonly ready?: boolean }): ClusterView {
  return clusterView({
    nodes,
    workloads: [workload({ name: 'web', pods: [{ on: 'a2' }, { on: 'a3' }, { on: 'b1' }, moved] })],
  });
}

const whole = fourOf({ on: 'b1' });

describe('a node may leave beside one in work', () => {
  it('when what that one displaced is Ready again, although both hold the same workload', () => {
    for (const phase of ['Updating', 'Rebooting', 'Verifying', 'Uncordoning']) {
      expect(mayA2Leave(whole, a1(phase)), phase).toBe(true);
    }
  });

  it('not while a replica that the other displaced is missing', () => {
    expect(mayA2Leave(fourOf({ on: 'b1', ready: false }), a1('Updating'))).toBe(false);
  });

  it('when the workload that is missing has no pod on it', () => {
    const view = clusterView({
      nodes,
      workloads: [
        workload({ name: 'web', pods: [{ on: 'b1' }, { on: 'b1', ready: false }] }),
        workload({ name: 'api', pods: [{ on: 'a2' }] }),
      ],
    });
    expect(mayA2Leave(view, a1('Updating', { displaced: new Map([[web, 2]]) }))).toBe(true);
  });

  it('not where its pod of a shared workload can run nowhere else: it would be missing for the whole turn', () => {
    const here = { nodeSelector: { 'kubernetes.io/hostname': 'a2' } };
    const view = clusterView({
      nodes,
      workloads: [workload({ name: 'web', pods: [{ on: 'a2', ...here }, { on: 'a3' }, { on: 'b1' }, { on: 'b1' }] })],
    });
    expect(mayA2Leave(view, a1('Rebooting'))).toBe(false);
    expect(mayA2Leave(view, a1('Rebooting', { displaced: new Map() }))).toBe(true);
  });

  it('not with a workload that the other settles: its time without a change must come to an end', () => {
    expect(mayA2Leave(whole, a1('Settling'))).toBe(false);
    expect(mayA2Leave(whole, a1('Settling', { displaced: new Map() }))).toBe(true);
  });

  it.each(['Preparing', 'Checking', 'Cordoning', 'Undoing', 'Pending'])('not while that one is %s', (phase) => {
    expect(mayA2Leave(whole, a1(phase))).toBe(false);
  });

  it('not before the view shows the cordon of the other', () => {
    const uncordoned = clusterView({ nodes: nodes.map((one) => ({ ...one, unschedulable: false })) });
    expect(mayA2Leave(uncordoned, a1('Updating'))).toBe(false);
    expect(mayA2Leave(uncordoned, a1('Settling', { isCordoned: false }))).toBe(true);
  });

  it('only in the same zone', () => {
    const question = { view: whole, others: [a1('Updating')], playbook };
    expect(mayLeaveBeside({ ...question, node: 'a3' })).toBe(true);
    expect(mayLeaveBeside({ ...question, node: 'b1' })).toBe(false);
  });

  it('only as far as maxUnavailable allows', () => {
    expect(mayA2Leave(whole, a1('Updating'), { maxUnavailable: 1 as never })).toBe(false);
  });

  it('not on the room in a budget that the pods still on the other will take', () => {
    const view = clusterView({
      nodes,
      workloads: [workload({ name: 'web', pods: [{ on: 'a1' }, { on: 'a2' }, { on: 'a3' }, { on: 'b1' }] })],
      budgets: [
        budget('web', {
          minAvailable: 3,
          status: { disruptionsAllowed: 1, currentHealthy: 4, desiredHealthy: 3, expectedPods: 4 },
        }),
      ],
    });
    expect(mayA2Leave(view, a1('Draining'))).toBe(false);
    expect(mayA2Leave(view, a1('Updating'))).toBe(true);
  });

  it('not on a replica that is about to leave the other as well', () => {
    const view = clusterView({ nodes, workloads: [workload({ name: 'web', pods: [{ on: 'a1' }, { on: 'a2' }] })] });
    expect(mayA2Leave(view, a1('Draining', { displaced: new Map([[web, 2]]) }))).toBe(false);
  });
});

describe('the plan shows as overlapping', () => {
  const allIn = nodes.map((one) => ({ ...one, unschedulable: false }));
  const order = ['a1', 'a2', 'a3', 'b1'];
  const groups = (
    view: ClusterView,
    policy: Partial<Record<keyof typeof playbook.nodes, unknown>> = {},
    goes = order,
  ) =>
    overlappingTurns({
      view,
      order,
      goes: new Set(goes),
      playbook: { ...playbook, nodes: { ...playbook.nodes, ...policy } as never },
    });
  const view = clusterView({
    nodes: allIn,
    workloads: [workload({ name: 'web', pods: [{ on: 'a1' }, { on: 'a2' }, { on: 'a3' }, { on: 'b1' }] })],
  });

  it('the turns of one zone, as many as may be in work and out of service', () => {
    expect(groups(view)).toEqual([['a1', 'a2', 'a3']]);
    expect(groups(view, { concurrency: 2 })).toEqual([['a1', 'a2']]);
    expect(groups(view, { maxUnavailable: 2 })).toEqual([['a1', 'a2']]);
    expect(groups(view, { maxUnavailable: '50%' })).toEqual([['a1', 'a2']]);
  });

  it('none with one at a time', () => {
    expect(groups(view, { concurrency: 1 })).toEqual([]);
    expect(groups(view, { maxUnavailable: 1 })).toEqual([]);
  });

  it('no canary, and no node that has no turn', () => {
    expect(groups(view, { canaries: 1 })).toEqual([['a2', 'a3']]);
    expect(groups(view, {}, ['a1', 'a3', 'b1'])).toEqual([['a1', 'a3']]);
  });

  it('not two nodes whose pods of one workload can run nowhere else', () => {
    const tiedTo = (on: string) => ({ on, nodeSelector: { 'kubernetes.io/hostname': on } });
    const tied = clusterView({
      nodes: allIn,
      workloads: [workload({ name: 'web', pods: [tiedTo('a1'), tiedTo('a2'), { on: 'b1' }, { on: 'b1' }] })],
    });
    expect(groups(tied)).toEqual([['a1', 'a3']]);
  });
});
