import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CacheHealth } from '../../src/cluster/cacheHealth.js';
import type { ClusterPort, EvictionAnswer } from '../../src/cluster/clusterPort.js';
import type { RunState, TurnStatus } from '../../src/run/state.js';
import { boundedLabel } from '../../src/server/metrics/boundedLabel.js';
import type { PlaybookSight } from '../../src/server/metrics/playbookObservation.js';
import { runState } from '../run/runFixtures.js';
import { entry, metricsAt, runStarted, startedAt, valueOf } from './fixtures.js';

const sight: PlaybookSight = { playbook: 'monthly', isValid: true, isReady: true, windows: [], coverage: undefined };
const at = (seconds: number) => new Date(startedAt + seconds * 1000).toISOString();

describe('what is counted from journals', () => {
  it('is runs and turns by how they ended, of the playbook that the first entry names', async () => {
    const { metrics } = metricsAt();
    for (const each of [
      entry(runStarted),
      entry({ type: 'turn.started', node: 'node-1', attempt: 1 }),
      entry({ type: 'turn.finished', node: 'node-1', phase: 'Done' }),
      entry({ type: 'turn.started', node: 'node-2', attempt: 1 }),
      entry({ type: 'turn.finished', node: 'node-2', phase: 'Failed', failure: { code: 'job-failed' } }),
      entry({ type: 'run.finished', phase: 'Failed', counts: {}, stop: 'failures' }),
      entry({ ...runStarted, type: 'run.resumed', playbook: 'weekly' }, 'weekly-2026-11'),
    ]) {
      await metrics.sink.write(each);
    }
    const text = await metrics.text();
    for (const [series, value] of [
      ['turnus_runs_begun_total{playbook="monthly",how="started"}', 1],
      ['turnus_runs_begun_total{playbook="weekly",how="resumed"}', 1],
      ['turnus_turns_started_total{playbook="monthly"}', 2],
      ['turnus_turns_finished_total{playbook="monthly",phase="Done"}', 1],
      ['turnus_turns_finished_total{playbook="monthly",phase="Failed"}', 1],
      ['turnus_turn_failures_total{playbook="monthly",code="job-failed"}', 1],
      ['turnus_runs_left_total{playbook="monthly",phase="Failed"}', 1],
    ] as const) {
      expect({ series, value: valueOf(text, series) }).toEqual({ series, value });
    }
  });

  it('is the time that drains waited, by reason and by budget', async () => {
    const { metrics } = metricsAt();
    const waited = [
      { for: 'budget-not-now', ms: 2500 },
      { for: 'budget-not-now', budget: 'shop/web', ms: 2000 },
      { for: 'something-new', ms: 100 },
      '[cut: 3 more, the entry is too large]',
    ];
    await metrics.sink.write(entry(runStarted));
    await metrics.sink.write(entry({ type: 'drain.finished', node: 'node-1', result: 'empty', waited }));
    await metrics.sink.write(entry({ type: 'drain.finished', node: 'node-2', result: 'empty', waited }));
    await metrics.sink.write(entry({ type: 'drain.finished', node: 'node-3', result: 'empty' }));
    const text = await metrics.text();
    expect(valueOf(text, 'turnus_drain_wait_seconds_total{playbook="monthly",reason="budget-not-now"}')).toBe(5);
    expect(valueOf(text, 'turnus_budget_wait_seconds_total{playbook="monthly",namespace="shop",budget="web"}')).toBe(4);
    expect(text).not.toContain('something-new');
  });

  it('names a bounded number of budgets', async () => {
    const { metrics } = metricsAt();
    await metrics.sink.write(entry(runStarted));
    const waited = Array.from({ length: 250 }, (_, place) => ({
      for: 'retry',
      budget: `shop/b${String(place)}`,
      ms: 1000,
    }));
    await metrics.sink.write(entry({ type: 'drain.finished', node: 'node-1', waited }));
    const text = await metrics.text();
    expect(text.split('\n').filter((line) => line.startsWith('turnus_budget_wait'))).toHaveLength(201);
    const other = 'turnus_budget_wait_seconds_total{playbook="monthly",namespace="other",budget="other"}';
    expect(valueOf(text, other)).toBe(50);
  });
});

describe('a run in work', () => {
  const steps = (...ended: readonly [string, number, number | undefined][]): TurnStatus['steps'] =>
    ended.map(([phase, from, until]) => ({
      phase,
      startedAt: at(from),
      ...(until === undefined ? {} : { finishedAt: at(until) }),
    }));
  const stepCount = (text: string, phase: string) =>
    valueOf(text, `turnus_step_duration_seconds_count{playbook="monthly",phase="${phase}"}`);

  it('is told with its turns by phase, and 0 once it is left', async () => {
    const { metrics } = metricsAt();
    metrics.observeRun(runState({ 'node-1': 'Done', 'node-2': 'Draining', 'node-3': 'Pending' }), 'monthly');
    const working = await metrics.text();
    expect(valueOf(working, 'turnus_running{playbook="monthly"}')).toBe(1);
    expect(valueOf(working, 'turnus_run_turns{playbook="monthly",phase="Draining"}')).toBe(1);
    expect(valueOf(working, 'turnus_run_turns{playbook="monthly",phase="Failed"}')).toBe(0);
    metrics.leaveRun('monthly');
    const left = await metrics.text();
    expect(valueOf(left, 'turnus_running{playbook="monthly"}')).toBe(0);
    expect(valueOf(left, 'turnus_run_turns{playbook="monthly",phase="Draining"}')).toBe(0);
  });

  it.each([
    ['Paused', { 'node-1': 'Updating' }, 1],
    ['Paused', { 'node-1': 'Done' }, 0],
    ['Completed', { 'node-1': 'Done' }, 0],
    ['AwaitingWindow', { 'node-1': 'Pending' }, 0],
  ] as const)('in phase %s with %o counts as %i in work', async (phase, turns, value) => {
    const { metrics } = metricsAt();
    metrics.observeRun(runState(turns, { phase }), 'monthly');
    expect(valueOf(await metrics.text(), 'turnus_running{playbook="monthly"}')).toBe(value);
  });

  it('has each step counted once, and none that ended before it was taken over', async () => {
    const { metrics } = metricsAt();
    const state = (status: TurnStatus) => runState({ 'node-1': status });
    const before = steps(['Preparing', 0, 5], ['Draining', 5, undefined]);
    metrics.observeRun(state({ phase: 'Draining', steps: before }), 'monthly');
    // The actor that was at the drain has died: its step never ends.
    const goesOn = steps(['Preparing', 0, 5], ['Draining', 5, undefined], ['Draining', 500, undefined]);
    metrics.observeRun(state({ phase: 'Draining', steps: goesOn }), 'monthly');
    const updating = steps(
      ['Preparing', 0, 5],
      ['Draining', 5, undefined],
      ['Draining', 500, 520],
      ['Updating', 520, undefined],
    );
    for (let time = 0; time < 3; time += 1)
      metrics.observeRun(state({ phase: 'Updating', steps: updating }), 'monthly');
    const text = await metrics.text();
    expect(stepCount(text, 'Preparing') ?? 0).toBe(0);
    expect(stepCount(text, 'Updating') ?? 0).toBe(0);
    expect(stepCount(text, 'Draining')).toBe(1);
    expect(valueOf(text, 'turnus_step_duration_seconds_sum{playbook="monthly",phase="Draining"}')).toBe(20);
  });

  it('has each turn counted once, with the work on it', async () => {
    const { metrics } = metricsAt();
    const whole = steps(['Preparing', 0, 5], ['Checking', 5, 10], ['Draining', 10, 100]);
    metrics.observeRun(runState({ 'node-1': { phase: 'Draining', steps: whole }, 'node-2': 'Pending' }), 'monthly');
    const done: TurnStatus = { phase: 'Done', steps: whole, finishedAt: at(100) };
    for (let time = 0; time < 3; time += 1) {
      metrics.observeRun(runState({ 'node-1': done, 'node-2': 'Pending' }), 'monthly');
    }
    const text = await metrics.text();
    expect(valueOf(text, 'turnus_turn_duration_seconds_count{playbook="monthly"}')).toBe(1);
    expect(valueOf(text, 'turnus_turn_duration_seconds_sum{playbook="monthly"}')).toBe(95);
  });

  it('tells for how long it waits for the same thing', async () => {
    const { metrics, time } = metricsAt();
    const waiting = (seconds: number): TurnStatus => ({
      phase: 'Draining',
      waitingFor: { what: 'x', since: at(seconds) },
    });
    metrics.observeRun(runState({ 'node-1': waiting(10), 'node-2': waiting(4) }), 'monthly');
    time.now = startedAt + 64_000;
    expect(valueOf(await metrics.text(), 'turnus_oldest_wait_seconds{playbook="monthly"}')).toBe(60);
    metrics.observeRun(runState({ 'node-1': { phase: 'Updating' } }), 'monthly');
    expect(valueOf(await metrics.text(), 'turnus_oldest_wait_seconds{playbook="monthly"}')).toBe(0);
  });

  it('counts the same steps however often the state is shown on the way', async () => {
    const phases = ['Preparing', 'Checking', 'Cordoning', 'Draining'] as const;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 12 }), async (repeats) => {
        const { metrics } = metricsAt();
        metrics.observeRun(runState({ 'node-1': 'Pending' }), 'monthly');
        for (let ended = 0; ended <= phases.length; ended += 1) {
          const made = steps(
            ...phases
              .slice(0, ended)
              .map((phase, place) => [phase, place, place + 1] as const)
              .map(([phase, from, until]): [string, number, number] => [phase, from, until]),
          );
          const shown: RunState = runState({ 'node-1': { phase: phases[ended] ?? 'Updating', steps: made } });
          for (let time = 0; time <= (repeats[ended] ?? 0); time += 1) metrics.observeRun(shown, 'monthly');
        }
        const text = await metrics.text();
        for (const phase of phases) expect(stepCount(text, phase)).toBe(1);
      }),
      { numRuns: 25 },
    );
  });
});

describe('a playbook', () => {
  it('has all series whose labels are known from the beginning', async () => {
    const { metrics } = metricsAt();
    metrics.observePlaybook(sight);
    const text = await metrics.text();
    for (const series of [
      'turnus_running{playbook="monthly"}',
      'turnus_turns_finished_total{playbook="monthly",phase="Failed"}',
      'turnus_turn_failures_total{playbook="monthly",code="boot-not-proved"}',
      'turnus_runs_left_total{playbook="monthly",phase="Completed"}',
      'turnus_drain_wait_seconds_total{playbook="monthly",reason="volumes"}',
      'turnus_step_duration_seconds_count{playbook="monthly",phase="Rebooting"}',
      'turnus_turn_duration_seconds_count{playbook="monthly"}',
      'turnus_notifications_total{playbook="monthly",result="expired"}',
      'turnus_evictions_total{answer="denied"}',
      'turnus_window_left_seconds{playbook="monthly"}',
      'turnus_leader',
      'turnus_acting',
      'turnus_watch_lag_seconds',
    ]) {
      expect({ series, value: valueOf(text, series) }).toEqual({ series, value: 0 });
    }
  });

  it('keeps what was counted when it is seen again', async () => {
    const { metrics } = metricsAt();
    metrics.observePlaybook(sight);
    await metrics.sink.write(entry(runStarted));
    metrics.observePlaybook({ ...sight, isValid: false, isReady: false });
    const text = await metrics.text();
    expect(valueOf(text, 'turnus_runs_begun_total{playbook="monthly",how="started"}')).toBe(1);
    expect(valueOf(text, 'turnus_playbook_valid{playbook="monthly"}')).toBe(0);
    expect(valueOf(text, 'turnus_playbook_ready{playbook="monthly"}')).toBe(0);
  });

  it('tells the time that is left of its window, and when the next one opens, as time passes', async () => {
    const { metrics, time } = metricsAt();
    const hour = 3_600_000;
    const windows = [
      { opensAt: startedAt + hour, closesAt: startedAt + 2 * hour },
      { opensAt: startedAt + 4 * hour, closesAt: undefined },
    ];
    metrics.observePlaybook({ ...sight, windows });
    const read = async (now: number) => {
      time.now = now;
      const text = await metrics.text();
      return [
        valueOf(text, 'turnus_window_left_seconds{playbook="monthly"}'),
        valueOf(text, 'turnus_next_window_opens_timestamp_seconds{playbook="monthly"}'),
      ];
    };
    const opens = (startedAt + hour) / 1000;
    expect(await read(startedAt)).toEqual([0, opens]);
    expect(await read(startedAt + hour)).toEqual([3600, opens + 3 * 3600]);
    expect(await read(startedAt + 2 * hour)).toEqual([0, opens + 3 * 3600]);
    expect(await read(startedAt + 5 * hour)).toEqual([Infinity, undefined]);
  });

  it('tells how its nodes are covered, as time passes', async () => {
    const { metrics, time } = metricsAt();
    const day = 86_400_000;
    const node = (name: string, createdAt: number, lastTurn?: number) => ({
      ...{ node: name, verdict: 'covered' as const, isAlarm: false, ageMs: 0, createdAt },
      lastTurn: lastTurn === undefined ? undefined : { at: lastTurn, run: 'monthly-2026-10', by: 'run' as const },
      dueAt: (lastTurn ?? createdAt) + 40 * day,
    });
    const nodes = [node('node-1', startedAt - 90 * day, startedAt - 39 * day), node('node-2', startedAt - 10 * day)];
    metrics.observePlaybook({ ...sight, coverage: { coverageMs: 40 * day, nodes: nodes as never } });
    const read = async () => {
      const text = await metrics.text();
      return ['nodes', 'overdue_nodes', 'age_seconds', 'limit_seconds'].map((what) =>
        valueOf(text, `turnus_coverage_${what}{playbook="monthly"}`),
      );
    };
    expect(await read()).toEqual([2, 0, 39 * 86_400, 40 * 86_400]);
    time.now = startedAt + 2 * day;
    expect(await read()).toEqual([2, 1, 41 * 86_400, 40 * 86_400]);
  });

  it('leaves nothing standing once it is gone', async () => {
    const { metrics } = metricsAt();
    metrics.observePlaybook({ ...sight, coverage: { coverageMs: 1000, nodes: [] } });
    metrics.observeRun(runState({ 'node-1': 'Done' }), 'monthly');
    await metrics.text();
    metrics.leaveRun('monthly');
    metrics.forgetPlaybook('monthly');
    const gauges = metrics
      .described()
      .filter(({ type, name }) => type === 'gauge' && name !== 'turnus_notifications_waiting');
    const text = await metrics.text();
    for (const { name } of gauges) expect(text).not.toContain(`${name}{playbook="monthly"`);
    expect(text).toContain('turnus_turns_started_total{playbook="monthly"} 0');
  });
});

describe('the cluster', () => {
  it('is told by requests, lag, and the flags of this process', async () => {
    const { metrics, time } = metricsAt();
    let health: CacheHealth = { kind: 'stale', resource: 'nodeturns', since: startedAt, message: 'refused' };
    const ownIsGone = metrics.watch({ health: () => health });
    const runs: CacheHealth = { kind: 'stale', resource: 'pods', since: startedAt + 20_000, message: 'refused' };
    const cacheIsGone = metrics.watch({ health: () => runs });
    metrics.setLeader(true);
    metrics.setActing(true);
    metrics.observeRequest({ method: 'GET', status: 200 });
    metrics.observeRequest({ method: 'GET', status: 200 });
    metrics.observeRequest({ method: 'PATCH', status: 'unreachable' });
    time.now = startedAt + 30_000;
    const text = await metrics.text();
    expect(valueOf(text, 'turnus_api_requests_total{method="GET",code="200"}')).toBe(2);
    expect(valueOf(text, 'turnus_api_requests_total{method="PATCH",code="unreachable"}')).toBe(1);
    expect(valueOf(text, 'turnus_watch_lag_seconds')).toBe(30);
    expect([valueOf(text, 'turnus_leader'), valueOf(text, 'turnus_acting')]).toEqual([1, 1]);
    health = { kind: 'current' };
    expect(valueOf(await metrics.text(), 'turnus_watch_lag_seconds')).toBe(10);
    cacheIsGone();
    expect(valueOf(await metrics.text(), 'turnus_watch_lag_seconds')).toBe(0);
    health = { kind: 'stale', resource: 'nodeturns', since: startedAt, message: 'refused' };
    ownIsGone();
    expect(valueOf(await metrics.text(), 'turnus_watch_lag_seconds')).toBe(0);
  });

  it('has its evictions counted by answer, and the rest of the port passed on', async () => {
    const { metrics } = metricsAt();
    const answers: EvictionAnswer[] = [
      { kind: 'accepted' },
      { kind: 'budget', budget: 'web', retryAfterMs: undefined, message: 'no' },
      { kind: 'accepted' },
    ];
    const evict = () => Promise.resolve(answers.shift() ?? { kind: 'gone' as const });
    const get = () => Promise.resolve({ kind: 'not-found' as const, message: 'no' });
    const notAsked = () => Promise.reject(new Error('not asked here'));
    const asked: ClusterPort = {
      target: { server: 'https://127.0.0.1:6443', context: 'test', user: 'anna' },
      get,
      evict,
      ...{ list: notAsked, discover: notAsked, readiness: notAsked, serverVersion: notAsked },
      ...{ create: notAsked, replace: notAsked, patch: notAsked, delete: notAsked },
      watch: () => {
        throw new Error('not asked here');
      },
      close: () => undefined,
    };
    const port = metrics.counted(asked);
    const { signal } = new AbortController();
    for (let time = 0; time < 4; time += 1) await port.evict({ namespace: 'shop', name: 'web-0', uid: 'u' }, signal);
    expect(
      await port.get({ resource: { group: '', version: 'v1', plural: 'pods', namespaced: true }, name: 'a' }, signal),
    ).toEqual({ kind: 'not-found', message: 'no' });
    const text = await metrics.text();
    const counts = ['accepted', 'budget', 'gone', 'denied'].map((answer) =>
      valueOf(text, `turnus_evictions_total{answer="${answer}"}`),
    );
    expect(counts).toEqual([2, 1, 1, 0]);
  });

  it('is not asked for more than this process uses', async () => {
    let cpuSeconds = 1.5;
    const { metrics } = metricsAt({ usage: () => ({ residentBytes: 42, cpuSeconds }) });
    await metrics.text();
    cpuSeconds = 2.5;
    const text = await metrics.text();
    expect(valueOf(text, 'process_cpu_seconds_total')).toBe(2.5);
    expect(valueOf(text, 'process_resident_memory_bytes')).toBe(42);
    expect(text).toContain('turnus_build_info{version="0.1.0",node_version="v20.20.2"} 1');
  });
});

it('two sets of metrics know nothing of each other', async () => {
  const [one, other] = [metricsAt().metrics, metricsAt().metrics];
  one.setLeader(true);
  expect(valueOf(await other.text(), 'turnus_leader')).toBe(0);
});

it('a label has a bounded number of values', () => {
  const label = boundedLabel(2);
  expect(['a', 'b', 'c', 'a', 'd'].map(label)).toEqual(['a', 'b', 'other', 'a', 'other']);
});
