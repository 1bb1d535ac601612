import { describe, expect, it } from 'vitest';
import { recordOf, recordsOf } from '../../../src/cluster/json.js';
import { barePod, daemonSet, deployment, job } from '../../cluster/workloads.js';
import { conditionStatus, playedCluster, statusOf, taintsOf, type PlayedCluster } from './playedCluster.js';

const minute = 60_000;

function bootIdOf(cluster: PlayedCluster, node: string): unknown {
  return recordOf(statusOf(cluster.get('Node', node))['nodeInfo'])['bootID'];
}

function isReady(cluster: PlayedCluster, node: string): boolean {
  return conditionStatus(cluster.get('Node', node), 'Ready') === 'True';
}

function renewTimeOf(cluster: PlayedCluster, node: string): number {
  return Date.parse(String(recordOf(cluster.get('Lease', node, 'kube-node-lease')['spec'])['renewTime']));
}

/** The container start and restarts of an app's pods. */
function containersOf(cluster: PlayedCluster, app: string): { startedAt: number; restarts: unknown }[] {
  return cluster.pods(app).flatMap(({ status }) =>
    recordsOf(status['containerStatuses']).map((container) => ({
      startedAt: Date.parse(String(recordOf(recordOf(container['state'])['running'])['startedAt'])),
      restarts: container['restartCount'],
    })),
  );
}

describe('a node', () => {
  it('is Ready a moment after it was added, and loses the taint that kept pods off', () => {
    const cluster = playedCluster({ nodes: [] });
    cluster.addNode({ name: 'node-1', bootId: 'boot-1', zone: 'zone-a', capacity: { cpu: 8 } });
    expect(taintsOf(cluster.get('Node', 'node-1'))).toEqual(['node.kubernetes.io/not-ready:NoSchedule']);
    cluster.timeline.advance(10_000);
    expect(isReady(cluster, 'node-1')).toBe(true);
    expect(taintsOf(cluster.get('Node', 'node-1'))).toEqual([]);
    expect(bootIdOf(cluster, 'node-1')).toBe('boot-1');
    expect(cluster.machine('node-1')).toMatchObject({ bootId: 'boot-1', isUp: true });
  });

  it('has a kubelet also when its object was created through the API', () => {
    const cluster = playedCluster({ nodes: [] });
    const status = { nodeInfo: { bootID: 'boot-1' }, allocatable: { cpu: '4', memory: '8Gi', pods: '110' } };
    cluster.add({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, ...{ status } });
    cluster.timeline.advance(10_000);
    expect(isReady(cluster, 'node-1')).toBe(true);
  });

  it('gets the taint of a cordon, and loses it with the cordon, while other taints stay', () => {
    const taints = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }];
    const cluster = playedCluster({ nodes: [{ name: 'node-1', taints }] });
    cluster.cordon('node-1');
    cluster.timeline.advance(1000);
    expect(taintsOf(cluster.get('Node', 'node-1'))).toEqual([
      'dedicated:NoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
    ]);
    cluster.cordon('node-1', false);
    cluster.timeline.advance(1000);
    expect(taintsOf(cluster.get('Node', 'node-1'))).toEqual(['dedicated:NoSchedule']);
  });

  it('renews its lease every ten seconds, and not while it is silent', () => {
    const cluster = playedCluster();
    const before = renewTimeOf(cluster, 'node-1');
    cluster.timeline.advance(10_000);
    expect(renewTimeOf(cluster, 'node-1')).toBe(before + 10_000);
    cluster.machine('node-1').silence(true);
    const last = renewTimeOf(cluster, 'node-1');
    cluster.timeline.advance(minute);
    expect(renewTimeOf(cluster, 'node-1')).toBe(last);
    cluster.machine('node-1').silence(false);
    expect(renewTimeOf(cluster, 'node-1')).toBe(cluster.timeline.now());
  });

  it('writes no lease as long as nobody looks', () => {
    const cluster = playedCluster();
    cluster.timeline.advance(10 * minute);
    expect(cluster.history.filter((line) => line.includes(' leases '))).toEqual([]);
  });

  it('turns Unknown when its kubelet is silent for longer than the grace period, with its pods not Ready', () => {
    const cluster = playedCluster();
    cluster.add(daemonSet({ name: 'agent' }));
    cluster.untilReady('agent', 3);
    cluster.machine('node-1').silence(true);
    cluster.timeline.advance(29_000);
    expect(isReady(cluster, 'node-1')).toBe(true);
    cluster.timeline.advance(30_000);
    expect(conditionStatus(cluster.get('Node', 'node-1'), 'Ready')).toBe('Unknown');
    expect(taintsOf(cluster.get('Node', 'node-1'))).toEqual([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
    expect(cluster.pods('agent').map(({ nodeName, ready }) => [nodeName, ready])).toContainEqual(['node-1', false]);
    const before = containersOf(cluster, 'agent');
    cluster.machine('node-1').silence(false);
    cluster.timeline.advance(15_000);
    expect(isReady(cluster, 'node-1')).toBe(true);
    expect(taintsOf(cluster.get('Node', 'node-1'))).toEqual([]);
    expect(cluster.pods('agent').every(({ ready }) => ready)).toBe(true);
    expect(containersOf(cluster, 'agent')).toEqual(before);
  });

  it('loses its pods five minutes after it was lost, but not those of DaemonSets', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 3 }), daemonSet({ name: 'agent', podSpec: { tolerations: [] } }));
    cluster.untilReady('web', 3);
    cluster.untilReady('agent', 3);
    cluster.machine('node-1').goDown();
    cluster.timeline.advance(5 * minute);
    expect(cluster.pods('web')).toHaveLength(3);
    cluster.timeline.advance(2 * minute);
    const left = cluster.pods('web').filter(({ terminating }) => !terminating);
    expect(left.map(({ nodeName, ready }) => [nodeName === 'node-1', ready])).toEqual([
      [false, true],
      [false, true],
      [false, true],
    ]);
    expect(cluster.pods('agent').filter(({ terminating }) => !terminating)).toHaveLength(3);
  });

  it('leaves nothing behind but its lease when it is deleted, and can be added again', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 3 }), daemonSet({ name: 'agent' }));
    cluster.untilReady('web', 3);
    cluster.get('Lease', 'node-1', 'kube-node-lease');
    cluster.remove('Node', 'node-1');
    cluster.timeline.advance(2 * minute);
    expect(cluster.pods().filter(({ nodeName }) => nodeName === 'node-1')).toEqual([]);
    expect(cluster.pods('web').filter(({ ready }) => ready)).toHaveLength(3);
    expect(cluster.find('Lease', 'node-1', 'kube-node-lease')).toBeDefined();
    cluster.addNode({ name: 'node-1', zone: 'zone-a' });
    cluster.timeline.advance(20_000);
    expect(isReady(cluster, 'node-1')).toBe(true);
    expect(cluster.pods('agent')).toHaveLength(3);
  });

  it('has no machine when it was never added', () => {
    expect(() => playedCluster().machine('node-9')).toThrow('there is no machine behind node node-9');
  });
});

describe('a boot', () => {
  it('brings the node back with its new boot id and kernel, and every container started anew', () => {
    const cluster = playedCluster();
    cluster.add(daemonSet({ name: 'agent' }), barePod({ name: 'old' }));
    cluster.untilReady('agent', 3);
    cluster.untilReady('old', 1);
    const machine = cluster.machine('node-1');
    machine.goDown();
    expect(machine.isUp).toBe(false);
    cluster.timeline.advance(20_000);
    const bootedAt = cluster.timeline.now();
    machine.boot({ bootId: 'boot-2', kernel: '6.1.0-41-amd64' });
    expect(machine).toMatchObject({ isUp: true, bootId: 'boot-2' });
    cluster.timeline.advance(30_000);
    expect(isReady(cluster, 'node-1')).toBe(true);
    expect(statusOf(cluster.get('Node', 'node-1'))['nodeInfo']).toMatchObject({
      bootID: 'boot-2',
      kernelVersion: '6.1.0-41-amd64',
    });
    const there = cluster.pods().filter(({ nodeName }) => nodeName === 'node-1');
    expect(there.every(({ ready }) => ready)).toBe(true);
    const agents = containersOf(cluster, 'agent');
    expect(agents.filter(({ startedAt, restarts }) => startedAt >= bootedAt && restarts === 1)).toHaveLength(1);
    expect(agents.filter(({ restarts }) => restarts === 0)).toHaveLength(2);
  });

  it('that is fast can leave Ready, boot id and container starts from before standing for a moment', () => {
    let stale = 0;
    let announced = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      const cluster = playedCluster({ seed });
      const before = bootIdOf(cluster, 'node-1');
      cluster.machine('node-1').goDown();
      if (isReady(cluster, 'node-1')) stale += 1;
      else announced += 1;
      cluster.timeline.advance(200);
      cluster.machine('node-1').boot({ bootId: 'boot-2' });
      expect(bootIdOf(cluster, 'node-1')).toBe(before);
      cluster.timeline.advance(30_000);
      expect([isReady(cluster, 'node-1'), bootIdOf(cluster, 'node-1')]).toEqual([true, 'boot-2']);
    }
    expect(stale).toBeGreaterThan(0);
    expect(announced).toBeGreaterThan(0);
  });

  it('lets pods that were ending be gone, and a pod that must not restart be failed', () => {
    const cluster = playedCluster({ nodes: ['node-1'] });
    cluster.add(barePod({ name: 'slow', stopMs: 25_000 }), job({ name: 'report', runForMs: 10 * minute }));
    cluster.untilReady('slow', 1);
    cluster.untilReady('report', 1);
    cluster.evict('slow');
    cluster.timeline.advance(1000);
    cluster.machine('node-1').goDown();
    cluster.timeline.advance(30_000);
    expect(cluster.find('Pod', 'slow')).toBeDefined();
    cluster.machine('node-1').boot({ bootId: 'boot-2' });
    cluster.timeline.advance(20_000);
    expect(cluster.find('Pod', 'slow')).toBeUndefined();
    expect(conditionStatus(cluster.get('Job', 'report'), 'Failed')).toBe('True');
  });

  it('can be asked for by an annotation, and held down by another', () => {
    const cluster = playedCluster();
    const annotate = (annotations: Record<string, string | null>) => {
      cluster.patch('Node', 'node-1', { metadata: { annotations } });
    };
    annotate({
      'sandbox.turnus.dev/reboot-id': 'boot-2',
      'sandbox.turnus.dev/boot-delay': '2s',
      'sandbox.turnus.dev/hold-down': 'true',
      'sandbox.turnus.dev/kubelet-version': 'v1.36.4',
    });
    cluster.timeline.advance(10_000);
    expect(isReady(cluster, 'node-1')).toBe(false);
    annotate({ 'sandbox.turnus.dev/hold-down': null });
    cluster.timeline.advance(20_000);
    expect(isReady(cluster, 'node-1')).toBe(true);
    expect(statusOf(cluster.get('Node', 'node-1'))['nodeInfo']).toMatchObject({
      bootID: 'boot-2',
      kubeletVersion: 'v1.36.4',
    });
  });

  it('is not needed for a kubelet to take back what others say of its node, unless it is held down', () => {
    const cluster = playedCluster();
    const body = { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'NetworkPluginNotReady' }] } };
    const holdDown = (value: string | null) => {
      cluster.patch('Node', 'node-1', { metadata: { annotations: { 'sandbox.turnus.dev/hold-down': value } } });
    };
    holdDown('true');
    cluster.patch('Node', 'node-1', body, 'status');
    cluster.timeline.advance(minute);
    expect(isReady(cluster, 'node-1')).toBe(false);
    holdDown(null);
    cluster.timeline.advance(5000);
    expect(isReady(cluster, 'node-1')).toBe(true);
    cluster.patch('Node', 'node-1', body, 'status');
    cluster.timeline.advance(5000);
    expect(isReady(cluster, 'node-1')).toBe(true);
  });
});

describe('a pod on its node', () => {
  it('starts and ends as its annotations say', () => {
    const cluster = playedCluster();
    cluster.add(barePod({ name: 'web', startMs: 7000, stopMs: 4000 }));
    cluster.timeline.advance(6500);
    expect(cluster.get('Pod', 'web')).toMatchObject({ status: { phase: 'Pending' } });
    cluster.timeline.advance(1500);
    expect(conditionStatus(cluster.get('Pod', 'web'), 'Ready')).toBe('True');
    cluster.remove('Pod', 'web');
    cluster.timeline.advance(3500);
    expect(cluster.get('Pod', 'web').metadata.deletionTimestamp).toBeDefined();
    cluster.timeline.advance(1500);
    expect(cluster.find('Pod', 'web')).toBeUndefined();
  });

  it('ends at the latest when its grace period is over', () => {
    const cluster = playedCluster();
    cluster.add(barePod({ name: 'web', stopMs: minute, podSpec: { terminationGracePeriodSeconds: 5 } }));
    cluster.untilReady('web', 1);
    cluster.remove('Pod', 'web');
    cluster.timeline.advance(4500);
    expect(cluster.find('Pod', 'web')).toBeDefined();
    cluster.timeline.advance(1500);
    expect(cluster.find('Pod', 'web')).toBeUndefined();
  });

  it('never starts where it is annotated so', () => {
    const cluster = playedCluster();
    cluster.add(barePod({ name: 'web', neverReady: true }));
    cluster.timeline.advance(minute);
    expect(cluster.get('Pod', 'web')).toMatchObject({ spec: { nodeName: expect.any(String) as string } });
    expect(conditionStatus(cluster.get('Pod', 'web'), 'Ready')).toBeUndefined();
  });

  it('gets its readiness back, but not while it is annotated so', () => {
    const cluster = playedCluster();
    cluster.add(barePod({ name: 'web' }));
    cluster.untilReady('web', 1);
    const unready = (value: string | null) => {
      cluster.patch('Pod', 'web', { metadata: { annotations: { 'sandbox.turnus.dev/unready': value } } });
    };
    unready('true');
    cluster.patch('Pod', 'web', { status: { conditions: [{ type: 'Ready', status: 'False' }] } }, 'status');
    cluster.timeline.advance(minute);
    expect(conditionStatus(cluster.get('Pod', 'web'), 'Ready')).toBe('False');
    unready(null);
    cluster.timeline.advance(3000);
    expect(conditionStatus(cluster.get('Pod', 'web'), 'Ready')).toBe('True');
  });
});
