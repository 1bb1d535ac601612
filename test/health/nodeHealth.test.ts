import { describe, expect, it } from 'vitest';
import type { NodeView, PodView } from '../../src/cluster/view.js';
import { nodeProblems, recordStationaryPods, type HealthBefore } from '../../src/health/nodeHealth.js';
import { clusterView, node, pod, takenAt } from '../drain/clusterFixtures.js';

const beforeBoot = takenAt - 3_600_000;
const afterBoot = takenAt + 60_000;

/** A pod of the DaemonSet `name` on node-1. */
function daemonPod(name: string, changes: Partial<PodView> = {}): PodView {
  return pod(`${name}-x7k2p`, {
    namespace: 'kube-system',
    controller: { apiVersion: 'apps/v1', kind: 'DaemonSet', name, uid: `uid-of-${name}` },
    containersStartedAt: [beforeBoot],
    ...changes,
  });
}

function mirrorPod(name: string, changes: Partial<PodView> = {}): PodView {
  return pod(`${name}-node-1`, {
    namespace: 'kube-system',
    mirror: true,
    controller: { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'uid-of-node-1' },
    containersStartedAt: [beforeBoot],
    ...changes,
  });
}

function recordOf(pods: readonly PodView[]) {
  return recordStationaryPods(clusterView({ pods }), 'node-1');
}

const restarted = { containersStartedAt: [afterBoot] };
const rebooted: Partial<NodeView> = { bootId: 'boot-2' };

/** What is wrong after `now`, where `before` was recorded and the node was rebooted into boot-2. */
function problemsAfterBoot(pods: { before: readonly PodView[]; now: readonly PodView[] }): string[] {
  const view = clusterView({ nodes: [node('node-1', rebooted)], pods: pods.now });
  return nodeProblems(view, 'node-1', { stationaryPods: recordOf(pods.before), expectedBootId: 'boot-2' });
}

describe('the pods that a node must show again', () => {
  it('are its Ready DaemonSet pods by their DaemonSet and its Ready static pods by name, with their start times', () => {
    expect(
      recordOf([daemonPod('kube-proxy', { containersStartedAt: [1, undefined, 3] }), mirrorPod('haproxy')]),
    ).toEqual([
      { pod: 'kube-system/DaemonSet kube-proxy', startedAt: [1, 3] },
      { pod: 'kube-system/haproxy-node-1', startedAt: [beforeBoot] },
    ]);
  });

  it.each<{ title: string; pod: PodView }>([
    { title: 'was not Ready before', pod: daemonPod('csi', { ready: false }) },
    { title: 'is a static pod that was not Ready before', pod: mirrorPod('haproxy', { ready: false }) },
    { title: 'is on another node', pod: daemonPod('csi', { nodeName: 'node-2' }) },
    { title: 'waits for a node', pod: daemonPod('csi', { nodeName: undefined }) },
    { title: 'belongs to a Deployment', pod: pod('shop-0') },
    { title: 'is being deleted', pod: daemonPod('csi', { terminating: true }) },
    { title: 'has ended', pod: daemonPod('csi', { phase: 'Succeeded' }) },
    { title: 'has failed', pod: daemonPod('csi', { phase: 'Failed' }) },
  ])('do not include one that $title', ({ pod: other }) => {
    expect(recordOf([other])).toEqual([]);
  });
});

describe('the health of a node', () => {
  const nothing: HealthBefore = { stationaryPods: [], expectedBootId: undefined };

  it.each<{ title: string; node: Partial<NodeView>; before: HealthBefore; problems: string[] }>([
    { title: 'is good where it is Ready', node: {}, before: nothing, problems: [] },
    {
      title: 'is bad while it is not Ready, in the words of the kubelet',
      node: { ready: false, notReadyReason: 'KubeletNotReady: container runtime is down' },
      before: nothing,
      problems: ['node node-1 is not Ready (KubeletNotReady: container runtime is down)'],
    },
    {
      title: 'is bad where it is Ready in the boot from before',
      node: { bootId: 'boot-1' },
      before: { ...nothing, expectedBootId: 'boot-2' },
      problems: ['node node-1 still reports boot boot-1, not boot-2'],
    },
    {
      title: 'is good in the new boot',
      node: { bootId: 'boot-2' },
      before: { ...nothing, expectedBootId: 'boot-2' },
      problems: [],
    },
    { title: 'does not depend on the boot where nothing was rebooted', node: rebooted, before: nothing, problems: [] },
    { title: 'does not depend on its cordon', node: { unschedulable: true }, before: nothing, problems: [] },
    {
      title: 'tells all problems at once',
      node: { ready: false, bootId: 'boot-1' },
      before: { stationaryPods: recordOf([daemonPod('csi')]), expectedBootId: 'boot-2' },
      problems: [
        'node node-1 is not Ready (no reason given)',
        'node node-1 still reports boot boot-1, not boot-2',
        'pod of kube-system/DaemonSet csi has not returned',
      ],
    },
  ])('$title', ({ node: changes, before, problems }) => {
    const view = clusterView({ nodes: [node('node-1', changes)] });
    expect(nodeProblems(view, 'node-1', before)).toEqual(problems);
  });

  it('is bad where the node is gone', () => {
    const view = clusterView({ nodes: [node('node-2')] });
    expect(nodeProblems(view, 'node-1', nothing)).toEqual(['node node-1 is not in the cluster']);
  });
});

describe('the pods of a node after its boot', () => {
  it.each<{ title: string; before: PodView[]; now: PodView[]; problems: string[] }>([
    {
      title: 'are well once they are Ready again',
      before: [daemonPod('csi')],
      now: [daemonPod('csi', restarted)],
      problems: [],
    },
    {
      title: 'are missed by the name of their DaemonSet',
      before: [daemonPod('csi')],
      now: [],
      problems: ['pod of kube-system/DaemonSet csi has not returned'],
    },
    {
      title: 'are missed by name where they are static',
      before: [mirrorPod('haproxy')],
      now: [],
      problems: ['pod of kube-system/haproxy-node-1 has not returned'],
    },
    {
      title: 'are not well while one is not Ready',
      before: [daemonPod('csi')],
      now: [daemonPod('csi', { ...restarted, ready: false })],
      problems: ['pod kube-system/csi-x7k2p is not Ready'],
    },
    {
      title: 'are not well while Ready is still the answer from before the boot',
      before: [daemonPod('csi')],
      now: [daemonPod('csi')],
      problems: ['pod kube-system/csi-x7k2p still shows its start from before the boot'],
    },
    {
      title: 'are not well where a static one still shows its start from before',
      before: [mirrorPod('haproxy')],
      now: [mirrorPod('haproxy')],
      problems: ['pod kube-system/haproxy-node-1 still shows its start from before the boot'],
    },
    {
      title: 'are well where a static one has started anew',
      before: [mirrorPod('haproxy')],
      now: [mirrorPod('haproxy', restarted)],
      problems: [],
    },
    {
      title: 'are not well while one of several containers has not started anew',
      before: [daemonPod('csi', { containersStartedAt: [beforeBoot, beforeBoot] })],
      now: [daemonPod('csi', { containersStartedAt: [afterBoot, beforeBoot] })],
      problems: ['pod kube-system/csi-x7k2p still shows its start from before the boot'],
    },
    {
      title: 'are not well while one of several containers does not run',
      before: [daemonPod('csi', { containersStartedAt: [beforeBoot, beforeBoot] })],
      now: [daemonPod('csi', { containersStartedAt: [afterBoot, undefined] })],
      problems: ['pod kube-system/csi-x7k2p still shows its start from before the boot'],
    },
    {
      title: 'are compared with the latest start before, which a crash may have made later than the others',
      before: [daemonPod('csi', { containersStartedAt: [beforeBoot, beforeBoot + 1000] })],
      now: [daemonPod('csi', { containersStartedAt: [beforeBoot + 1000, beforeBoot + 1000] })],
      problems: ['pod kube-system/csi-x7k2p still shows its start from before the boot'],
    },
    {
      title: 'do not count where they were not Ready before',
      before: [daemonPod('broken', { ready: false })],
      now: [daemonPod('broken', { ready: false })],
      problems: [],
    },
    {
      title: 'do not count where they are new',
      before: [],
      now: [daemonPod('new', { ready: false })],
      problems: [],
    },
    {
      title: 'are well where the DaemonSet has replaced its pod by one of another name',
      before: [daemonPod('csi', { name: 'csi-aaaaa' })],
      now: [daemonPod('csi', { name: 'csi-bbbbb', ...restarted })],
      problems: [],
    },
    {
      title: 'are not well where only the namesake of a DaemonSet in another namespace is there',
      before: [daemonPod('csi')],
      now: [daemonPod('csi', { namespace: 'other', ...restarted })],
      problems: ['pod of kube-system/DaemonSet csi has not returned'],
    },
    {
      title: 'are not well where the pod of the DaemonSet is on another node',
      before: [daemonPod('csi')],
      now: [daemonPod('csi', { nodeName: 'node-2', ...restarted })],
      problems: ['pod of kube-system/DaemonSet csi has not returned'],
    },
    {
      title: 'are well where an old one is still being deleted beside its Ready replacement',
      before: [daemonPod('csi', { name: 'csi-aaaaa' })],
      now: [
        daemonPod('csi', { name: 'csi-bbbbb', ...restarted }),
        daemonPod('csi', { name: 'csi-aaaaa', terminating: true, ready: false }),
      ],
      problems: [],
    },
    {
      title: 'are well where an update with surge starts a second one beside one that is well',
      before: [daemonPod('csi', { name: 'csi-aaaaa' })],
      now: [
        daemonPod('csi', { name: 'csi-aaaaa', ...restarted }),
        daemonPod('csi', { name: 'csi-bbbbb', ...restarted, ready: false }),
      ],
      problems: [],
    },
    {
      title: 'are not well where neither of two is',
      before: [daemonPod('csi', { name: 'csi-aaaaa' })],
      now: [
        daemonPod('csi', { name: 'csi-aaaaa' }),
        daemonPod('csi', { name: 'csi-bbbbb', ...restarted, ready: false }),
      ],
      problems: [
        'pod kube-system/csi-aaaaa still shows its start from before the boot',
        'pod kube-system/csi-bbbbb is not Ready',
      ],
    },
  ])('$title', ({ before, now, problems }) => {
    expect(problemsAfterBoot({ before, now })).toEqual(problems);
  });

  it('need not have started anew where nothing was rebooted', () => {
    const view = clusterView({ pods: [daemonPod('csi')] });
    const before = { stationaryPods: recordOf([daemonPod('csi')]), expectedBootId: undefined };
    expect(nodeProblems(view, 'node-1', before)).toEqual([]);
  });
});
