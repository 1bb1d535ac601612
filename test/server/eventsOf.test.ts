import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/gates/finding.js';
import type { JournalRecord } from '../../src/journal/entry.js';
import type { Plan, PlannedNode } from '../../src/run/plan.js';
import { envelopeOf } from '../../src/server/notify/cloudEvent.js';
import { eventsOf } from '../../src/server/notify/eventsOf.js';
import { notificationSink } from '../../src/server/notify/notificationSink.js';
import { planReady } from '../../src/server/notify/planReady.js';
import { runState } from '../run/runFixtures.js';
import { entry, runStarted, startedAt } from './fixtures.js';

const run = 'monthly-2026-11';
const window = { opensAt: '2026-11-10T22:00:00.000Z', closesAt: '2026-11-11T04:00:00.000Z' };

describe('what webhooks are told of an entry', () => {
  it('is that the window has opened, when a run begins in one', () => {
    const made = entry({ ...runStarted, change: 'CHG-1', planHash: 'abc' });
    expect(eventsOf(made, undefined)).toEqual([
      {
        type: 'window.opened',
        id: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        time: made.time,
        subject: run,
        data: {
          ...{ run, playbook: 'monthly', rehearsal: false, window, nodes: 2, planHash: 'abc' },
          ...{ requester: 'anna@bank.example', change: 'CHG-1' },
        },
      },
    ]);
  });

  it('is no opening where the run was begun outside of a window, or there are none', () => {
    expect(eventsOf(entry({ ...runStarted, window: {} }), undefined)).toEqual([]);
    expect(eventsOf(entry({ ...runStarted, window: { opensAt: window.opensAt } }), undefined)).toEqual([]);
  });

  it('is an opening with the same id from the actor that takes the run over, and none where it is known', () => {
    const resumed: JournalRecord = { ...runStarted, type: 'run.resumed' };
    const [first] = eventsOf(entry(runStarted), undefined);
    const [again] = eventsOf(entry(resumed), undefined);
    expect(again?.id).toBe(first?.id);
    expect(eventsOf(entry(resumed), runState({}, { window }))).toEqual([]);
    const [next] = eventsOf(
      entry({ ...resumed, window: { opensAt: '2026-12-08T22:00:00.000Z', closesAt: '2026-12-09T04:00:00.000Z' } }),
      runState({}, { window }),
    );
    expect(next?.type).toBe('window.opened');
    expect(next?.id).not.toBe(first?.id);
  });

  it('is that a turn starts and how it ends, with what a failed one left behind', () => {
    const state = runState({ 'node-1': 'Draining' });
    const of = { run, playbook: 'monthly', rehearsal: false, node: 'node-1' };
    const started = entry({ type: 'turn.started', node: 'node-1', attempt: 2 });
    expect(eventsOf(started, state)).toEqual([
      {
        type: 'turn.started',
        id: started.hash,
        time: started.time,
        subject: `${run}/node-1`,
        data: { ...of, attempt: 2 },
      },
    ]);
    expect(
      eventsOf(entry({ type: 'turn.finished', node: 'node-1', phase: 'Deferred', message: 'later' }), state),
    ).toMatchObject([{ type: 'turn.finished', data: { ...of, phase: 'Deferred', message: 'later' } }]);
    const failure = {
      ...{ code: 'job-failed', phase: 'Updating', node: 'cordoned', host: 'touched', who: 'whoever' },
      next: ['turnus retry monthly-2026-11 node-1'],
    };
    const failed = entry({ type: 'turn.finished', node: 'node-1', phase: 'Failed', message: 'broken', failure });
    expect(eventsOf(failed, state)).toEqual([
      {
        ...{ type: 'turn.failed', id: failed.hash, time: failed.time, subject: `${run}/node-1` },
        data: {
          ...{ ...of, phase: 'Failed', message: 'broken' },
          failure: {
            ...{ code: 'job-failed', step: 'Updating', node: 'cordoned', host: 'touched', who: 'whoever' },
            next: ['turnus retry monthly-2026-11 node-1'],
          },
        },
      },
    ]);
  });

  it('is that the window has closed, with what is left', () => {
    const record: JournalRecord = {
      ...{ type: 'window.closed', message: 'no time', left: ['node-2'], opensAt: '2026-12-08T22:00:00.000Z' },
    };
    expect(eventsOf(entry(record), undefined)).toMatchObject([
      { type: 'window.closed', subject: run, data: { run, left: ['node-2'], message: 'no time' } },
    ]);
  });

  it('is that the run has finished, with a summary, only where it has', () => {
    const state = runState({
      'node-1': 'Done',
      'node-2': { phase: 'Failed', message: 'broken: token=abcdefgh' },
      'node-3': { phase: 'Blocked', message: 'budget' },
      'node-4': 'Deferred',
    });
    const counts = { total: 4, done: 1, failed: 1, blocked: 2, left: 0 };
    const finished = (phase: string) => entry({ type: 'run.finished', phase, counts, stop: 'failures' });
    expect(eventsOf(finished('Failed'), state)).toMatchObject([
      {
        type: 'run.finished',
        data: {
          ...{ run, playbook: 'monthly', phase: 'Failed', counts, stop: 'failures' },
          failed: [{ node: 'node-2', message: 'broken: token=[redacted]' }],
          blocked: [{ node: 'node-3', message: 'budget' }, { node: 'node-4' }],
          skipped: [],
        },
      },
    ]);
    for (const phase of ['AwaitingWindow', 'Paused', 'Running']) expect(eventsOf(finished(phase), state)).toEqual([]);
    for (const phase of ['Completed', 'Aborted']) expect(eventsOf(finished(phase), state)).toHaveLength(1);
  });

  it('is the end of the run that another one takes the place of', () => {
    const record: JournalRecord = { type: 'run.superseded', superseded: 'monthly-2026-10' };
    expect(eventsOf(entry(record), runState({}))).toMatchObject([
      {
        ...{ type: 'run.finished', subject: 'monthly-2026-10' },
        data: { run: 'monthly-2026-10', playbook: 'monthly', phase: 'Superseded', supersededBy: run },
      },
    ]);
  });

  it('is nothing of what is not for them', () => {
    for (const type of ['gate.checked', 'pod.evicting', 'node.cordoned', 'job.finished', 'runs.deleting'] as const) {
      expect(eventsOf(entry({ type, node: 'node-1' }), undefined)).toEqual([]);
    }
  });

  it('never fails, whatever the evidence, and can always be written', () => {
    const types = ['run.started', 'turn.finished', 'window.closed', 'run.finished', 'run.superseded'] as const;
    const names = ['window', 'phase', 'message', 'left', 'failure', 'counts', 'superseded', 'order'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.dictionary(fc.constantFrom(...names), fc.jsonValue()),
        (type, evidence) => {
          for (const event of eventsOf(entry({ type, ...evidence }), undefined)) envelopeOf(event, 'uid');
        },
      ),
    );
  });

  it('is told by the sink, with the run as it is known', async () => {
    const told: string[] = [];
    const sink = notificationSink(
      { notify: ({ type, data }) => told.push(`${type} ${String(data['playbook'])}`) },
      () => runState({ 'node-1': 'Pending' }),
    );
    await sink.write(entry({ type: 'turn.started', node: 'node-1', attempt: 1 }));
    await sink.write(entry({ type: 'pod.gone', node: 'node-1' }));
    expect(told).toEqual(['turn.started monthly']);
  });
});

describe('a plan that is ready', () => {
  const finding = (code: Finding['code'], severity: Finding['severity'], more: Partial<Finding> = {}): Finding => ({
    ...{ code, severity, objects: ['PodDisruptionBudget shop/web'], message: `${code} says`, hint: 'Change it.' },
    ...more,
  });
  const node = (name: string, findings: readonly Finding[]): PlannedNode => ({
    ...{ node: name, zone: undefined, lastTurn: undefined, estimateMs: 0, evictions: 0, findings, overlaps: [] },
    ...{ expectedMs: 600_000, verdict: findings.some(({ severity }) => severity === 'block') ? 'blocked' : 'goes' },
  });
  const planOf = (nodes: readonly PlannedNode[]): Plan => ({
    ...{ run, playbook: 'monthly', clusterUid: 'uid', hash: '0f'.repeat(32), canaries: 1 },
    ...{ target: { server: 'https://x', context: 'x', user: 'x' }, order: nodes.map((each) => each.node), nodes },
    expectedMs: 1_200_000,
  });
  const opening = { opensAt: startedAt + 3_600_000, closesAt: startedAt + 7_200_000 };

  it('is told with its findings, those that block first, and those of the whole cluster once', () => {
    const api = finding('api-not-ready', 'caution');
    const nodes = [
      node('node-1', [api, finding('no-capacity', 'info', { node: 'node-1' })]),
      node('node-2', [api, finding('budget-never', 'block', { node: 'node-2' })]),
    ];
    const event = planReady({ plan: planOf(nodes), window: opening, now: startedAt });
    expect(event).toMatchObject({
      ...{ type: 'plan.ready', subject: run, time: new Date(startedAt).toISOString() },
      data: {
        ...{ run, playbook: 'monthly', nodes: { total: 2, go: 1, blocked: 1, done: 0 }, expectedSeconds: 1200 },
        blocked: [{ node: 'node-2', codes: ['budget-never'] }],
        findings: [{ code: 'budget-never', node: 'node-2' }, { code: 'api-not-ready' }, { code: 'no-capacity' }],
        findingsLeftOut: 0,
      },
    });
    expect(planReady({ plan: planOf(nodes), window: opening, now: startedAt + 5000 }).id).toBe(event.id);
    const other = { ...opening, opensAt: opening.opensAt + 1 };
    expect(planReady({ plan: planOf(nodes), window: other, now: startedAt }).id).not.toBe(event.id);
  });

  it('stays small on a large cluster', () => {
    const nodes = Array.from({ length: 1000 }, (_, place) => {
      const name = `node-${String(place)}`;
      const message = `${name} ${'x'.repeat(2000)}`;
      return node(name, [finding('budget-never', 'block', { node: name, message })]);
    });
    const event = planReady({ plan: planOf(nodes), window: opening, now: startedAt });
    expect(envelopeOf(event, 'uid').length).toBeLessThan(300_000);
    const { findings, findingsLeftOut } = event.data as { findings: unknown[]; findingsLeftOut: number };
    expect(findings.length).toBeGreaterThan(50);
    expect(findings.length + findingsLeftOut).toBe(1000);
  });
});
