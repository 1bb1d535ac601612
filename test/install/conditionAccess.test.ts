import { describe, expect, it } from 'vitest';
import { describePermission } from '../../src/cluster/permissions.js';
import { conditionAccess, conditionPermissions } from '../../src/install/conditionAccess.js';
import type { ConditionTarget } from '../../src/run/readConditions.js';

const ceph = { group: 'ceph.rook.io', version: 'v1', plural: 'cephclusters', namespaced: true };
const zones = { group: 'sim.test', version: 'v1', plural: 'zones', namespaced: false };
const targets: ConditionTarget[] = [
  { resource: ceph, namespace: 'rook-ceph', name: 'main' },
  { resource: ceph, namespace: 'rook-ceph', name: 'main' },
  { resource: ceph, namespace: 'backup', name: undefined },
  { resource: ceph, namespace: undefined, name: undefined },
  { resource: zones, namespace: undefined, name: 'north' },
];

describe('the permissions of conditions', () => {
  it('are to get what is named and to list what is not, each once', () => {
    expect(conditionPermissions(targets).map(describePermission)).toEqual([
      'get cephclusters.ceph.rook.io main in namespace rook-ceph',
      'list cephclusters.ceph.rook.io in namespace backup',
      'list cephclusters.ceph.rook.io',
      'get zones.sim.test north',
    ]);
  });
});

describe('the roles for conditions', () => {
  const objects = conditionAccess({ playbook: 'monthly', namespace: 'turnus-system', targets });
  const where = ({ kind = '', metadata }: (typeof objects)[number]) => `${kind} ${metadata.namespace ?? ''}`.trim();

  it('are one in each namespace that is named, and one for the cluster, each bound', () => {
    expect(objects.map(where)).toEqual([
      ...['Role rook-ceph', 'RoleBinding rook-ceph', 'Role backup', 'RoleBinding backup'],
      ...['ClusterRole', 'ClusterRoleBinding'],
    ]);
    for (const { metadata } of objects) {
      expect(metadata).toMatchObject({
        name: 'turnus-conditions-monthly',
        labels: { 'turnus.dev/conditions-of': 'monthly' },
      });
    }
    for (const binding of objects.filter(({ kind = '' }) => kind.endsWith('Binding'))) {
      expect(binding).toMatchObject({
        roleRef: { kind: binding.kind?.replace('Binding', ''), name: 'turnus-conditions-monthly' },
        subjects: [{ kind: 'ServiceAccount', name: 'turnus', namespace: 'turnus-system' }],
      });
    }
  });

  it('allow exactly the permissions, and nothing cluster-wide that is asked for in a namespace', () => {
    expect(
      objects.flatMap((object) => (object['rules'] === undefined ? [] : [[where(object), object['rules']]])),
    ).toEqual([
      [
        'Role rook-ceph',
        [{ apiGroups: ['ceph.rook.io'], resources: ['cephclusters'], resourceNames: ['main'], verbs: ['get'] }],
      ],
      ['Role backup', [{ apiGroups: ['ceph.rook.io'], resources: ['cephclusters'], verbs: ['list'] }]],
      [
        'ClusterRole',
        [
          { apiGroups: ['ceph.rook.io'], resources: ['cephclusters'], verbs: ['list'] },
          { apiGroups: ['sim.test'], resources: ['zones'], resourceNames: ['north'], verbs: ['get'] },
        ],
      ],
    ]);
  });

  it('are none for a playbook without conditions', () => {
    expect(conditionAccess({ playbook: 'monthly', namespace: 'turnus-system', targets: [] })).toEqual([]);
  });
});
