import { describe, expect, it } from 'vitest';
import { recordOf } from '../../../src/cluster/json.js';
import { resources } from '../../../src/cluster/resources.js';
import { daemonSet, deployment, disruptionBudget, job, statefulSet } from '../../cluster/workloads.js';
import { conditionStatus, playedCluster, statusOf, type PlayedCluster } from './playedCluster.js';

const minute = 60_000;

describe('a Deployment', () => {
  it('gets its pods, on different nodes, and says that they are available', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 3 }));
    cluster.untilReady('web', 3);
    cluster.timeline.advance(2000);
    expect(new Set(cluster.pods('web').map(({ nodeName }) => nodeName)).size).toBe(3);
    const web = cluster.get('Deployment', 'web');
    expect(statusOf(web)).toMatchObject({ replicas: 3, readyReplicas: 3, updatedReplicas: 3, observedGeneration: 1 });
    expect(conditionStatus(web, 'Available')).toBe('True');
    expect(web.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '1' });
  });

  it('replaces a pod that is evicted while that one still ends, on a node that is not cordoned', () => {
    const cluster = playedCluster();
    cluster.add(
      deployment({ name: 'web', replicas: 2, stopMs: 5000 }),
      disruptionBudget({ name: 'web', maxUnavailable: 1 }),
    );
    cluster.untilReady('web', 2);
    cluster.timeline.advance(1000);
    const [leaving] = cluster.pods('web');
    cluster.cordon(leaving?.nodeName ?? '');
    expect(cluster.evict(leaving?.name ?? '')).toMatchObject({ kind: 'ok' });
    cluster.timeline.advance(1000);
    expect(cluster.pods('web')).toHaveLength(3);
    cluster.untilReady('web', 2);
    expect(cluster.pods('web').filter(({ terminating }) => !terminating)).not.toContainEqual(
      expect.objectContaining({ nodeName: leaving?.nodeName }),
    );
    cluster.timeline.runUntil(() => cluster.find('Pod', leaving?.name ?? '') === undefined, 10_000);
  });

  it('gives up pods that are not Ready first when it is scaled down', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 3 }));
    cluster.untilReady('web', 3);
    const [sick] = cluster.pods('web');
    makeUnready(cluster, sick?.name ?? '');
    cluster.patch('Deployment', 'web', { spec: { replicas: 2 } });
    cluster.timeline.advance(5000);
    expect(cluster.pods('web')).toHaveLength(2);
    expect(cluster.find('Pod', sick?.name ?? '')).toBeUndefined();
  });

  it('rolls a new template out without ever having too few available or too many in all', () => {
    const cluster = playedCluster();
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } };
    cluster.add(deployment({ name: 'web', replicas: 4, strategy }));
    cluster.untilReady('web', 4);
    const counts: { ready: number; wanted: number }[] = [];
    const stop = cluster.api.observe(() => {
      const ready = cluster.pods('web').filter((pod) => pod.ready && !pod.terminating).length;
      const sets = cluster.api.list({ resource: resources.replicaSets });
      const replicas = sets.kind === 'ok' ? sets.value.items.map((set) => recordOf(set['spec'])['replicas']) : [];
      counts.push({ ready, wanted: replicas.reduce<number>((sum, count) => sum + Number(count), 0) });
    });
    const restartedAt = { 'kubectl.kubernetes.io/restartedAt': '2026-11-10T21:30:00Z' };
    cluster.patch('Deployment', 'web', { spec: { template: { metadata: { annotations: restartedAt } } } });
    cluster.timeline.advance(minute);
    stop();
    expect(Math.min(...counts.map(({ ready }) => ready))).toBe(3);
    expect(Math.max(...counts.map(({ wanted }) => wanted))).toBe(5);
    const pods = cluster.pods('web');
    expect(pods).toHaveLength(4);
    expect(pods.every(({ annotations }) => annotations['kubectl.kubernetes.io/restartedAt'] !== undefined)).toBe(true);
    expect(statusOf(cluster.get('Deployment', 'web'))).toMatchObject({ updatedReplicas: 4, readyReplicas: 4 });
    expect(cluster.get('Deployment', 'web').metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '2',
    });
  });

  it('with strategy Recreate ends all old pods before a new one starts', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 2, strategy: { type: 'Recreate' } }));
    cluster.untilReady('web', 2);
    const mixed: boolean[] = [];
    const stop = cluster.api.observe(() => {
      const versions = cluster.pods('web').map(({ annotations }) => annotations['version'] ?? 'old');
      mixed.push(new Set(versions).size > 1);
    });
    cluster.patch('Deployment', 'web', { spec: { template: { metadata: { annotations: { version: 'new' } } } } });
    cluster.timeline.advance(minute);
    stop();
    expect(mixed).not.toContain(true);
    expect(cluster.pods('web').map(({ annotations }) => annotations['version'])).toEqual(['new', 'new']);
  });

  it('takes its ReplicaSets and pods along when it is deleted', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 2 }));
    cluster.untilReady('web', 2);
    cluster.remove('Deployment', 'web');
    cluster.timeline.advance(10_000);
    expect(cluster.pods('web')).toHaveLength(0);
  });
});

describe('a StatefulSet', () => {
  it('starts its pods one after the other', () => {
    const cluster = playedCluster();
    const started: string[][] = [];
    cluster.api.observe(({ resource, type, object }) => {
      if (resource.plural === 'pods' && type === 'added') {
        started.push([
          object.metadata.name ?? '',
          ...cluster
            .pods('db')
            .filter(({ ready }) => ready)
            .map(({ name }) => name),
        ]);
      }
    });
    cluster.add(statefulSet({ name: 'db', replicas: 3 }));
    cluster.untilReady('db', 3);
    expect(started).toEqual([['db-0'], ['db-1', 'db-0'], ['db-2', 'db-0', 'db-1']]);
  });

  it('starts them all at once when it is Parallel', () => {
    const cluster = playedCluster();
    cluster.add(statefulSet({ name: 'db', replicas: 3, podManagementPolicy: 'Parallel' }));
    cluster.timeline.advance(300);
    expect(cluster.pods('db')).toHaveLength(3);
  });

  it('makes a pod anew only when the one of the same name is gone', () => {
    const cluster = playedCluster();
    cluster.add(statefulSet({ name: 'db', replicas: 2, stopMs: 8000 }));
    cluster.untilReady('db', 2);
    const before = cluster.get('Pod', 'db-0').metadata.uid;
    cluster.evict('db-0');
    cluster.timeline.advance(7000);
    expect(cluster.get('Pod', 'db-0').metadata.uid).toBe(before);
    cluster.timeline.advance(2000);
    cluster.untilReady('db', 2);
    expect(cluster.get('Pod', 'db-0').metadata.uid).not.toBe(before);
  });

  it('waits for a pod before it that is not Ready', () => {
    const cluster = playedCluster();
    cluster.add(statefulSet({ name: 'db', replicas: 3 }));
    cluster.untilReady('db', 3);
    makeUnready(cluster, 'db-0');
    cluster.evict('db-2');
    cluster.timeline.advance(minute);
    expect(cluster.find('Pod', 'db-2')).toBeUndefined();
  });

  it('keeps a pod with a local volume on the node where it was born', () => {
    const cluster = playedCluster();
    const spec = {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'local',
      resources: { requests: { storage: '1Gi' } },
    };
    const plain = statefulSet({ name: 'db', replicas: 2 });
    const set = { ...plain, spec: { ...plain.spec, volumeClaimTemplates: [{ metadata: { name: 'data' }, spec }] } };
    cluster.add(set);
    cluster.untilReady('db', 2);
    const home = cluster.pods('db')[0]?.nodeName ?? '';
    cluster.cordon(home);
    cluster.evict('db-0');
    cluster.timeline.advance(minute);
    const waiting = cluster.get('Pod', 'db-0');
    expect(conditionStatus(waiting, 'PodScheduled')).toBe('False');
    cluster.cordon(home, false);
    cluster.untilReady('db', 2);
    expect(recordOf(cluster.get('Pod', 'db-0')['spec'])['nodeName']).toBe(home);
    expect(conditionStatus(cluster.get('Pod', 'db-0'), 'PodScheduled')).toBe('True');
  });
});

describe('a DaemonSet', () => {
  it('has a pod on every node, cordoned ones too, and one again after it was deleted', () => {
    const cluster = playedCluster();
    cluster.cordon('node-2');
    cluster.add(daemonSet({ name: 'agent' }));
    cluster.untilReady('agent', 3);
    const [pod] = cluster.pods('agent');
    cluster.remove('Pod', pod?.name ?? '');
    cluster.timeline.advance(1000);
    cluster.untilReady('agent', 3);
    expect(cluster.find('Pod', pod?.name ?? '')).toBeUndefined();
    expect(new Set(cluster.pods('agent').map(({ nodeName }) => nodeName)).size).toBe(3);
    cluster.timeline.advance(1000);
    expect(statusOf(cluster.get('DaemonSet', 'agent'))).toMatchObject({ desiredNumberScheduled: 3, numberReady: 3 });
  });

  it('leaves out nodes with a taint that it does not tolerate, and serves a node that is added', () => {
    const tainted = { name: 'node-4', taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] };
    const cluster = playedCluster({ nodes: ['node-1', tainted] });
    const set = daemonSet({ name: 'agent', podSpec: { tolerations: [] } });
    cluster.add(set);
    cluster.untilReady('agent', 1);
    cluster.addNode({ name: 'node-5' });
    cluster.timeline.advance(10_000);
    expect(new Set(cluster.pods('agent').map(({ nodeName }) => nodeName))).toEqual(new Set(['node-1', 'node-5']));
  });
});

describe('a Job', () => {
  it('is complete when its pod has succeeded', () => {
    const cluster = playedCluster();
    cluster.add(job({ name: 'report', runForMs: 4000 }));
    cluster.untilReady('report', 1);
    cluster.timeline.advance(6000);
    expect(conditionStatus(cluster.get('Job', 'report'), 'Complete')).toBe('True');
    expect(cluster.pods('report').map(({ phase }) => phase)).toEqual(['Succeeded']);
  });

  it('without retries has failed for good when its pod is evicted', () => {
    const cluster = playedCluster();
    cluster.add(job({ name: 'report', runForMs: minute }));
    cluster.untilReady('report', 1);
    cluster.evict(cluster.pods('report')[0]?.name ?? '');
    cluster.timeline.advance(minute);
    expect(conditionStatus(cluster.get('Job', 'report'), 'Failed')).toBe('True');
    expect(cluster.pods('report')).toHaveLength(0);
  });

  it('with a retry left starts another pod', () => {
    const cluster = playedCluster();
    cluster.add(job({ name: 'report', runForMs: 5000, backoffLimit: 2 }));
    cluster.untilReady('report', 1);
    cluster.evict(cluster.pods('report')[0]?.name ?? '');
    cluster.timeline.advance(minute);
    expect(conditionStatus(cluster.get('Job', 'report'), 'Complete')).toBe('True');
    expect(statusOf(cluster.get('Job', 'report'))).toMatchObject({ failed: 1, succeeded: 1 });
  });
});

describe('a Job that is deleted', () => {
  it('takes its pods along, also one that still runs', () => {
    const cluster = playedCluster();
    cluster.add(job({ name: 'report', runForMs: 10 * minute }));
    cluster.untilReady('report', 1);
    cluster.remove('Job', 'report');
    cluster.timeline.advance(10_000);
    expect(cluster.pods('report')).toEqual([]);
  });
});

describe('the status of a budget in the cluster', () => {
  it('follows its pods: as many may go as are Ready beyond what must stay', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 3 }), disruptionBudget({ name: 'web', maxUnavailable: 1 }));
    cluster.untilReady('web', 3);
    cluster.timeline.advance(500);
    expect(statusOf(cluster.get('PodDisruptionBudget', 'web'))).toMatchObject({
      disruptionsAllowed: 1,
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
      observedGeneration: 1,
      conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }],
    });
    makeUnready(cluster, cluster.pods('web')[0]?.name ?? '');
    cluster.timeline.advance(500);
    expect(statusOf(cluster.get('PodDisruptionBudget', 'web'))).toMatchObject({
      disruptionsAllowed: 0,
      currentHealthy: 2,
      conditions: [{ status: 'False', reason: 'InsufficientPods' }],
    });
  });

  it.each([
    [daemonSet({ name: 'agent' }), 'agent', 'daemonsets.apps does not implement the scale subresource'],
    [job({ name: 'report', runForMs: minute }), 'report', 'jobs.batch does not implement the scale subresource'],
  ])('cannot be counted for pods of a controller without a scale', (workload, name, message) => {
    const cluster = playedCluster();
    cluster.add(workload, disruptionBudget({ name, maxUnavailable: 1 }));
    cluster.timeline.advance(10_000);
    expect(statusOf(cluster.get('PodDisruptionBudget', name))).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message }],
    });
  });

  it('expects a replica more as soon as its pod is there, also while the pod has no node', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 2 }), disruptionBudget({ name: 'web', maxUnavailable: 1 }));
    cluster.untilReady('web', 2);
    cluster.timeline.advance(1000);
    for (const node of ['node-1', 'node-2', 'node-3']) cluster.cordon(node);
    cluster.patch('Deployment', 'web', { spec: { replicas: 3 } });
    cluster.timeline.advance(1000);
    expect(statusOf(cluster.get('PodDisruptionBudget', 'web'))).toMatchObject({
      expectedPods: 3,
      disruptionsAllowed: 0,
    });
  });

  it('forgets an accepted eviction whose pod did not go after two minutes', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 2 }), disruptionBudget({ name: 'web', maxUnavailable: 1 }));
    cluster.untilReady('web', 2);
    cluster.timeline.advance(1000);
    const name = cluster.pods('web')[0]?.name ?? '';
    const disruptedPods = { [name]: new Date(cluster.timeline.now()).toISOString() };
    cluster.patch('PodDisruptionBudget', 'web', { status: { disruptedPods, disruptionsAllowed: 0 } }, 'status');
    cluster.timeline.advance(minute);
    const budget = () => statusOf(cluster.get('PodDisruptionBudget', 'web'));
    expect(budget()).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0, disruptedPods });
    cluster.timeline.advance(minute + 1000);
    expect(budget()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
    expect(budget()['disruptedPods']).toBeUndefined();
  });
});

/** The pod loses its readiness and does not get it back. */
function makeUnready(cluster: PlayedCluster, name: string): void {
  cluster.patch('Pod', name, { metadata: { annotations: { 'sandbox.turnus.dev/unready': 'true' } } });
  const pod = cluster.get('Pod', name);
  const conditions = recordOf(pod['status'])['conditions'];
  const changed = (Array.isArray(conditions) ? conditions : []).map((condition: unknown) => {
    const known = recordOf(condition);
    return known['type'] === 'Ready' ? { ...known, status: 'False' } : known;
  });
  cluster.patch('Pod', name, { status: { conditions: changed } }, 'status');
}
