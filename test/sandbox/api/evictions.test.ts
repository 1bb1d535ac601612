import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { recordOf } from '../../../src/cluster/json.js';
import { resources } from '../../../src/cluster/resources.js';
import type { ApiEviction, SimulatedApi } from '../../../src/sandbox/api/simulatedApi.js';
import { apiWith, create, listed, read, refusalOf, runningPod, setStatus, watched } from './apiFixture.js';

const otherUid = 'aaaaaaaa-0000-4000-a000-000000000000';

interface BudgetState {
  readonly name?: string;
  readonly policy?: string;
  readonly status?: Readonly<Record<string, unknown>>;
}

function budget(api: SimulatedApi, { name = 'web', policy, status = {} }: BudgetState): ApiObject {
  const created = create(api, resources.budgets, {
    metadata: { name, namespace: 'default' },
    spec: {
      minAvailable: 1,
      selector: { matchLabels: { app: 'web' } },
      ...(policy === undefined ? {} : { unhealthyPodEvictionPolicy: policy }),
    },
  });
  const counts = { observedGeneration: 1, currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1 };
  return setStatus(api, resources.budgets, created, { ...counts, ...status });
}

function evict(api: SimulatedApi, request: Partial<ApiEviction> = {}) {
  return api.evict({ namespace: 'default', name: 'web-0', ...request }, 'test');
}

/** The disruptions that the budget has left. */
function left(api: SimulatedApi, name = 'web'): unknown {
  return recordOf(read(api, resources.budgets, name)['status'])['disruptionsAllowed'];
}

const healthy = { currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1 };
const short = { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 };
const wantsNothing = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0 };

describe('the eviction handler', () => {
  it.each`
    pod                                     | budgets                                                 | answer  | debited
    ${{}}                                   | ${[]}                                                   | ${'ok'} | ${undefined}
    ${{}}                                   | ${[{ status: healthy }]}                                | ${'ok'} | ${1}
    ${{}}                                   | ${[{ status: short }]}                                  | ${429}  | ${0}
    ${{}}                                   | ${[{ status: { ...healthy, observedGeneration: 0 } }]}  | ${429}  | ${0}
    ${{}}                                   | ${[{ status: { ...healthy, disruptionsAllowed: -1 } }]} | ${403}  | ${0}
    ${{}}                                   | ${[{ status: healthy }, { name: 'two' }]}               | ${500}  | ${0}
    ${{ phase: 'Pending', ready: false }}   | ${[{ status: short }]}                                  | ${'ok'} | ${0}
    ${{ phase: 'Pending', ready: false }}   | ${[{ status: short }, { name: 'two' }]}                 | ${'ok'} | ${0}
    ${{ phase: 'Succeeded', ready: false }} | ${[{ status: short }]}                                  | ${'ok'} | ${0}
    ${{ phase: 'Failed', ready: false }}    | ${[{ status: short }]}                                  | ${'ok'} | ${0}
    ${{ ready: false }}                     | ${[{ status: short }]}                                  | ${'ok'} | ${0}
    ${{ ready: false }}                     | ${[{ status: { ...short, currentHealthy: 0 } }]}        | ${429}  | ${0}
    ${{ ready: false }}                     | ${[{ status: wantsNothing }]}                           | ${429}  | ${0}
    ${{ ready: false }}                     | ${[{ status: wantsNothing, policy: 'AlwaysAllow' }]}    | ${'ok'} | ${0}
    ${{ ready: false }}                     | ${[{ status: { ...short, observedGeneration: 0 } }]}    | ${'ok'} | ${0}
    ${{ labels: { app: 'other' } }}         | ${[{ status: short }]}                                  | ${'ok'} | ${0}
    ${{ metadata: { labels: undefined } }}  | ${[{ status: short }]}                                  | ${'ok'} | ${0}
  `(
    'answers $answer and takes $debited from the budget for pod $pod under $budgets',
    ({
      pod: wanted,
      budgets,
      answer,
      debited,
    }: {
      pod: object;
      budgets: BudgetState[];
      answer: 'ok' | number;
      debited: number | undefined;
    }) => {
      const { api } = apiWith();
      runningPod(api, wanted);
      for (const state of budgets) budget(api, state);
      const before = budgets.length === 0 ? undefined : Number(left(api));
      const refusal = refusalOf(evict(api));
      expect(refusal === 'ok' ? 'ok' : refusal.code).toBe(answer);
      if (before !== undefined) expect(before - Number(left(api))).toBe(debited);
      const pod = listed(api, resources.pods)[0];
      expect(pod === undefined || pod.metadata.deletionTimestamp !== undefined).toBe(answer === 'ok');
    },
  );

  it.each`
    status                                                                                                                                    | message
    ${short}                                                                                                                                  | ${'The disruption budget web needs 1 healthy pods and has 1 currently'}
    ${wantsNothing}                                                                                                                           | ${'The disruption budget web needs 0 healthy pods and has 0 currently'}
    ${{ ...short, currentHealthy: 2 }}                                                                                                        | ${'The disruption budget web does not allow evicting pods currently'}
    ${{ ...short, conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'x' }] }}                         | ${'The disruption budget web does not allow evicting pods currently because it failed sync: x'}
    ${{ ...short, currentHealthy: 2, conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '' }] }} | ${'The disruption budget web does not allow evicting pods currently'}
  `(
    'says "$message" as the cause of a budget that is closed',
    ({ status, message }: { status: object; message: string }) => {
      const { api } = apiWith();
      runningPod(api);
      budget(api, { status: { ...status } });
      const reply = evict(api);
      expect(reply.kind === 'refused' && reply.status).toStrictEqual({
        code: 429,
        reason: 'TooManyRequests',
        message: "Cannot evict pod as it would violate the pod's disruption budget.",
        details: { causes: [{ reason: 'DisruptionBudget', message }] },
      });
    },
  );

  it('asks to come back in ten seconds while the budget has not seen its own change', () => {
    const { api } = apiWith();
    runningPod(api);
    budget(api, { status: { observedGeneration: 0 } });
    const reply = evict(api);
    expect(reply.kind === 'refused' && reply.status.details).toStrictEqual({
      retryAfterSeconds: 10,
      causes: [
        { reason: 'DisruptionBudget', message: 'The disruption budget web is still being processed by the server.' },
      ],
    });
  });

  it('debits the budget, marks the pod and deletes it gracefully, in this order', () => {
    const { api } = apiWith();
    runningPod(api);
    budget(api, {});
    const budgets = watched(api, { resource: resources.budgets, resourceVersion: api.version() });
    const pods = watched(api, { resource: resources.pods, resourceVersion: api.version() });
    expect(refusalOf(evict(api, { gracePeriodSeconds: 7 }))).toBe('ok');
    expect(read(api, resources.budgets, 'web')['status']).toMatchObject({
      disruptionsAllowed: 0,
      disruptedPods: { 'web-0': '2026-10-13T20:00:00Z' },
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
    });
    const pod = read(api, resources.pods, 'web-0');
    expect(pod.metadata).toMatchObject({
      deletionTimestamp: '2026-10-13T20:00:07Z',
      deletionGracePeriodSeconds: 7,
    });
    expect(pod['status']).toMatchObject({
      conditions: [
        { type: 'Ready' },
        {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'EvictionByEvictionAPI',
          message: 'Eviction API: evicting',
        },
      ],
    });
    expect([budgets.events.length, pods.events.length]).toStrictEqual([1, 2]);
  });

  it('burns a disruption of a Ready pod before it sees that the UID is another', () => {
    const { api } = apiWith();
    const { metadata } = runningPod(api);
    budget(api, {});
    expect(refusalOf(evict(api, { uid: otherUid }))).toStrictEqual({
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on Pod "web-0": the UID in the precondition (${otherUid}) does not match the UID in record (${String(metadata.uid)}). The object might have been deleted and then recreated`,
    });
    expect(left(api)).toBe(0);
    expect(read(api, resources.pods, 'web-0')).toStrictEqual(runningPodAsStored(api));
  });

  it('answers a UID that is another as busy where the pod is not Ready under a healthy budget', () => {
    const { api } = apiWith();
    runningPod(api, { ready: false });
    budget(api, {});
    expect(refusalOf(evict(api, { uid: otherUid }))).toMatchObject({ code: 429, reason: 'TooManyRequests' });
    expect(left(api)).toBe(1);
  });

  it('accepts the eviction of a pod that is already ending, and leaves its end as it is', () => {
    const { api, timeline } = apiWith();
    runningPod(api);
    evict(api);
    budget(api, { status: short });
    timeline.advance(5000);
    const before = read(api, resources.pods, 'web-0');
    expect(refusalOf(evict(api))).toBe('ok');
    expect(read(api, resources.pods, 'web-0')).toStrictEqual(before);
  });

  it('keeps what somebody writes who hears of its steps', () => {
    const { api } = apiWith();
    runningPod(api);
    budget(api, {});
    let writes = 0;
    api.observe(() => {
      if (writes >= 4) return;
      writes += 1;
      const body = { metadata: { annotations: { [`write-${writes}`]: 'kept' } } };
      api.patch(
        { resource: resources.pods, namespace: 'default', name: 'web-0', patch: { type: 'merge', body } },
        'kubelet',
      );
    });
    expect(refusalOf(evict(api))).toBe('ok');
    const { metadata, status } = read(api, resources.pods, 'web-0');
    expect(Object.keys(metadata.annotations ?? {})).toHaveLength(4);
    expect(metadata.deletionTimestamp).toBeDefined();
    expect(recordOf(status)['conditions']).toHaveLength(2);
  });

  it('removes a pod without a node at once', () => {
    const { api } = apiWith();
    create(api, resources.pods, { metadata: { name: 'web-0', namespace: 'default' }, spec: { containers: [] } });
    expect(refusalOf(evict(api))).toBe('ok');
    expect(refusalOf(api.get({ resource: resources.pods, namespace: 'default', name: 'web-0' }))).toMatchObject({
      code: 404,
    });
  });

  it('changes nothing in a dry run, and asks the budget all the same', () => {
    const { api } = apiWith();
    runningPod(api);
    budget(api, {});
    const version = api.version();
    expect(refusalOf(evict(api, { dryRun: true }))).toBe('ok');
    expect(refusalOf(evict(api, { dryRun: true }))).toBe('ok');
    expect(api.version()).toBe(version);
    setStatus(api, resources.budgets, read(api, resources.budgets, 'web'), { observedGeneration: 1, ...short });
    expect(refusalOf(evict(api, { dryRun: true }))).toMatchObject({ code: 429 });
  });

  it('refuses in a namespace that is ending, before it looks at the pod', () => {
    const { api } = apiWith();
    create(api, resources.namespaces, { metadata: { name: 'shop' } });
    create(api, resources.pods, {
      metadata: { name: 'kept', namespace: 'shop', finalizers: ['example.com/keep'] },
      spec: { nodeName: 'worker-1', containers: [] },
    });
    api.delete({ resource: resources.namespaces, name: 'shop' }, 'test');
    const reply = evict(api, { namespace: 'shop', name: 'kept' });
    expect(refusalOf(reply)).toMatchObject({ code: 403, reason: 'Forbidden' });
    expect(reply.kind === 'refused' && reply.status.details?.causes).toMatchObject([
      { reason: 'NamespaceTerminating' },
    ]);
  });

  it('says not found of the pod, or of the namespace', () => {
    const { api } = apiWith();
    expect(refusalOf(evict(api))).toMatchObject({ code: 404, message: 'pods "web-0" not found' });
    expect(refusalOf(evict(api, { namespace: 'nowhere' }))).toMatchObject({
      message: 'namespaces "nowhere" not found',
    });
  });
});

/** The pod has lost nothing but what a person would not miss: it is not marked and not ending. */
function runningPodAsStored(api: SimulatedApi): unknown {
  const pod = read(api, resources.pods, 'web-0');
  expect(pod.metadata.deletionTimestamp).toBeUndefined();
  expect(recordOf(pod['status'])['conditions']).toStrictEqual([{ type: 'Ready', status: 'True' }]);
  return pod;
}
