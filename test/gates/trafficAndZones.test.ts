import { describe, expect, it } from 'vitest';
import type { ClusterServices, ServiceView, VitalService } from '../../src/cluster/services.js';
import type { ClusterView, PodView } from '../../src/cluster/view.js';
import { evaluateNode, type NodeToEvaluate } from '../../src/gates/evaluateNode.js';
import type { Finding } from '../../src/gates/finding.js';
import { clusterView, drainPolicy, node, pod, spreadPolicy, workload } from '../drain/clusterFixtures.js';

const here = { on: 'node-1' };
const elsewhere = { on: 'node-2' };
const zone = 'topology.kubernetes.io/zone';

function inZones(...zones: readonly (string | undefined)[]) {
  return zones.map((name, index) =>
    node(`node-${String(index + 1)}`, name === undefined ? {} : { labels: { [zone]: name } }),
  );
}

function given(code: string, view: ClusterView, changes: Partial<NodeToEvaluate> = {}): readonly Finding[] {
  return evaluateNode({
    view,
    node: view.nodes.get('node-1') ?? node('node-1'),
    moment: 'before-cordon',
    run: undefined,
    selection: [...view.nodes.values()],
    nodes: { maxUnavailable: 1 },
    gates: { replicaSpread: spreadPolicy, managedBudgets: [], capacity: { mode: 'warn' } },
    drain: drainPolicy,
    api: { ready: true, message: '' },
    ...changes,
  }).findings.filter((finding) => finding.code === code);
}

describe('replicas in one zone', () => {
  const gathered = workload({ name: 'web', pods: [here, here, elsewhere] });
  it.each<[string, ReturnType<typeof inZones>, Parameters<typeof workload>[0]['pods'], boolean]>([
    ['all in one of two zones', inZones('a', 'a', 'b'), [here, here, elsewhere], true],
    ['one in another zone', inZones('a', 'b', 'b'), [here, elsewhere], false],
    ['one in another zone that is not Ready', inZones('a', 'b'), [here, here, { ...elsewhere, ready: false }], true],
    ['the only Ready one here', inZones('a', 'b'), [here, { ...elsewhere, ready: false }], false],
    ['a single replica', inZones('a', 'b'), [here], false],
    ['a cluster of one zone', inZones('a', 'a', 'a'), [here, here], false],
    ['a cluster without zones', inZones(undefined, undefined), [here, here], false],
    ['one on a node of no known zone', inZones('a', undefined, 'b'), [here, elsewhere], false],
    ['none on this node', inZones('a', 'b', 'b'), [elsewhere, elsewhere], false],
  ])('%s', (_, nodes, pods, isGiven) => {
    const view = clusterView({ nodes, workloads: [workload({ name: 'web', pods })] });
    expect(given('replicas-in-one-zone', view)).toHaveLength(isGiven ? 1 : 0);
  });

  it('are a caution with owner, zone and what to write, once an owner', () => {
    const view = clusterView({ nodes: inZones('a', 'a', 'b'), workloads: [gathered] });
    const [finding, ...more] = given('replicas-in-one-zone', view);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ severity: 'caution', node: 'node-1', objects: ['Deployment shop/web'] });
    expect(finding?.message).toContain('All 3 Ready replicas of Deployment shop/web are in zone a, one of 2 zones');
    expect(finding?.hint).toContain('topologySpreadConstraints');
    expect(given('replicas-in-one-zone', view, { moment: 'after-cordon' })).toEqual([]);
  });
});

function reading(changes: Partial<ClusterServices>, hasLeaveScript = false): NodeToEvaluate['services'] {
  return { read: { vital: [], all: undefined, unread: [], ...changes }, hasLeaveScript };
}

const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'edge', uid: 'ds' };

describe('DaemonSet pods that serve traffic', () => {
  const web: ServiceView = { namespace: 'shop', name: 'entry', selector: { app: 'edge' }, sharesTraffic: true };
  const port = { port: 443, protocol: 'TCP', hostIp: '0.0.0.0' };
  function found(changes: Partial<PodView>, services = reading({ all: [] })): string[] {
    const view = clusterView({ pods: [pod('edge-0', { controller: daemonSet, ...changes })] });
    return given('daemonset-serves-traffic', view, { services }).map(({ message }) => message);
  }

  it.each<[string, Partial<PodView>, readonly ServiceView[], string | undefined]>([
    ['by a host port', { hostPorts: [port] }, [], 'host port 443'],
    ['by a Service', {}, [web], 'Service shop/entry'],
    ['by both', { hostPorts: [{ ...port, port: 80 }, port] }, [web], 'Service shop/entry, host port 80 and 443'],
    ['not by a Service of other pods', {}, [{ ...web, selector: { app: 'web' } }], undefined],
    ['not by a Service of another namespace', {}, [{ ...web, namespace: 'bank' }], undefined],
    ['not by a headless Service', {}, [{ ...web, sharesTraffic: false }], undefined],
    ['not by a port for metrics', { hostPorts: [{ ...port, name: 'http-metrics' }] }, [], undefined],
    ['by a port that only sounds like it', { hostPorts: [{ ...port, name: 'promise' }] }, [], 'host port 443'],
    ['not by a port on the loopback address', { hostPorts: [{ ...port, hostIp: '127.0.0.1' }] }, [], undefined],
    ['not by node-local DNS', { hostPorts: [{ ...port, port: 53, protocol: 'UDP' }] }, [], undefined],
    ['not on another node', { hostPorts: [port], nodeName: 'node-2' }, [], undefined],
    [
      'not as pods of a Deployment',
      { hostPorts: [port], controller: { ...daemonSet, kind: 'ReplicaSet' } },
      [],
      undefined,
    ],
  ])('%s', (_, changes, all, expected) => {
    const messages = found(changes, reading({ all }));
    expect(messages).toHaveLength(expected === undefined ? 0 : 1);
    expect(messages[0] ?? '').toContain(expected ?? '');
  });

  it('are not spoken of where a leave script is, or nobody looked', () => {
    expect(found({ hostPorts: [port] }, reading({ all: [] }, true))).toEqual([]);
    const view = clusterView({ pods: [pod('edge-0', { controller: daemonSet, hostPorts: [port] })] });
    expect(given('daemonset-serves-traffic', view)).toEqual([]);
  });

  it('are in one finding for the node, also where Services are not known', () => {
    const other = { ...daemonSet, name: 'lb', uid: 'ds2' };
    const view = clusterView({
      pods: [
        pod('edge-0', { controller: daemonSet, hostPorts: [port] }),
        pod('lb-0', { controller: other, hostPorts: [{ ...port, port: 80 }] }),
      ],
    });
    expect(given('daemonset-serves-traffic', view, { services: reading({ all: undefined }) })).toMatchObject([
      { severity: 'caution', objects: ['DaemonSet shop/edge', 'DaemonSet shop/lb'] },
    ]);
  });
});

describe('the last backend of what the API server calls', () => {
  const hook: VitalService = {
    namespace: 'shop',
    name: 'hook',
    selector: { app: 'hook' },
    sharesTraffic: true,
    calledBy: ['ValidatingWebhookConfiguration policy'],
  };
  const services = reading({ vital: [hook] });
  const behind = { labels: { app: 'hook' } };
  const other = (name: string, pods: Parameters<typeof workload>[0]['pods']) =>
    workload({ name, pods: pods.map((one) => ({ ...one, ...behind })) });
  const owned = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'hook', uid: 'ds' };

  it.each<[string, Parameters<typeof clusterView>[0], string[]]>([
    ['the only replica of a workload', { workloads: [other('hook', [here])] }, ['block']],
    ['one of two, the other elsewhere', { workloads: [other('hook', [here, elsewhere])] }, []],
    [
      'one of two, the other of another owner',
      { workloads: [other('hook', [here]), other('second', [elsewhere])] },
      [],
    ],
    ['two owners, both here: one after the other', { workloads: [other('hook', [here]), other('second', [here])] }, []],
    ['the only one elsewhere', { workloads: [other('hook', [elsewhere])] }, []],
    ['one that is not Ready', { workloads: [other('hook', [{ ...here, ready: false }])] }, []],
    ['a pod without a controller', { pods: [pod('hook-0', behind)] }, ['block']],
    ['that of a DaemonSet', { pods: [pod('hook-0', { ...behind, controller: owned })] }, ['block']],
    [
      'that of a DaemonSet with another elsewhere',
      {
        pods: [
          pod('hook-0', { ...behind, controller: owned }),
          pod('hook-1', { ...behind, controller: owned, nodeName: 'node-2' }),
        ],
      },
      [],
    ],
    [
      'that of a DaemonSet, and one that moves',
      { pods: [pod('hook-0', { ...behind, controller: owned })], workloads: [other('second', [here])] },
      [],
    ],
    ['none behind the Service', { workloads: [workload({ name: 'web', pods: [here] })] }, []],
  ])('%s', (_, content, severities) => {
    const view = clusterView(content);
    const drain = { ...drainPolicy, unmanagedPods: 'delete' as const };
    expect(given('last-webhook-backend', view, { services, drain }).map(({ severity }) => severity)).toEqual(
      severities,
    );
    expect(given('last-webhook-backend', view, { drain })).toEqual([]);
  });

  it('is named with who calls it, and with what to scale', () => {
    const view = clusterView({ workloads: [other('hook', [here])] });
    expect(given('last-webhook-backend', view, { services })).toMatchObject([
      {
        objects: [
          'Service shop/hook',
          'ValidatingWebhookConfiguration policy',
          'Pod shop/hook-0',
          'Deployment shop/hook',
        ],
        hint: 'Scale Deployment shop/hook to 2 replicas; this one goes when another is Ready on another node.',
      },
    ]);
    expect(given('last-webhook-backend', view, { services, moment: 'after-cordon' })).toMatchObject([
      { severity: 'block' },
    ]);
    expect(given('last-webhook-backend', view, { services, moment: 'resumed' })).toMatchObject([
      { severity: 'caution' },
    ]);
  });

  it('is not lifted by what the playbook says of its namespace or pod', () => {
    const view = clusterView({ workloads: [other('hook', [here])] });
    const overrides = [{ namespaces: {}, selector: 'app=hook', do: 'evict' as const }];
    expect(given('last-webhook-backend', view, { services, drain: { ...drainPolicy, overrides } })).toHaveLength(1);
    const left = [{ namespaces: {}, selector: 'app=hook', do: 'leave' as const }];
    expect(given('last-webhook-backend', view, { services, drain: { ...drainPolicy, overrides: left } })).toHaveLength(
      1,
    );
  });

  it('is said not to be known where it may not be looked at, once', () => {
    const failure = { kind: 'forbidden', message: 'anna cannot list services' } as const;
    const unread = ['apiservices.apiregistration.k8s.io', 'services'].map((resource) => ({ resource, failure }));
    expect(given('last-webhook-backend', clusterView({}), { services: reading({ unread }) })).toMatchObject([
      { severity: 'info', objects: ['apiservices.apiregistration.k8s.io', 'services'] },
    ]);
  });
});
