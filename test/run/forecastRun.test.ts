import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wholeRun } from '../../src/run/expectedTime.js';
import { estimatedTurnMs, guessedMs, type TurnToEstimate } from '../../src/run/expectedTurn.js';
import { pastTurn, withHistory, type PastTurn } from '../../src/run/forecastRun.js';
import type { Plan, PlannedNode } from '../../src/run/plan.js';
import type { TurnStatus } from '../../src/run/state.js';
import { drainPolicy } from '../drain/clusterFixtures.js';

const minute = 60_000;

function planned(node: string, changes: Partial<PlannedNode> = {}): PlannedNode {
  const going = { verdict: 'goes', expectedMs: 5 * minute, basis: 'estimate' } as const;
  return {
    node,
    zone: undefined,
    estimateMs: 0,
    lastTurn: undefined,
    evictions: 1,
    findings: [],
    overlaps: [],
    ...going,
    ...changes,
  };
}

function plan(...nodes: PlannedNode[]): Plan {
  return {
    run: 'monthly-2026-11',
    playbook: 'monthly',
    clusterUid: 'uid',
    target: { server: 'https://api.example', context: 'prod', user: 'anna' },
    hash: 'ab12',
    canaries: 1,
    order: nodes.map(({ node }) => node),
    nodes,
    ...wholeRun(nodes),
  };
}

/** Turns of one node, the first the oldest, in minutes. */
function turns(node: string, ...minutes: number[]): PastTurn[] {
  return minutes.map((length, month) => ({ node, endedAt: month, tookMs: length * minute }));
}

describe('the expected time of a run', () => {
  it.each<{ title: string; past: PastTurn[]; expected: number[]; basis: ('history' | 'estimate')[] }>([
    { title: 'stays a guess without former turns', past: [], expected: [5, 5], basis: ['estimate', 'estimate'] },
    {
      title: 'is the median of what the node took before',
      past: [...turns('n1', 8, 60, 10), ...turns('n2', 3)],
      expected: [10, 3],
      basis: ['history', 'history'],
    },
    {
      title: 'is the mean of the two in the middle where their number is even',
      past: [...turns('n1', 8, 10), ...turns('n2', 3)],
      expected: [9, 3],
      basis: ['history', 'history'],
    },
    {
      title: 'looks at the last five turns alone',
      past: [...turns('n1', 90, 90, 90, 90, 4, 4, 4, 4, 4), ...turns('n2', 3)],
      expected: [4, 3],
      basis: ['history', 'history'],
    },
    {
      title: 'is that of other nodes, by their last turns, for a node that had none',
      past: [...turns('n1', 100, 12), ...turns('n8', 20), ...turns('n9', 100, 30)],
      expected: [56, 20],
      basis: ['history', 'history'],
    },
  ])('$title', ({ past, expected, basis }) => {
    const forecast = withHistory(plan(planned('n1'), planned('n2')), past);
    expect(forecast.nodes.map(({ expectedMs }) => expectedMs / minute)).toEqual(expected);
    expect(forecast.nodes.map((node) => node.basis)).toEqual(basis);
    expect(forecast.expectedMs).toBe(expected.reduce((sum, ms) => sum + ms * minute, 0));
    expect(forecast.basis).toBe(basis.includes('estimate') ? 'estimate' : 'history');
  });

  it('counts nothing for nodes that are blocked or done', () => {
    const none = { expectedMs: 0 } as const;
    const [blocked, done] = (['blocked', 'done'] as const).map((verdict) => {
      const { basis: _none, ...node } = planned(verdict, { verdict, ...none });
      return node;
    });
    if (blocked === undefined || done === undefined) throw new Error('two nodes');
    const forecast = withHistory(plan(blocked, done, planned('n1')), turns('blocked', 7));
    expect(forecast.nodes.map(({ expectedMs }) => expectedMs)).toEqual([0, 0, 7 * minute]);
    expect(forecast).toMatchObject({ expectedMs: 7 * minute, basis: 'history' });
    expect(withHistory(plan(blocked), turns('n1', 7))).toMatchObject({ expectedMs: 0 });
    expect(withHistory(plan(blocked), turns('n1', 7))).not.toHaveProperty('basis');
  });

  it('never gets shorter by a further turn that took as long as any before', () => {
    const length = fc.integer({ min: 1, max: 500 });
    fc.assert(
      fc.property(fc.array(length, { minLength: 1 }), fc.array(length), length, (own, others, more) => {
        const past = [...turns('n1', ...own), ...turns('n9', ...others)];
        const longest = Math.max(...own) + more;
        const before = withHistory(plan(planned('n1'), planned('n2')), past);
        const after = withHistory(plan(planned('n1'), planned('n2')), [
          ...past,
          { node: 'n1', endedAt: own.length, tookMs: longest * minute },
        ]);
        for (const [place, node] of after.nodes.entries()) {
          expect(node.expectedMs).toBeGreaterThanOrEqual(before.nodes[place]?.expectedMs ?? Infinity);
        }
        expect(after.expectedMs).toBeGreaterThanOrEqual(before.expectedMs);
      }),
    );
  });

  it('does not depend on the order in which former turns were read', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(turns('n1', 5, 9, 30, 2, 7, 11), { minLength: 6 }), (past) => {
        expect(withHistory(plan(planned('n1')), past).expectedMs).toBe(9 * minute);
      }),
    );
  });
});

describe('a turn as history', () => {
  const at = (minutes: number) => new Date(minutes * minute).toISOString();
  const step = (phase: string, from: number, to?: number) => ({
    phase,
    startedAt: at(from),
    ...(to === undefined ? {} : { finishedAt: at(to) }),
  });
  const done = (...steps: NonNullable<TurnStatus['steps']>): TurnStatus => ({
    phase: 'Done',
    finishedAt: at(999),
    steps,
  });

  it.each<{ title: string; status: TurnStatus; took: number | undefined }>([
    { title: 'adds up its steps', status: done(step('Checking', 0, 1), step('Draining', 1, 9)), took: 9 },
    {
      title: 'begins with the last check: not with what was undone the night before',
      status: done(
        step('Checking', 0, 1),
        step('Draining', 1, 20),
        step('Checking', 600, 601),
        step('Draining', 601, 605),
      ),
      took: 5,
    },
    {
      title: 'leaves out the pause until a person let a failed step go on',
      status: done(step('Checking', 0, 1), step('Updating', 1), step('Updating', 500, 503)),
      took: 4,
    },
    {
      title: 'is none before it is done',
      status: { ...done(step('Checking', 0, 1)), phase: 'Failed' },
      took: undefined,
    },
    { title: 'is none without steps', status: done(), took: undefined },
    { title: 'is none without its end', status: { phase: 'Done', steps: [step('Checking', 0, 1)] }, took: undefined },
    {
      title: 'is none where its times are nonsense',
      status: done({ phase: 'Checking', startedAt: 'soon', finishedAt: 'later' }),
      took: undefined,
    },
  ])('$title', ({ status, took }) => {
    expect(pastTurn('n1', status)?.tookMs).toBe(took === undefined ? undefined : took * minute);
  });
});

describe('the estimate of a turn', () => {
  const quiet: TurnToEstimate = {
    playbook: {
      drain: drainPolicy,
      settle: { timeMs: 30_000, timeoutMs: 900_000 },
      health: { consecutive: 3, intervalMs: 5000 },
      host: { scripts: {}, reboot: { when: 'never', timeoutMs: 1_800_000 } },
    },
    rehearsal: false,
    drain: { evictions: 0, waits: 0 },
    leaving: [],
  };
  const alone = guessedMs.checks + 15_000 + guessedMs.heartbeat + 30_000;
  const withHost = (host: TurnToEstimate['playbook']['host']): TurnToEstimate => ({
    ...quiet,
    playbook: { ...quiet.playbook, host },
  });
  const scripts = { update: {}, prepare: {}, leave: undefined };
  const reboot = (when: 'required' | 'always' | 'never') => ({ when, timeoutMs: 1_800_000 });
  const slow = { terminationGracePeriodSeconds: 60, startupDelaySeconds: 40 };

  it.each<{ title: string; turn: TurnToEstimate; more: number }>([
    { title: 'has the checks, the health and the settling', turn: quiet, more: 0 },
    {
      title: 'has each script and a reboot that may be required',
      turn: withHost({ scripts, reboot: reboot('required') }),
      more: guessedMs.updateScript + guessedMs.otherScript + guessedMs.reboot,
    },
    {
      title: 'has no host in a rehearsal',
      turn: { ...withHost({ scripts, reboot: reboot('always') }), rehearsal: true },
      more: 0,
    },
    {
      title: 'has the end and the start of the slowest pod',
      turn: { ...quiet, drain: { evictions: 2, waits: 0 }, leaving: [slow, { terminationGracePeriodSeconds: 5 }] },
      more: 60_000 + 40_000 + guessedMs.podStart,
    },
    {
      title: 'has them for each step of the drain',
      turn: { ...quiet, drain: { evictions: 3, waits: 2 }, leaving: [slow] },
      more: 3 * (60_000 + 40_000 + guessedMs.podStart),
    },
    {
      title: 'has no drain longer than its timeout',
      turn: {
        ...quiet,
        drain: { evictions: 1, waits: 0 },
        leaving: [{ terminationGracePeriodSeconds: 86_400 }],
      },
      more: drainPolicy.timeoutMs,
    },
  ])('$title', ({ turn, more }) => {
    expect(estimatedTurnMs(turn)).toBe(alone + more);
  });
});
