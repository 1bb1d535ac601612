import { describe, expect, it } from 'vitest';
import { recordsOf } from '../../../src/cluster/json.js';
import { barePod, deployment } from '../../cluster/workloads.js';
import { onLocalVolumes } from '../../cluster/localVolumes.js';
import { statefulSet } from '../../cluster/workloads.js';
import { playedCluster, statusOf, type PlayedCluster } from './playedCluster.js';

function nodesOf(cluster: PlayedCluster, app: string): (string | undefined)[] {
  return cluster.pods(app).map(({ nodeName }) => nodeName);
}

/** Why the scheduler has not placed the first pod of an app. */
function whyNot(cluster: PlayedCluster, app: string): unknown {
  const [pod] = cluster.pods(app);
  return recordsOf(statusOf(pod?.object ?? { metadata: {} })['conditions']).find(({ type }) => type === 'PodScheduled');
}

describe('the scheduler', () => {
  it('keeps new pods off a cordoned node and says why a pod has no place', () => {
    const cluster = playedCluster({ nodes: ['node-1', 'node-2'] });
    cluster.cordon('node-1');
    cluster.add(deployment({ name: 'web', replicas: 3 }));
    cluster.untilReady('web', 3);
    expect(new Set(nodesOf(cluster, 'web'))).toEqual(new Set(['node-2']));
    cluster.cordon('node-2');
    cluster.add(barePod({ name: 'late' }));
    cluster.timeline.advance(5000);
    expect(whyNot(cluster, 'late')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message: '0/2 nodes are available: 2 node(s) were unschedulable.',
    });
  });

  it('looks again at a pod without a place when a node is uncordoned', () => {
    const cluster = playedCluster({ nodes: ['node-1'] });
    cluster.cordon('node-1');
    cluster.add(barePod({ name: 'late' }));
    cluster.timeline.advance(60_000);
    cluster.cordon('node-1', false);
    cluster.timeline.advance(15_000);
    expect(nodesOf(cluster, 'late')).toEqual(['node-1']);
    expect(whyNot(cluster, 'late')).toMatchObject({ status: 'True' });
  });

  it('lets a pod onto a tainted node only when it tolerates the taint', () => {
    const taints = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }];
    const cluster = playedCluster({ nodes: [{ name: 'node-1', taints }] });
    const tolerations = [{ key: 'dedicated', operator: 'Equal', value: 'db', effect: 'NoSchedule' }];
    cluster.add(barePod({ name: 'db', podSpec: { tolerations } }), barePod({ name: 'web' }));
    cluster.timeline.advance(10_000);
    expect([...nodesOf(cluster, 'db'), ...nodesOf(cluster, 'web')]).toEqual(['node-1', undefined]);
  });

  it('rather avoids nodes with a taint PreferNoSchedule', () => {
    const taints = [{ key: 'turnus.dev/steer', effect: 'PreferNoSchedule' }];
    const cluster = playedCluster({ nodes: [{ name: 'node-1', taints }, { name: 'node-2', taints }, 'node-3'] });
    cluster.add(barePod({ name: 'web' }));
    cluster.timeline.advance(5000);
    expect(nodesOf(cluster, 'web')).toEqual(['node-3']);
  });

  it('does not put two pods that exclude each other on one node', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 4, onePerNode: true }));
    cluster.timeline.advance(20_000);
    expect(nodesOf(cluster, 'web').sort()).toEqual(['node-1', 'node-2', 'node-3', undefined]);
  });

  it('keeps a pod away that an existing pod does not want beside it', () => {
    const cluster = playedCluster({ nodes: ['node-1'] });
    const labelSelector = { matchLabels: { app: 'loud' } };
    const term = { labelSelector, topologyKey: 'kubernetes.io/hostname' };
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
    cluster.add(barePod({ name: 'quiet', podSpec: { affinity } }));
    cluster.timeline.advance(5000);
    cluster.add(barePod({ name: 'loud' }));
    cluster.timeline.advance(5000);
    expect(whyNot(cluster, 'loud')).toMatchObject({
      message: "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
    });
  });

  it('keeps a hard spread over zones, where cordoned nodes count as zones', () => {
    const cluster = playedCluster({ nodes: ['node-1', 'node-2', 'node-3'] });
    cluster.cordon('node-3');
    cluster.add(deployment({ name: 'web', replicas: 3, spread: { over: 'zone', mode: 'require' } }));
    cluster.timeline.advance(20_000);
    expect(nodesOf(cluster, 'web').sort()).toEqual(['node-1', 'node-2', undefined]);
  });

  it('gives a host port of a node away once', () => {
    const cluster = playedCluster({ nodes: ['node-1', 'node-2'] });
    cluster.add(deployment({ name: 'ingress', replicas: 3, hostPort: 443 }));
    cluster.timeline.advance(20_000);
    expect(nodesOf(cluster, 'ingress').sort()).toEqual(['node-1', 'node-2', undefined]);
  });

  it('gives away no more cpu than there is, and again what an ended pod leaves', () => {
    const cluster = playedCluster({ nodes: [{ name: 'node-1', capacity: { cpu: 2 } }] });
    cluster.add(deployment({ name: 'web', replicas: 3, cpu: '800m' }));
    cluster.timeline.advance(20_000);
    const places = nodesOf(cluster, 'web');
    expect(places.filter((node) => node === 'node-1')).toHaveLength(2);
    cluster.patch('Deployment', 'web', { spec: { replicas: 2 } });
    cluster.timeline.advance(20_000);
    expect(nodesOf(cluster, 'web')).toEqual(['node-1', 'node-1']);
  });

  it('places a pod where its local volume is', () => {
    const cluster = playedCluster();
    const { set, storage } = onLocalVolumes(statefulSet({ name: 'db', replicas: 2 }), ['node-2', 'node-2']);
    cluster.add(...storage, set);
    cluster.untilReady('db', 2);
    expect(nodesOf(cluster, 'db')).toEqual(['node-2', 'node-2']);
  });

  it('follows a preferred node as long as that one is in service', () => {
    const cluster = playedCluster();
    cluster.add(deployment({ name: 'web', replicas: 2, prefers: 'node-2' }));
    cluster.untilReady('web', 2);
    expect(nodesOf(cluster, 'web')).toContain('node-2');
    cluster.add(deployment({ name: 'bound', replicas: 2, nodes: ['node-3'] }));
    cluster.untilReady('bound', 2);
    expect(nodesOf(cluster, 'bound')).toEqual(['node-3', 'node-3']);
  });
});
