import { describe, expect, it } from 'vitest';
import type { PodView } from '../../src/cluster/view.js';
import { excusedReplicas } from '../../src/drain/excusedReplicas.js';
import { clusterView, node, workload } from './clusterFixtures.js';

const hostname = 'kubernetes.io/hostname';

describe('the replicas that a drain does not wait for', () => {
  const pending = { nodeName: undefined, phase: 'Pending', ready: false } as const;
  const selector = { matchLabels: { app: 'web' }, matchExpressions: [] };
  const antiAffinity = [{ topologyKey: hostname, selector, namespaces: [], namespaceSelector: undefined }];
  const key = 'shop/Deployment/web';

  function excused(pods: (Partial<PodView> & { on?: string })[], tied = 0, desired = 3): number {
    const view = clusterView({ workloads: [workload({ name: 'web', desired, pods })] });
    const displaced = new Map([[key, 3]]);
    return excusedReplicas({ view, node: 'node-1', displaced, tied: new Map([[key, tied]]) }).get(key) ?? 0;
  }

  const there = [
    { on: 'node-2', antiAffinity },
    { on: 'node-3', antiAffinity },
  ];

  it.each([
    ['a Pending pod that no other node can take', 1, [...there, { ...pending, antiAffinity }], 0],
    ['no Pending pod that another node can take', 0, [{ on: 'node-2' }, { on: 'node-3' }, pending], 0],
    ['one that was evicted in the knowledge, before its successor is there', 1, there, 1],
    ['it once, when its successor is there', 1, [...there, { ...pending, antiAffinity }], 1],
    ['none, when its successor has found a node after all', 0, [...there, { on: 'node-2', ready: false }], 1],
    ['none that was not known to be tied, before its successor is there', 0, there, 0],
  ] as const)('are %s', (_, expected, pods, tied) => {
    expect(excused([...pods], tied)).toBe(expected);
  });

  it('are all that a StatefulSet has not created yet, where it creates one after the other', () => {
    const nodes = [node('node-1'), node('node-2')];
    const db = workload({
      name: 'db',
      kind: 'StatefulSet',
      desired: 4,
      pods: [{ ...pending, nodeSelector: { [hostname]: 'node-1' } }, { on: 'node-2' }],
    });
    const question = (ordered: boolean) => {
      const view = clusterView({ nodes, workloads: [{ ...db, owner: { ...db.owner, ordered } }] });
      const displaced = new Map([['shop/StatefulSet/db', 4]]);
      return excusedReplicas({ view, node: 'node-1', displaced, tied: new Map() });
    };
    expect([...question(true).values()]).toEqual([3]);
    expect([...question(false).values()]).toEqual([1]);
  });
});
