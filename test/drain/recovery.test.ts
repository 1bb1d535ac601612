import { describe, expect, it } from 'vitest';
import { boundPods } from '../../src/drain/boundPods.js';
import { drainTime } from '../../src/drain/drainTime.js';
import type { NextStep, WaitReason } from '../../src/drain/nextStep.js';
import { recoverySentence, unrecovered } from '../../src/drain/recovery.js';
import { clusterView, node, pod, workload } from './clusterFixtures.js';
import { handClock } from './handClock.js';

const key = 'shop/Deployment/web';
const displaced = new Map([[key, 2]]);
const here = { on: 'node-1' };
const elsewhere = { on: 'node-2' };

describe('a displaced owner', () => {
  it.each([
    ['has its Ready replicas again', { pods: [elsewhere, elsewhere] }, []],
    ['lacks one', { desired: 2, pods: [elsewhere] }, [[1, 2]]],
    ['has one that is not Ready', { pods: [elsewhere, { ...elsewhere, ready: false }] }, [[1, 2]]],
    ['was scaled down', { desired: 1, pods: [elsewhere] }, []],
    ['was scaled up and has as many as before', { desired: 5, pods: [elsewhere, elsewhere] }, []],
    ['was scaled to nothing', { desired: 0, pods: [] }, []],
  ] as const)('that %s is told apart', (_, options, expected) => {
    const view = clusterView({ workloads: [workload({ name: 'web', ...options })] });
    expect(unrecovered({ view, displaced }).map(({ ready, needed }) => [ready, needed])).toEqual(expected);
  });

  it('that was deleted, or is being deleted, by itself or with its namespace, needs nothing', () => {
    expect(unrecovered({ view: clusterView({}), displaced })).toEqual([]);
    const web = workload({ name: 'web', desired: 2, pods: [] });
    const ending = { ...web, owner: { ...web.owner, terminating: true } };
    expect(unrecovered({ view: clusterView({ workloads: [ending] }), displaced })).toEqual([]);
    const namespaces = [{ name: 'shop', labels: {}, terminating: true }];
    expect(unrecovered({ view: clusterView({ workloads: [web], namespaces }), displaced })).toEqual([]);
  });

  it('needs its replicas on other nodes, less those that can run on this one alone', () => {
    const view = clusterView({ workloads: [workload({ name: 'web', pods: [here, elsewhere] })] });
    expect(unrecovered({ view, displaced, notOn: 'node-1' })).toMatchObject([{ ready: 1, needed: 2 }]);
    expect(unrecovered({ view, displaced, notOn: 'node-1', excused: new Map([[key, 1]]) })).toEqual([]);
  });

  it('is described with its numbers and the scheduler’s reason', () => {
    const pending = {
      nodeName: undefined,
      ready: false,
      phase: 'Pending',
      unschedulableReason: '0/3 nodes are available',
    } as const;
    const view = clusterView({ workloads: [workload({ name: 'web', pods: [elsewhere, pending] })] });
    expect(unrecovered({ view, displaced }).map(recoverySentence)).toEqual([
      'Deployment shop/web has 1 Ready replica and needs 2; not Ready: Pod shop/web-1: 0/3 nodes are available.',
    ]);
  });
});

describe('a pod that returns to the node', () => {
  const before = workload({ name: 'web', pods: [here, here] });
  const first = before.pods[0] ?? pod('web-0');

  it('is one that its controller did not have at the first eviction', () => {
    const bound = boundPods('node-1');
    bound.evicting(first, clusterView({ workloads: [before] }));
    bound.observe(clusterView({ workloads: [before] }));
    expect(bound.controllers().size).toBe(0);
    const after = { ...before, pods: [...before.pods.slice(1), { ...first, name: 'web-9', uid: 'new' }] };
    const view = clusterView({ workloads: [after] });
    bound.observe(view);
    expect([...bound.controllers()]).toEqual([before.controllerUid]);
    expect(bound.pods(view)).toContain('shop/web-9');
    expect(bound.findings(view)[0]).toMatchObject({ code: 'bound-to-node', severity: 'caution' });
  });

  it('is not one that was placed while the node took pods', () => {
    const bound = boundPods('node-1');
    bound.evicting(first, clusterView({ workloads: [before] }));
    const after = { ...before, pods: [{ ...first, name: 'web-9', uid: 'new' }] };
    bound.observe(clusterView({ nodes: [node('node-1')], workloads: [after] }));
    expect(bound.controllers().size).toBe(0);
  });

  it('is not one that its controller placed elsewhere', () => {
    const bound = boundPods('node-1');
    bound.evicting(first, clusterView({ workloads: [before] }));
    bound.observe(clusterView({ workloads: [{ ...before, pods: [{ ...first, uid: 'new', nodeName: 'node-2' }] }] }));
    expect(bound.controllers().size).toBe(0);
  });
});

describe('the time of a drain', () => {
  const waits = (...reasons: WaitReason[]): NextStep[] =>
    reasons.map((reason) => ({
      kind: 'wait',
      pod: pod('web-0'),
      wait: { for: reason, objects: [], message: '', hint: '' },
    }));
  const policy = { timeoutMs: 1000, jobPodsLimitMs: 5000 };

  it('stands still while Job pods alone are waited for', () => {
    const clock = handClock();
    const time = drainTime({ clock, policy });
    clock.advance(300);
    time.observe(waits('job-running', 'earlier-pods'));
    clock.advance(4000);
    expect(time.leftMs()).toBe(700);
    time.observe(waits('budget-not-now'));
    expect(time.leftMs()).toBe(700);
    clock.advance(700);
    expect(time.leftMs()).toBe(0);
  });

  it('goes on while anything else is waited for besides', () => {
    const clock = handClock();
    const time = drainTime({ clock, policy });
    time.observe(waits('job-running', 'terminating'));
    clock.advance(1000);
    expect(time.leftMs()).toBe(0);
  });

  it('bounds the wait for Job pods from the first moment one was seen', () => {
    const clock = handClock();
    const time = drainTime({ clock, policy });
    expect(time.jobsLeftMs()).toBe(Infinity);
    time.observe(waits('job-running'));
    clock.advance(4000);
    time.observe(waits('job-running'));
    expect(time.jobsLeftMs()).toBe(1000);
    time.observe(waits('terminating'));
    expect(time.jobsLeftMs()).toBe(Infinity);
  });
});
