import { describe, expect, it } from 'vitest';
import { countBudget, type Scale } from '../../../src/sandbox/controllers/budgetStatus.js';
import { podRecord, type PodRecord } from '../../../src/sandbox/controllers/records.js';

const now = Date.parse('2026-11-10T22:00:00Z');
const minute = 60_000;

interface PodSketch {
  readonly name?: string;
  readonly ready?: boolean;
  readonly terminating?: boolean;
  /** UID of its controller; undefined for a pod without one. */
  readonly controller?: string | undefined;
}

function pods(count: number, sketch: PodSketch = {}): PodRecord[] {
  return Array.from({ length: count }, (_, place) => {
    const { name = `pod-${String(place)}`, ready = true, terminating = false } = sketch;
    const uid = 'controller' in sketch ? sketch.controller : 'web';
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: uid ?? '', controller: true };
    return podRecord({
      metadata: {
        name,
        namespace: 'default',
        ...(uid === undefined ? {} : { ownerReferences: [owner] }),
        ...(terminating ? { deletionTimestamp: '2026-11-10T22:00:30Z' } : {}),
      },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    });
  });
}

function scaledTo(replicas: number): () => Scale {
  return () => ({ kind: 'replicas', uid: 'deployment', replicas });
}

function count(question: {
  spec: Record<string, number | string>;
  pods: readonly PodRecord[];
  scaleOf?: () => Scale;
  disruptedPods?: Record<string, string>;
}) {
  const { spec, disruptedPods, scaleOf = scaledTo(question.pods.length) } = question;
  return countBudget({ spec, pods: question.pods, scaleOf, disruptedPods, now });
}

describe('the status of a budget', () => {
  const table: [budget: Record<string, number | string>, replicas: number, desired: number, allowed: number][] = [
    [{ minAvailable: 1 }, 1, 1, 0],
    [{ minAvailable: 2 }, 1, 2, 0],
    [{ minAvailable: 1 }, 5, 1, 4],
    [{ minAvailable: '34%' }, 3, 2, 1],
    [{ minAvailable: '34%' }, 22, 8, 14],
    [{ minAvailable: '50%' }, 5, 3, 2],
    [{ minAvailable: '90%' }, 10, 9, 1],
    [{ minAvailable: '90%' }, 5, 5, 0],
    [{ minAvailable: '100%' }, 7, 7, 0],
    [{ minAvailable: '28%' }, 25, 7, 18],
    [{ minAvailable: '7%' }, 100, 7, 93],
    [{ maxUnavailable: 0 }, 5, 5, 0],
    [{ maxUnavailable: 1 }, 1, 0, 1],
    [{ maxUnavailable: 2 }, 1, 0, 1],
    [{ maxUnavailable: '1%' }, 7, 6, 1],
    [{ maxUnavailable: '10%' }, 11, 9, 2],
    [{ maxUnavailable: '30%' }, 7, 4, 3],
    [{ maxUnavailable: '50%' }, 5, 2, 3],
    [{ maxUnavailable: '100%' }, 3, 0, 3],
    [{}, 3, 0, 0],
  ];
  it.each(table)('with %o and %i Ready replicas wants %i healthy and allows %i', (spec, replicas, desired, allowed) => {
    expect(count({ spec, pods: pods(replicas) })).toMatchObject({
      kind: 'counted',
      desiredHealthy: desired,
      disruptionsAllowed: allowed,
      currentHealthy: replicas,
    });
  });

  it('counts the wanted replicas, not the pods that are there', () => {
    const result = count({ spec: { maxUnavailable: 1 }, pods: pods(2), scaleOf: scaledTo(3) });
    expect(result).toMatchObject({ expectedPods: 3, desiredHealthy: 2, currentHealthy: 2, disruptionsAllowed: 0 });
  });

  it('counts pods, not replicas, for a whole number that must stay', () => {
    const none = (): Scale => ({ kind: 'none', message: 'jobs.batch does not implement the scale subresource' });
    const result = count({ spec: { minAvailable: 1 }, pods: pods(2), scaleOf: none });
    expect(result).toMatchObject({ kind: 'counted', expectedPods: 2, disruptionsAllowed: 1 });
  });

  it('counts the replicas of each controller once', () => {
    const scaleOf = (): Scale => ({ kind: 'replicas', uid: 'deployment', replicas: 4 });
    const both = [...pods(2, { controller: 'old-set' }), ...pods(2, { name: 'other', controller: 'new-set' })];
    expect(count({ spec: { maxUnavailable: 1 }, pods: both, scaleOf })).toMatchObject({ expectedPods: 4 });
  });

  it('does not count pods as healthy that are not Ready or are being deleted', () => {
    const all = [...pods(2), ...pods(1, { ready: false }), ...pods(1, { terminating: true })];
    const result = count({ spec: { minAvailable: 1 }, pods: all });
    expect(result).toMatchObject({ expectedPods: 4, currentHealthy: 2, disruptionsAllowed: 1 });
  });

  it('counts pods without a controller as healthy, and expects none of them', () => {
    const result = count({ spec: { maxUnavailable: 1 }, pods: pods(2, { controller: undefined }) });
    expect(result).toMatchObject({ expectedPods: 0, currentHealthy: 2, disruptionsAllowed: 0 });
  });

  it('fails where the size of a controller is not known', () => {
    const message = 'daemonsets.apps does not implement the scale subresource';
    const none = (): Scale => ({ kind: 'none', message });
    expect(count({ spec: { maxUnavailable: 1 }, pods: pods(2), scaleOf: none })).toEqual({ kind: 'failed', message });
  });

  it('takes an accepted eviction for done during two minutes, then forgets it', () => {
    const at = (time: number) => new Date(time).toISOString();
    const disruptedPods = {
      'pod-0': at(now - minute),
      'pod-1': at(now - 3 * minute),
      'pod-9': at(now - minute),
    };
    const result = count({ spec: { minAvailable: 1 }, pods: pods(3), disruptedPods });
    expect(result).toMatchObject({ currentHealthy: 2, lookAgainAt: now + minute });
    expect(result).toHaveProperty('disruptedPods', { 'pod-0': disruptedPods['pod-0'] });
  });

  it('forgets an accepted eviction as soon as its pod is being deleted', () => {
    const disruptedPods = { 'pod-0': new Date(now).toISOString() };
    const result = count({ spec: { minAvailable: 1 }, pods: pods(1, { terminating: true }), disruptedPods });
    expect(result).toMatchObject({ currentHealthy: 0 });
    expect(result).toHaveProperty('disruptedPods', {});
  });
});
