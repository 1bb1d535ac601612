import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { lastTurnOf, lastTurnText, marks } from '../../src/cluster/marks.js';
import { parseBudget } from '../../src/cluster/parseBudget.js';
import { parseNode } from '../../src/cluster/parseNode.js';
import { isForeign, parseOwner, parseReplicaSet } from '../../src/cluster/parseOwner.js';
import { parsePod } from '../../src/cluster/parsePod.js';
import { parseClaim } from '../../src/cluster/parseStorage.js';
import { microTime, parseLease } from '../../src/cluster/leaseRecord.js';

describe('a Node', () => {
  it('is read with its state, versions and addresses', () => {
    const node = parseNode({
      metadata: {
        name: 'node-1',
        uid: 'u',
        resourceVersion: '7',
        labels: { zone: 'a' },
        annotations: { [marks.hold]: 'wait' },
        creationTimestamp: '2026-01-02T03:04:05Z',
      },
      spec: { unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }] },
      status: {
        conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
        nodeInfo: {
          bootID: 'b',
          kernelVersion: '6.1',
          osImage: 'Debian',
          kubeletVersion: 'v1.36.3',
          containerRuntimeVersion: 'c',
        },
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        allocatable: { cpu: '4' },
      },
    });
    expect(node).toEqual({
      name: 'node-1',
      uid: 'u',
      resourceVersion: '7',
      labels: { zone: 'a' },
      annotations: { [marks.hold]: 'wait' },
      createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
      unschedulable: true,
      taints: [{ key: 'k', value: '', effect: 'NoSchedule' }],
      ready: true,
      notReadyReason: undefined,
      bootId: 'b',
      versions: { kernel: '6.1', osImage: 'Debian', kubelet: 'v1.36.3', containerRuntime: 'c' },
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      allocatable: { cpu: 4000 },
    });
  });

  it.each([
    [
      [
        {
          type: 'Ready',
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
        },
      ],
      'NodeStatusUnknown: Kubelet stopped posting node status.',
    ],
    [[{ type: 'Ready', status: 'False' }], 'condition Ready is False'],
    [[], 'the kubelet has not reported yet'],
  ])('is not Ready, and says why: %j', (conditions, reason) => {
    expect(parseNode({ metadata: { name: 'n' }, status: { conditions } })).toMatchObject({
      ready: false,
      notReadyReason: reason,
    });
  });
});

describe('a Pod', () => {
  const pod = (fields: { metadata?: ApiObject['metadata']; spec?: unknown; status?: unknown } = {}) =>
    parsePod({
      metadata: { name: 'web-0', namespace: 'shop', uid: 'u', ...fields.metadata },
      spec: fields.spec,
      status: fields.status,
    });
  const ready = { conditions: [{ type: 'Ready', status: 'True' }], phase: 'Running' };

  it('is Ready only while it is not being deleted', () => {
    expect(pod({ status: ready })).toMatchObject({
      ready: true,
      terminating: false,
      phase: 'Running',
      deletionDeadline: undefined,
    });
    expect(pod({ status: ready, metadata: { deletionTimestamp: '2026-01-01T00:00:30Z' } })).toMatchObject({
      ready: false,
      terminating: true,
      deletionDeadline: Date.UTC(2026, 0, 1, 0, 0, 30),
    });
  });

  it('has the controller that its references name, not just any owner', () => {
    const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'ru' };
    expect(pod({ metadata: { ownerReferences: [reference] } }).controller).toBeUndefined();
    expect(
      pod({ metadata: { ownerReferences: [reference, { ...reference, uid: 'c', controller: true }] } }).controller,
    ).toEqual({ ...reference, uid: 'c' });
  });

  it('shows what binds it to its node or is lost with it', () => {
    expect(
      pod({
        spec: {
          nodeName: 'node-1',
          priority: 5,
          terminationGracePeriodSeconds: 0,
          nodeSelector: { a: '1' },
          affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] } },
          volumes: [
            { name: 'tmp', emptyDir: {} },
            { name: 'db', persistentVolumeClaim: { claimName: 'db-0' } },
            { name: 'scratch', ephemeral: {} },
            { name: 'cfg', configMap: {} },
          ],
          containers: [
            { name: 'main', ports: [{ containerPort: 80, hostPort: 8080, name: 'web' }, { containerPort: 81 }] },
          ],
        },
      }),
    ).toMatchObject({
      nodeName: 'node-1',
      priority: 5,
      terminationGracePeriodSeconds: 0,
      nodeSelector: { a: '1' },
      antiAffinity: [{ topologyKey: 'zone', selector: undefined, namespaces: [], namespaceSelector: undefined }],
      nodeAffinity: undefined,
      emptyDirs: ['tmp'],
      claims: ['db-0'],
      hostPorts: [{ port: 8080, protocol: 'TCP', hostIp: '0.0.0.0', name: 'web' }],
    });
    const preferred = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{}] } };
    expect(pod({ spec: { affinity: preferred, nodeName: '' } })).toMatchObject({
      nodeAffinity: undefined,
      antiAffinity: [],
      hardSpread: [],
      tolerations: [],
      nodeName: undefined,
      terminationGracePeriodSeconds: 30,
    });
  });

  it('demands of its node what is required, not what is only preferred', () => {
    const onNode = { key: 'metadata.name', operator: 'In', values: ['node-1'] };
    const dedicated = { key: 'dedicated', operator: 'Exists' };
    expect(
      pod({
        spec: {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [onNode] }] },
            },
          },
          topologySpreadConstraints: [
            { topologyKey: 'zone', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule', nodeTaintsPolicy: 'Honor' },
            { topologyKey: 'rack', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' },
          ],
          tolerations: [
            dedicated,
            { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
          ],
        },
      }),
    ).toMatchObject({
      nodeAffinity: [{ labels: [], fields: [onNode] }],
      hardSpread: [{ topologyKey: 'zone', maxSkew: 2, minDomains: 1, honoursAffinity: true, honoursTaints: true }],
      tolerations: [{ ...dedicated, value: '', effect: '' }],
    });
  });

  it('knows when each long-running container started, sidecars among them', () => {
    const running = (name: string, startedAt: string) => ({ name, state: { running: { startedAt } } });
    const view = pod({
      spec: {
        initContainers: [{ name: 'init' }, { name: 'proxy', restartPolicy: 'Always' }],
        containers: [{ name: 'a' }, { name: 'b' }],
      },
      status: {
        initContainerStatuses: [running('proxy', '2026-01-01T00:00:01Z')],
        containerStatuses: [{ name: 'b', state: { waiting: {} } }, running('a', '2026-01-01T00:00:02Z')],
      },
    });
    expect(view.containersStartedAt).toEqual([Date.UTC(2026, 0, 1, 0, 0, 1), Date.UTC(2026, 0, 1, 0, 0, 2), undefined]);
  });

  it('keeps why it is not scheduled, that it is a mirror, and no copy of its manifest', () => {
    const view = pod({
      metadata: {
        annotations: { 'kubernetes.io/config.mirror': 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{…}' },
      },
      status: {
        phase: 'Strange',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
        ],
      },
    });
    expect(view).toMatchObject({ mirror: true, unschedulableReason: '0/3 nodes are available', phase: 'Unknown' });
    expect(Object.keys(view.annotations)).toEqual(['kubernetes.io/config.mirror']);
  });
});

describe('a PodDisruptionBudget', () => {
  it('is read with its counts and its status', () => {
    const budget = parseBudget({
      metadata: { name: 'b', namespace: 'n', uid: 'u', generation: 2, labels: { team: 'a' } },
      spec: { minAvailable: '50%', selector: {}, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      status: {
        observedGeneration: 1,
        disruptionsAllowed: 1,
        currentHealthy: 2,
        desiredHealthy: 1,
        expectedPods: 2,
        disruptedPods: { a: '2026-01-01T00:00:00Z', b: 'never' },
        conditions: [
          { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'jobs have no scale' },
        ],
      },
    });
    expect(budget).toEqual({
      namespace: 'n',
      name: 'b',
      uid: 'u',
      labels: { team: 'a' },
      generation: 2,
      selector: { matchLabels: {}, matchExpressions: [] },
      minAvailable: '50%',
      maxUnavailable: undefined,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      managedBy: undefined,
      status: {
        observedGeneration: 1,
        disruptionsAllowed: 1,
        currentHealthy: 2,
        desiredHealthy: 1,
        expectedPods: 2,
        disruptedPods: { a: Date.UTC(2026, 0, 1) },
        syncFailure: 'jobs have no scale',
      },
    });
    expect(parseBudget({ metadata: {}, spec: { unhealthyPodEvictionPolicy: 'Future' } })).toMatchObject({
      selector: undefined,
      unhealthyPodEvictionPolicy: 'IfHealthyBudget',
    });
  });

  it.each([
    ['apps/v1', 'Deployment', undefined],
    ['v1', 'Node', undefined],
    ['networking.k8s.io/v1', 'Ingress', undefined],
    ['ceph.rook.io/v1', 'CephCluster', 'CephCluster'],
    ['kueue.x-k8s.io/v1', 'Workload', 'Workload'],
  ])('owned by %s %s is managed by %s', (apiVersion, kind, managedBy) => {
    const ownerReferences = [{ apiVersion, kind, name: 'o', uid: 'u' }];
    expect(parseBudget({ metadata: { ownerReferences } }).managedBy).toBe(managedBy);
  });
});

describe('an owner', () => {
  it('has its replicas, one where none are named, and none where it has no scale', () => {
    expect(parseOwner({ metadata: { name: 'a' }, spec: { replicas: 0 } }, 'Deployment').desired).toBe(0);
    expect(parseOwner({ metadata: { name: 'a' }, spec: {} }, 'StatefulSet').desired).toBe(1);
    expect(parseOwner({ metadata: { name: 'a' }, spec: { replicas: 3 } }, 'DaemonSet').desired).toBeUndefined();
    expect(
      parseOwner({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, 'ReplicationController'),
    ).toMatchObject({ apiVersion: 'v1', terminating: true });
  });

  it('of a ReplicaSet is its controller', () => {
    const reference = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'r', uid: 'u', controller: true };
    expect(parseReplicaSet({ metadata: { ownerReferences: [reference] } }).controller).toMatchObject({
      kind: 'Rollout',
      uid: 'u',
    });
  });

  it.each([
    ['apps/v1', 'StatefulSet', false],
    ['apps.kruise.io/v1beta1', 'StatefulSet', true],
    ['batch/v1', 'Job', false],
    ['v1', 'Node', false],
    ['v1', 'ReplicationController', false],
    ['argoproj.io/v1alpha1', 'Rollout', true],
  ])('%s %s is foreign: %s', (apiVersion, kind, foreign) => {
    expect(isForeign({ apiVersion, kind })).toBe(foreign);
  });
});

describe('a Lease', () => {
  it('gets times with six digits, as the API server demands', () => {
    expect(microTime(Date.UTC(2026, 0, 1, 2, 3, 4, 5))).toBe('2026-01-01T02:03:04.005000Z');
  });

  it('without a spec is one that nobody holds', () => {
    expect(parseLease({ metadata: {} })).toEqual({
      holder: '',
      durationMs: undefined,
      renewTime: undefined,
      acquiredAt: undefined,
      transitions: 0,
    });
  });
});

describe('the mark of the last turn', () => {
  it('is read as it was written', () => {
    const turn = { time: Date.UTC(2026, 10, 12), run: 'monthly-2026-11' };
    const node = parseNode({ metadata: { annotations: { [marks.lastTurn]: lastTurnText(turn) } } });
    expect(lastTurnOf(node)).toEqual(turn);
  });

  it.each(['', 'yesterday', '{}', '{"time":"x","run":"y"}', '[]'])(
    'that cannot be read (%j) counts as none',
    (text) => {
      expect(lastTurnOf(parseNode({ metadata: { annotations: { [marks.lastTurn]: text } } }))).toBeUndefined();
    },
  );
});

describe('any object at all', () => {
  const parsers: Record<string, (object: ApiObject) => unknown> = {
    node: parseNode,
    pod: parsePod,
    budget: parseBudget,
    deployment: (object) => parseOwner(object, 'Deployment'),
    replicaSet: parseReplicaSet,
    lease: parseLease,
  };
  /** Objects whose known fields hold anything. */
  const odd = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(null, 0, 1.5, '', 'x', true, '2026-13-99'),
      fc.array(tie('value'), { maxLength: 2 }),
      tie('fields'),
    ),
    fields: fc.dictionary(
      fc.constantFrom(
        'name',
        'conditions',
        'containers',
        'volumes',
        'affinity',
        'selector',
        'matchExpressions',
        'ownerReferences',
        'labels',
        'annotations',
        'nodeInfo',
        'taints',
        'disruptedPods',
        'ports',
        'state',
        'emptyDir',
        'replicas',
      ),
      tie('value'),
    ),
  })).value;

  it.each(Object.keys(parsers))('is read as a %s without throwing', (name) => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), odd), odd, odd, (metadata, spec, status) => {
        expect(parsers[name]?.({ metadata, spec, status })).toBeDefined();
      }),
    );
  });
});

describe('a PersistentVolumeClaim', () => {
  it.each([
    [['ReadWriteOnce'], undefined, true],
    [['ReadWriteOncePod'], undefined, true],
    [['ReadWriteMany'], undefined, false],
    [['ReadOnlyMany', 'ReadWriteOnce'], undefined, false],
    [['ReadWriteOnce'], ['ReadWriteOnce', 'ReadWriteMany'], false],
    [['ReadWriteOnce'], ['ReadWriteOnce'], true],
  ])('of access modes %j, bound with %j, is usable on one node at a time: %s', (asked, bound, onOneNode) => {
    const claim = parseClaim({
      metadata: { namespace: 'shop', name: 'data' },
      spec: { accessModes: asked, volumeName: '' },
      status: bound === undefined ? {} : { accessModes: bound },
    });
    expect(claim).toEqual({ namespace: 'shop', name: 'data', volume: undefined, onOneNode });
  });
});
