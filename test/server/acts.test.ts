import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { acquireLease, defaultLeaseDurations } from '../../src/cluster/lease.js';
import { resources } from '../../src/cluster/resources.js';
import type { RunStop } from '../../src/run/runEnd.js';
import type { RunSpec, RunState } from '../../src/run/state.js';
import { leaseName } from '../../src/run/underLease.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { systemTimeline } from '../../src/sandbox/systemTimeline.js';
import type { ActEnd } from '../../src/server/acts/actFor.js';
import { awaitLease } from '../../src/server/acts/awaitLease.js';
import { eitherSignal } from '../../src/server/eitherSignal.js';
import { endedAttempt } from '../../src/server/acts/endedAttempt.js';
import { hindranceOf } from '../../src/server/acts/hindrance.js';
import { lastAnswer, startedBy } from '../../src/server/acts/lastAnswer.js';
import { nextDeed, type Because, type ServedRun } from '../../src/server/acts/nextDeed.js';
import { rememberAttempt } from '../../src/server/acts/rest.js';
import { systemClock } from '../../src/systemClock.js';
import type { Clock } from '../../src/time/clock.js';
import { runState } from '../run/runFixtures.js';
import { apiWith, create, read } from '../sandbox/api/apiFixture.js';
import { served, servedRun as run, trigger } from './servedFixtures.js';

const now = Date.parse('2026-11-10T23:00:00Z');
const window: Because = { kind: 'window', period: '2026-11' };

function ran(stop: RunStop, change: { desired?: RunSpec['desired']; phase?: string; message?: string } = {}): ActEnd {
  const { desired = { state: 'Run' }, phase = 'Running', message } = change;
  const state: RunState = runState({ 'node-1': 'Pending' }, { phase, ...(message === undefined ? {} : { message }) });
  return { kind: 'ran', stop, state: { ...state, spec: { ...state.spec, desired } } };
}

describe('a run that was paused while it was acted on', () => {
  const paused = ran({ kind: 'paused' }, { desired: { state: 'Pause', by: 'anna' } });
  const ended = endedAttempt({ playbook: served({}), because: window, end: paused, now });
  const attempts = rememberAttempt([], ended);

  it('is left alone, and goes on in the same window once it is resumed', () => {
    const still = run({ phase: 'Paused', desired: 'Pause', asked: '["Pause",[]]' });
    expect(nextDeed([served({ runs: [still], attempts })], now + 1).kind).toBe('wait');
    const resumed = run({ phase: 'Paused' });
    expect(nextDeed([served({ runs: [resumed], attempts })], now + 1)).toMatchObject({ kind: 'act', because: window });
  });
});

describe('an act that found another actor at work', () => {
  it('takes the place of one that failed, and rests for the lease alone', () => {
    const of = { playbook: served({}), because: window, now };
    const failed = rememberAttempt([], endedAttempt({ ...of, end: { kind: 'failed', message: 'no answer' } }));
    expect(hindranceOf(served({ attempts: failed }), { now, isAtWork: false }).kind).toBe('failed');
    const attempts = rememberAttempt(failed, endedAttempt({ ...of, end: { kind: 'other', message: 'ben' } }));
    expect(hindranceOf(served({ attempts }), { now, isAtWork: false })).toEqual({ kind: 'held' });
    expect(nextDeed([served({ attempts })], now)).toMatchObject({ kind: 'act', because: window });
  });
});

describe('a request that came when the act was over', () => {
  it('is not taken for one that was heard of', () => {
    const ended = endedAttempt({ playbook: served({}), because: window, end: ran({ kind: 'failures' }), now });
    const asked = run({ phase: 'Failed', openRequests: 1, asked: '["Run",["r1"]]' });
    const attempts = rememberAttempt([], ended);
    expect(attempts).toHaveLength(1);
    expect(nextDeed([served({ runs: [asked], attempts })], now).kind).toBe('act');
  });
});

describe('the answer to a trigger', () => {
  it.each<{ title: string; end: ActEnd; runs?: ServedRun[]; answer: RegExp | undefined; isLast?: boolean }>([
    { title: 'is no', end: { kind: 'refused', message: 'frozen' }, answer: /^refused: frozen$/, isLast: true },
    { title: 'is to wait', end: { kind: 'failed', message: 'no answer' }, answer: /^waits: no answer$/, isLast: false },
    { title: 'is whom it waits for', end: { kind: 'other', message: 'ben' }, answer: /^waits: ben$/, isLast: false },
    {
      title: 'is how the run stands',
      end: ran({ kind: 'finished' }, { phase: 'AwaitingWindow', message: '1 node is left' }),
      answer: /^ended: run monthly-2026-11 is AwaitingWindow: 1 node is left$/,
      isLast: true,
    },
    { title: 'is nothing where another goes on', end: ran({ kind: 'hand-over' }), answer: undefined },
    { title: 'is nothing where the lease was lost', end: ran({ kind: 'other-actor' }), answer: undefined },
    {
      title: 'is no where the run was paused before',
      end: ran({ kind: 'paused' }, { phase: 'Paused' }),
      runs: [run({ phase: 'Paused', desired: 'Pause' })],
      answer: /^refused: run monthly-2026-11 is paused; .*turnus resume/,
      isLast: true,
    },
    {
      title: 'is how it stands where it was paused meanwhile',
      end: ran({ kind: 'paused' }, { phase: 'Paused' }),
      answer: /^ended: run monthly-2026-11 is Paused$/,
      isLast: true,
    },
  ])('$title', ({ end, runs = [], answer, isLast }) => {
    const last = lastAnswer(runs, end);
    if (answer === undefined) expect(last).toBeUndefined();
    else expect(last).toEqual({ text: expect.stringMatching(answer) as string, isLast });
  });
});

describe('the run that a trigger has started', () => {
  const answered = { id: trigger.id, time: '', answer: 'started: run monthly-2026-11', run: 'monthly-2026-11' };

  it('is known to every later act for it, and to none for something else', () => {
    expect(startedBy(trigger.id, { answered, runs: [] })).toBe('monthly-2026-11');
    expect(startedBy('t2', { answered, runs: [] })).toBeUndefined();
    expect(startedBy(trigger.id, { answered: undefined, runs: [] })).toBeUndefined();
  });

  it('is told by the run itself where no answer does', () => {
    const runs = [run({ name: 'monthly-2026-10', trigger: 't0' }), run({ trigger: trigger.id })];
    expect(startedBy(trigger.id, { answered: undefined, runs })).toBe('monthly-2026-11');
    expect(startedBy(trigger.id, { answered: { id: trigger.id, time: '', answer: 'waits: x' }, runs })).toBe(
      'monthly-2026-11',
    );
    expect(startedBy('t2', { answered, runs })).toBeUndefined();
  });

  it('is the one that goes on where a month has ended under it', () => {
    const of = { trigger: trigger.id };
    const first = run({ ...of, name: 'monthly-2026-10', phase: 'Superseded' });
    const runs = [first, run({ ...of, phase: 'AwaitingWindow' })];
    expect(startedBy(trigger.id, { answered: undefined, runs })).toBe('monthly-2026-11');
    expect(startedBy(trigger.id, { answered: { ...answered, run: first.name }, runs })).toBe('monthly-2026-11');
    const over = runs.map((each) => ({ ...each, phase: 'Superseded' }));
    expect(startedBy(trigger.id, { answered: undefined, runs: over })).toBe('monthly-2026-11');
    expect(startedBy(trigger.id, { answered: { ...answered, run: first.name }, runs: over })).toBe('monthly-2026-11');
    const second = [run({ ...of, name: 'monthly-2026-11-x2' }), run({ ...of, name: 'monthly-2026-11-x10' })];
    expect(startedBy(trigger.id, { answered: undefined, runs: second })).toBe('monthly-2026-11-x10');
    expect(startedBy(trigger.id, { answered: { ...answered, run: first.name }, runs: [] })).toBe(first.name);
  });
});

describe('the end of another actor', () => {
  /** A minute takes some tenths of a second. */
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(ms / 200, signal),
    deadline: (ms, parent) => systemClock.deadline(ms / 200, parent),
  };
  const namespace = 'turnus-system';

  it('is waited for by looking at its lease, which is not held afterwards', async () => {
    const { api } = apiWith({ timeline: systemTimeline });
    create(api, resources.namespaces, { metadata: { name: namespace } });
    const cluster = simulatedPort({ api, caller: 'turnus' });
    const { signal } = new AbortController();
    const place = { cluster, clock, namespace, signal };
    const durations = defaultLeaseDurations;
    const taken = await acquireLease({ ...place, name: leaseName, identity: 'ben', durations, wait: false });
    if (taken.kind !== 'held') throw new Error(taken.kind);
    expect(await awaitLease({ ...place, identity: 'serve' }, signal)).toBe('held');
    const waiting = awaitLease({ ...place, identity: 'serve' }, signal);
    await taken.lease.release();
    expect(await waiting).toBe('free');
    expect(read(api, resources.leases, leaseName, namespace)['spec']).toMatchObject({ holderIdentity: '' });
  });
});

describe('a signal of two', () => {
  it('aborts with the first of them, and leaves nothing behind', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const listening = () => [one, other].map(({ signal }) => getEventListeners(signal, 'abort').length);
    const cleared = eitherSignal(one.signal, other.signal);
    cleared.clear();
    const kept = eitherSignal(one.signal, other.signal);
    expect(listening()).toEqual([1, 1]);
    const reason = new Error('the end');
    other.abort(reason);
    expect(kept.signal.reason).toBe(reason);
    expect(cleared.signal.aborted).toBe(false);
    expect(listening()).toEqual([0, 0]);
    for (const late of [eitherSignal(one.signal, other.signal), eitherSignal(other.signal, one.signal)]) {
      expect(late.signal.reason).toBe(reason);
      expect(listening()).toEqual([0, 0]);
    }
  });
});
