import { describe, expect, it } from 'vitest';
import type { ClusterView, NodeView, PodView } from '../../src/cluster/view.js';
import { evaluateNode } from '../../src/gates/evaluateNode.js';
import type { Finding } from '../../src/gates/finding.js';
import type { DrainPolicy, GatesPolicy } from '../../src/playbook/playbook.js';
import { clusterView, drainPolicy, node, pod, spreadPolicy, workload } from '../drain/clusterFixtures.js';

const gi = 2 ** 30;
const hostname = 'kubernetes.io/hostname';

/** A node with so many cores, 16 GiB and 10 pods. */
function nodeWith(name: string, cores: number, changes: Partial<NodeView> = {}): NodeView {
  return node(name, { allocatable: { cpu: cores * 1000, memory: 16 * gi, pods: 10 }, ...changes });
}

const three = [nodeWith('node-1', 4), nodeWith('node-2', 4), nodeWith('node-3', 2)];

function cores(number: number): Pick<PodView, 'requests'> {
  return { requests: { cpu: number * 1000 } };
}

interface Asked {
  readonly mode?: GatesPolicy['capacity']['mode'];
  readonly drain?: Partial<DrainPolicy>;
}

function capacityFindings(view: ClusterView, { mode = 'warn', drain = {} }: Asked = {}): readonly Finding[] {
  return findingsOf(view, { mode, drain }).filter(({ code }) => code === 'no-capacity');
}

function findingsOf(view: ClusterView, { mode = 'warn', drain = {} }: Asked = {}): readonly Finding[] {
  return evaluateNode({
    view,
    node: view.nodes.get('node-1') ?? node('node-1'),
    moment: 'before-cordon',
    run: undefined,
    selection: [...view.nodes.values()],
    nodes: { maxUnavailable: '100%' },
    gates: { replicaSpread: { ...spreadPolicy, minReadyElsewhere: 0 }, managedBudgets: [], capacity: { mode } },
    drain: { ...drainPolicy, ...drain },
    api: { ready: true, message: '' },
  }).findings;
}

/** A Deployment whose pods are on these nodes. */
function deployed(name: string, on: readonly string[], changes: Partial<PodView> = {}) {
  return workload({ name, pods: on.map((where) => ({ ...changes, on: where })) });
}

describe('room for the pods of a node', () => {
  it('is found where the others have it', () => {
    const workloads = [deployed('web', ['node-1', 'node-1'], cores(2)), deployed('other', ['node-2'], cores(1))];
    expect(capacityFindings(clusterView({ nodes: three, workloads }))).toEqual([]);
  });

  it('is wanting where a pod is larger than what any node has free: names it, with the numbers', () => {
    const workloads = [deployed('big', ['node-1'], cores(4)), deployed('other', ['node-2'], cores(2.8))];
    expect(capacityFindings(clusterView({ nodes: three, workloads }))).toEqual([
      {
        code: 'no-capacity',
        severity: 'caution',
        node: 'node-1',
        objects: ['Pod shop/big-0'],
        message:
          '1 pod of node node-1 would find no room on other nodes and stay Pending: Pod shop/big-0 (it needs 4 cpu, and the most that any of 2 nodes has free is 2 cpu (node-3)).',
        hint: 'Add a node or free room on the others for the time of the turn, or lower the requests of these pods.',
      },
    ]);
  });

  it('blocks where the playbook says so', () => {
    const view = clusterView({ nodes: three, workloads: [deployed('big', ['node-1'], cores(5))] });
    expect(capacityFindings(view, { mode: 'block' })).toMatchObject([{ severity: 'block' }]);
  });

  it('is taken by one pod after the other', () => {
    const view = clusterView({ nodes: three, workloads: [deployed('web', Array(4).fill('node-1'), cores(2))] });
    const [finding] = capacityFindings(view);
    expect(finding?.objects).toHaveLength(1);
    expect(finding?.message).toContain(
      'when the others have moved, it needs 2 cpu, and the most that any of 2 nodes has free is 0 cpu (node-2)',
    );
  });

  it('is found by a better order where the obvious one fails', () => {
    // 3 + 3 and 2 + 2 + 2 fill both nodes; the largest on the emptiest leaves one over.
    const nodes = [nodeWith('node-1', 12), nodeWith('node-2', 6), nodeWith('node-3', 6)];
    const workloads = [
      deployed('large', ['node-1', 'node-1'], cores(3)),
      deployed('small', Array(3).fill('node-1'), cores(2)),
    ];
    expect(capacityFindings(clusterView({ nodes, workloads }))).toEqual([]);
  });

  it('names three pods and counts the others, and has all of them as objects', () => {
    const [finding] = capacityFindings(
      clusterView({ nodes: three, workloads: [deployed('big', Array(7).fill('node-1'), cores(9))] }),
    );
    expect(finding?.objects).toHaveLength(7);
    expect(finding?.message.match(/Pod shop/g)).toHaveLength(3);
    expect(finding?.message).toMatch(/ and 4 more pods\.$/);
  });

  it.each<[string, Partial<PodView>, RegExp]>([
    [
      'memory',
      { requests: { memory: 20 * gi } },
      /needs 20Gi memory, and the most that any of 2 nodes has free is 16Gi memory/,
    ],
    [
      'an extended resource',
      { requests: { 'example.com/gpu': 1 } },
      /needs 1 example.com\/gpu, .* free is 0 example.com\/gpu/,
    ],
    [
      'different things on different nodes',
      { requests: { cpu: 3000, memory: 15 * gi } },
      /no place on any node: node-2: 8Gi memory free of the 15Gi memory that it needs, node-3: 2 cpu free of the 3 cpu that it needs/,
    ],
  ])('says what lacks: %s', (_, changes, expected) => {
    const workloads = [
      deployed('web', ['node-1'], changes),
      deployed('other', ['node-2'], { requests: { memory: 8 * gi } }),
    ];
    expect(capacityFindings(clusterView({ nodes: three, workloads }))[0]?.message).toMatch(expected);
  });

  it('is counted in pods too', () => {
    const full = [deployed('a', Array(10).fill('node-2')), deployed('b', Array(10).fill('node-3'))];
    const view = clusterView({ nodes: three, workloads: [deployed('web', ['node-1']), ...full] });
    expect(capacityFindings(view)[0]?.message).toContain(
      'each of 2 nodes that it may use has as many pods as it takes',
    );
  });

  it('is not taken by pods that have finished, and is by those that end', () => {
    const taken = (changes: Partial<PodView>) =>
      clusterView({
        nodes: three.slice(0, 2),
        workloads: [deployed('web', ['node-1'], cores(2)), deployed('other', ['node-2'], { ...cores(3), ...changes })],
      });
    expect(capacityFindings(taken({ phase: 'Succeeded', ready: false }))).toEqual([]);
    expect(capacityFindings(taken({ terminating: true, ready: false }))).toHaveLength(1);
  });

  it.each<[string, Partial<NodeView>]>([
    ['cordoned', { unschedulable: true }],
    ['not Ready', { ready: false }],
    ['under pressure', { taints: [{ key: 'node.kubernetes.io/disk-pressure', value: '', effect: 'NoSchedule' }] }],
  ])('is not on a node that is %s', (_, changes) => {
    const nodes = [nodeWith('node-1', 4), nodeWith('node-2', 4, changes), nodeWith('node-3', 1)];
    const view = clusterView({ nodes, workloads: [deployed('web', ['node-1'], cores(2))] });
    expect(capacityFindings(view)).toMatchObject([{ objects: ['Pod shop/web-0'] }]);
    const alone = clusterView({ nodes: nodes.slice(0, 2), workloads: [deployed('web', ['node-1'], cores(2))] });
    expect(capacityFindings(alone)[0]?.message).toContain('(no node that would take it is in service)');
  });

  it('is taken first by pods that wait for a node, which are not named', () => {
    const waiting = deployed('waiting', ['node-2'], {
      ...cores(4),
      nodeName: undefined,
      phase: 'Pending',
      ready: false,
    });
    const stuck = deployed('stuck', ['node-2'], { ...cores(9), nodeName: undefined, phase: 'Pending', ready: false });
    const pods = (more: typeof waiting) =>
      capacityFindings(
        clusterView({ nodes: three, workloads: [deployed('web', ['node-1'], cores(3)), homeless(more)] }),
      );
    expect(pods(waiting)).toMatchObject([{ objects: ['Pod shop/web-0'] }]);
    expect(pods(stuck)).toEqual([]);
  });

  it('is not taken by a pod that waits for a place which only comes to be as pods leave', () => {
    const together = {
      ...cores(2),
      labels: { app: 'group' },
      affinity: [
        {
          topologyKey: hostname,
          selector: { matchLabels: { app: 'group' }, matchExpressions: [] },
          namespaces: [],
          namespaceSelector: undefined,
        },
      ],
    };
    const waiting = homeless(deployed('third', ['node-1'], { ...together, phase: 'Pending', ready: false }));
    // node-1 is full, and the third may be nowhere else; node-2 has room for two, whichever they are.
    const workloads = [deployed('group', ['node-1', 'node-1'], together), waiting];
    expect(capacityFindings(clusterView({ nodes: three, workloads }))).toEqual([]);
  });

  it('is not needed by what is not replaced', () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', name: 'import', uid: 'job' };
    const daemon = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'agent' };
    const pods = [
      pod('import-0', { ...cores(9), controller: job }),
      pod('agent-0', { ...cores(9), controller: daemon }),
      pod('static-0', { ...cores(9), mirror: true }),
      pod('bare-0', cores(9)),
    ];
    const scaledDown = workload({
      name: 'smaller',
      desired: 1,
      pods: [{ on: 'node-1', ...cores(9) }, { on: 'node-2' }],
    });
    const view = clusterView({ nodes: three, pods, workloads: [scaledDown] });
    expect(capacityFindings(view, { drain: { unmanagedPods: 'delete' } })).toEqual([]);
    expect(capacityFindings(view, { drain: { unmanagedPods: 'delete', jobPods: 'evict' } })).toMatchObject([
      { objects: ['Pod shop/import-0'] },
    ]);
  });

  it('is not wanting for a pod that its cordon does not keep off', () => {
    const tolerations = [{ key: '', operator: 'Exists', value: '', effect: '' }];
    const workloads = [
      deployed('web', ['node-1'], { ...cores(3), tolerations }),
      deployed('other', ['node-2'], cores(4)),
    ];
    expect(capacityFindings(clusterView({ nodes: three, workloads }))).toEqual([]);
  });

  it('is not asked for a pod that is tied to the node', () => {
    const pinned = { ...cores(4), nodeSelector: { [hostname]: 'node-1' } };
    const codes = findingsOf(clusterView({ nodes: three, workloads: [deployed('web', ['node-1', 'node-2'], pinned)] }));
    expect(codes.map(({ code }) => code)).toEqual(['short-during-turn']);
  });

  it('is where anti-affinity leaves a node for each', () => {
    const apart = {
      antiAffinity: [
        {
          topologyKey: hostname,
          selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
          namespaces: [],
          namespaceSelector: undefined,
        },
      ],
    };
    const view = (replicas: number) =>
      clusterView({ nodes: three, workloads: [deployed('web', Array(replicas).fill('node-1'), apart)] });
    expect(capacityFindings(view(2))).toEqual([]);
    expect(capacityFindings(view(3))[0]?.message).toMatch(
      /\(when the others have moved, it has no place on any node: node-2: its anti-affinity keeps it from Pod shop\/web-\d/,
    );
  });

  it('is beside the pod that affinity asks for, which moves too', () => {
    const beside = {
      affinity: [
        {
          topologyKey: hostname,
          selector: { matchLabels: { app: 'store' }, matchExpressions: [] },
          namespaces: [],
          namespaceSelector: undefined,
        },
      ],
    };
    const view = (storeCores: number) =>
      clusterView({
        nodes: three,
        workloads: [
          deployed('proxy', ['node-1'], { ...cores(2), ...beside }),
          deployed('store', ['node-1'], cores(storeCores)),
        ],
      });
    expect(capacityFindings(view(2))).toEqual([]);
    // Where the store goes, nothing is left for the proxy.
    expect(capacityFindings(view(3))).toMatchObject([{ objects: ['Pod shop/proxy-0'] }]);
  });
});

/** As it is before the scheduler has found a node. */
function homeless(waiting: ReturnType<typeof deployed>): ReturnType<typeof deployed> {
  return { ...waiting, pods: waiting.pods.map((one) => ({ ...one, nodeName: undefined })) };
}

describe('pods that take long to end', () => {
  const graces = (...seconds: number[]): readonly Finding[] =>
    findingsOf(
      clusterView({
        nodes: three,
        workloads: seconds.map((terminationGracePeriodSeconds, index) =>
          deployed(`slow${String(index)}`, ['node-1', 'node-1', 'node-2'], {
            terminationGracePeriodSeconds,
            priority: index * 2_000_000_000,
          }),
        ),
      }),
      { drain: { timeoutMs: 900_000 } },
    ).filter(({ code }) => code === 'grace-exceeds-timeout');

  it('are named where one could outlast the drain', () => {
    expect(graces(899)).toEqual([]);
    expect(graces(1200)).toMatchObject([
      {
        severity: 'caution',
        objects: ['Pod shop/slow0-0', 'Pod shop/slow0-1'],
        message:
          '2 pods of node node-1 may take as long to end as the whole drain, which gives up after 15 min: Pod shop/slow0-0 20 min, Pod shop/slow0-1 20 min.',
        hint: expect.stringContaining('Set spec.drain.timeout above 20 min') as unknown,
      },
    ]);
  });

  it('are named where those of one step after the other could', () => {
    expect(graces(400, 400)).toEqual([]);
    expect(graces(500, 600)).toMatchObject([
      {
        objects: ['Pod shop/slow0-0', 'Pod shop/slow1-0'],
        message:
          'The pods of node node-1 leave in 2 steps and may take 18 min 20 s to end one after the other (Pod shop/slow0-0 8 min 20 s, Pod shop/slow1-0 10 min); the drain gives up after 15 min.',
      },
    ]);
  });
});
