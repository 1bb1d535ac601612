import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { parseObjectPath } from '../../src/cluster/parseObjectPath.js';
import { conditionGate, type ConditionAnswer } from '../../src/gates/conditionGate.js';
import { evaluateNode } from '../../src/gates/evaluateNode.js';
import type { Finding } from '../../src/gates/finding.js';
import type { HealthCondition } from '../../src/playbook/playbook.js';
import { clusterView, drainPolicy, node, spreadPolicy } from '../drain/clusterFixtures.js';

const resource = { group: 'ceph.rook.io', version: 'v1', plural: 'cephclusters', namespaced: true };

function condition(changes: Partial<Omit<HealthCondition, 'path'>> & { path?: string } = {}): HealthCondition {
  const { path = '.status.ceph.health', ...others } = changes;
  const parsed = parseObjectPath(path);
  if (parsed.kind === 'invalid') throw new Error(parsed.message);
  return {
    apiVersion: 'ceph.rook.io/v1',
    kind: 'CephCluster',
    namespace: 'rook-ceph',
    name: 'main',
    in: ['HEALTH_OK', 'HEALTH_WARN'],
    ...others,
    path: parsed.path,
  };
}

function object(status: unknown, name = 'main'): ApiObject {
  return { metadata: { name, namespace: 'rook-ceph' }, status };
}

function read(...objects: ApiObject[]): ConditionAnswer {
  return { kind: 'read', resource, objects };
}

function found(answer: ConditionAnswer, changes: Parameters<typeof condition>[0] = {}): readonly Finding[] {
  return conditionGate({ conditions: [{ condition: condition(changes), answer }], node: 'node-1' });
}

const kind = (name: string) => ({ name, namespace: undefined, kind: 'Volume', path: '.status.robustness' });

describe('the gate for the conditions of the cluster', () => {
  it('finds nothing where there is no condition, and where each holds', () => {
    expect(conditionGate({ conditions: [], node: 'node-1' })).toEqual([]);
    expect(found(read(object({ ceph: { health: 'HEALTH_WARN' } })))).toEqual([]);
    expect(found(read(object({ ready: 3 })), { path: '.status.ready', in: ['3'] })).toEqual([]);
  });

  it('blocks with the object, the path, the value seen and the values wanted', () => {
    expect(found(read(object({ ceph: { health: 'HEALTH_ERR' } })))).toEqual([
      {
        code: 'cluster-not-healthy',
        severity: 'block',
        node: 'node-1',
        objects: ['CephCluster rook-ceph/main'],
        message: 'CephCluster rook-ceph/main has .status.ceph.health HEALTH_ERR; wanted is HEALTH_OK or HEALTH_WARN.',
        hint: 'Find out why: kubectl -n rook-ceph describe cephclusters.ceph.rook.io main',
      },
    ]);
  });

  it.each<[string, unknown, string | undefined, string]>([
    ['lacks the field', { ceph: {} }, undefined, 'no .status.ceph.health; wanted'],
    ['lacks what is around the field', {}, undefined, 'no .status.ceph, so no .status.ceph.health; wanted'],
    ['has no status yet', undefined, undefined, 'no .status, so no .status.ceph.health; wanted'],
    ['has null there', { ceph: { health: null } }, undefined, 'no .status.ceph.health; wanted'],
    [
      'has a mapping there',
      { ceph: { health: {} } },
      undefined,
      'a mapping at .status.ceph.health, not a text; wanted',
    ],
    ['has an empty text there', { ceph: { health: '' } }, undefined, '.status.ceph.health ""; wanted'],
    ['has a sentence there', { ceph: { health: 'all is\nwell' } }, undefined, '.status.ceph.health "all is\\nwell"; '],
    ['has a long text there', { ceph: { health: 'x'.repeat(500) } }, undefined, `${'x'.repeat(77)}...; wanted`],
    [
      'has one wrong value among several',
      { disks: [{ state: 'HEALTH_OK' }, { state: 'worn' }, { state: 'worn' }] },
      '.status.disks[*].state',
      '.status.disks[*].state worn; wanted',
    ],
    [
      'lacks the condition that a filter names',
      { conditions: [{ type: 'Progressing', status: 'True' }] },
      '.status.conditions[?(@.type=="Ready")].status',
      'no .status.conditions[?(@.type=="Ready")], so no .status.conditions[?(@.type=="Ready")].status; wanted',
    ],
  ])('blocks where the object %s, and says so', (_, status, path, words) => {
    const [finding, ...others] = found(read(object(status)), path === undefined ? {} : { path });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'cluster-not-healthy', severity: 'block' });
    expect(finding?.message).toContain('CephCluster rook-ceph/main has ');
    expect(finding?.message).toContain(words);
    expect(finding?.message).not.toMatch(/\p{Cc}/u);
  });

  it('blocks where the object is not there', () => {
    expect(found(read())).toMatchObject([
      { code: 'cluster-not-healthy', message: 'There is no CephCluster rook-ceph/main.' },
    ]);
  });

  it.each([
    [undefined, 'There is no CephCluster.'],
    ['rook-ceph', 'There is no CephCluster in namespace rook-ceph.'],
  ])(
    'blocks where there is no object of the kind (namespace %s): a condition on nothing protects nobody',
    (namespace, message) => {
      expect(found(read(), { name: undefined, namespace })).toMatchObject([{ code: 'cluster-not-healthy', message }]);
    },
  );

  it('names each object of a kind that does not hold, in order', () => {
    const objects = ['c', 'a', 'b'].map((name) => object({ robustness: name === 'b' ? 'healthy' : 'faulted' }, name));
    const findings = found(read(...objects), { ...kind('x'), name: undefined, in: ['healthy'] });
    expect(findings.map(({ message }) => message)).toEqual([
      'Volume rook-ceph/a has .status.robustness faulted; wanted is healthy.',
      'Volume rook-ceph/c has .status.robustness faulted; wanted is healthy.',
    ]);
  });

  it('names ten of many objects and counts the others', () => {
    const objects = Array.from({ length: 300 }, (_, number) => object({ robustness: 'faulted' }, `volume-${number}`));
    const findings = found(read(...objects), { ...kind('x'), name: undefined, in: ['healthy'] });
    expect(findings).toHaveLength(11);
    expect(findings.at(-1)?.message).toBe(
      '290 more of 300 objects of kind Volume have another .status.robustness; wanted is healthy.',
    );
    expect(findings.at(-1)?.objects.length).toBeLessThanOrEqual(50);
  });

  it.each<[ConditionAnswer, string, string]>([
    [{ kind: 'not-served' }, 'condition-unreadable', 'The API server serves no kind CephCluster in ceph.rook.io/v1.'],
    [
      { kind: 'needs-namespace' },
      'condition-unreadable',
      'A CephCluster is in a namespace, and the condition on CephCluster rook-ceph/main names none.',
    ],
    [
      { kind: 'has-no-namespaces' },
      'condition-unreadable',
      'A CephCluster is in no namespace, and the condition on CephCluster rook-ceph/main names one.',
    ],
    [
      { kind: 'forbidden', message: 'operator may not' },
      'condition-unreadable',
      'CephCluster rook-ceph/main may not be read: operator may not',
    ],
    [
      { kind: 'refused', message: 'bad request' },
      'condition-unreadable',
      'CephCluster rook-ceph/main cannot be read: bad request',
    ],
    [
      { kind: 'no-answer', message: 'connection refused' },
      'cluster-not-healthy',
      'CephCluster rook-ceph/main could not be read: connection refused',
    ],
  ])('says of %j: %s', (answer, code, message) => {
    const findings = found(answer);
    expect(findings).toMatchObject([{ code, severity: 'block', node: 'node-1', message }]);
    expect(findings[0]?.hint).toMatch(/\S{3}/);
  });

  it('names the condition of the playbook that must be corrected', () => {
    const holds = { condition: condition(), answer: read(object({ ceph: { health: 'HEALTH_OK' } })) };
    const wrong = { condition: condition({ kind: 'CephClustre' }), answer: { kind: 'not-served' } as const };
    const [finding] = conditionGate({ conditions: [holds, wrong], node: 'node-1' });
    expect(finding?.hint).toContain('spec.gates.clusterHealth.conditions[1]');
  });

  it('is asked before the cordon alone: later, this node may be why a condition fails', () => {
    const ask = (moment: 'before-cordon' | 'after-cordon' | 'resumed') =>
      evaluateNode({
        view: clusterView({ nodes: [node('node-1')] }),
        node: node('node-1'),
        moment,
        run: undefined,
        selection: [node('node-1')],
        nodes: { maxUnavailable: 1 },
        gates: { replicaSpread: spreadPolicy, managedBudgets: [], capacity: { mode: 'warn' } },
        drain: drainPolicy,
        api: { ready: true, message: '' },
        conditions: [{ condition: condition(), answer: read() }],
      }).findings.map(({ code }) => code);
    expect(ask('before-cordon')).toEqual(['cluster-not-healthy']);
    expect([ask('after-cordon'), ask('resumed')]).toEqual([[], []]);
  });
});
