import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { newRun } from '../../src/run/objects.js';
import type { RunSpec, RunStatus, TurnStatus } from '../../src/run/state.js';
import { servedRuns, unfinishedRuns } from '../../src/server/playbooks/servedRuns.js';
import { unservedRuns } from '../../src/server/playbooks/unservedRuns.js';
import { runSpec } from '../run/runFixtures.js';
import { namespace, specWith, versionWith } from './readPlaybooks.js';
import { servedRun } from './servedFixtures.js';

const inForce = await versionWith(specWith(), 1);

function run(name: string, change: { spec?: Partial<RunSpec>; status?: Partial<RunStatus> } = {}): ApiObject {
  const object = newRun({ name, namespace, spec: { ...runSpec, ...change.spec } });
  return { ...object, status: { phase: 'Running', ...change.status } };
}

function turn(of: string, status: TurnStatus): ApiObject {
  return { metadata: { name: `${of}-1` }, spec: { run: of, node: 'node-1', nodeUid: 'u', rehearsal: false }, status };
}

const monthly = { name: 'monthly', nodes: { canaries: 1, stopAfterFailures: 2 } };
const retry = { id: 'r1', verb: 'retry', node: 'node-1', by: 'anna' };
const skip = { id: 'r2', verb: 'skip', node: 'node-1', by: 'anna' };

describe('the runs of a playbook', () => {
  it('are those of its name, rehearsals excepted', () => {
    const runs = [
      run('monthly-2026-11'),
      run('monthly-2026-11-rehearsal-1', { spec: { rehearsal: true } }),
      run('weekly-2026-11', { spec: { playbook: { name: 'weekly', snapshot: '{}' } } }),
    ];
    expect(servedRuns(monthly, { runs, turns: [] })).toEqual([servedRun()]);
  });

  it('do not include what another version wrote', () => {
    const odd: ApiObject = { metadata: { name: 'monthly-2026-12' }, spec: { strange: true }, status: 'odd' };
    const objects = { runs: [odd, run('monthly-2026-11')], turns: [{ metadata: {}, spec: 7, status: [] }] };
    expect(servedRuns(monthly, objects).map(({ name }) => name)).toEqual(['monthly-2026-11']);
  });

  it.each<{ title: string; status: TurnStatus; is: boolean }>([
    { title: 'is in work', status: { phase: 'Draining' }, is: true },
    { title: 'is undone', status: { phase: 'Undoing' }, is: true },
    { title: 'is to come', status: { phase: 'Pending' }, is: false },
    { title: 'is retried on a node in service', status: { phase: 'Pending', retryFrom: 'Checking' }, is: false },
    {
      title: 'is retried on a node of ours',
      status: { phase: 'Pending', cordoned: true, retryFrom: 'Checking' },
      is: true,
    },
    { title: 'is over', status: { phase: 'Done' }, is: false },
  ])('have a turn in work where one $title: $is', ({ status, is }) => {
    const objects = { runs: [run('monthly-2026-11')], turns: [turn('monthly-2026-11', status)] };
    expect(servedRuns(monthly, objects)[0]?.hasTurnInWork).toBe(is);
    expect(unfinishedRuns('monthly', objects)[0]?.isWanted).toBe(is);
  });

  it.each<{ title: string; desired: RunSpec['desired']; handled?: string[]; asked: string; open: number }>([
    { title: 'nothing', desired: { state: 'Run' }, asked: '', open: 0 },
    { title: 'a pause', desired: { state: 'Pause' }, asked: '["Pause",[]]', open: 0 },
    { title: 'a retry', desired: { state: 'Run', requests: [retry] }, asked: '["Run",["r1"]]', open: 1 },
    {
      title: 'an answered one',
      desired: { state: 'Run', requests: [retry] },
      handled: ['r1'],
      asked: '["Run",["r1"]]',
      open: 0,
    },
  ])('tell that people ask for $title', ({ desired, handled = [], asked, open }) => {
    const handledRequests = handled.map((id) => ({ id, time: '2026-11-10T22:00:00Z', result: 'done' }));
    const runs = [run('monthly-2026-11', { spec: { desired }, status: { handledRequests } })];
    expect(servedRuns(monthly, { runs, turns: [] })[0]).toMatchObject({ asked, openRequests: open });
  });
});

describe('a failed run', () => {
  const left = { phase: 'Pending' };
  const failed = { phase: 'Failed' };
  const order = ['node-1', 'node-2', 'node-3', 'node-4'];

  it.each<{ title: string; turns: TurnStatus[]; is: boolean }>([
    { title: 'one turn failed below the limit', turns: [{ phase: 'Done' }, failed, left], is: false },
    { title: 'the limit is reached', turns: [{ phase: 'Done' }, failed, failed, left], is: true },
    { title: 'a canary failed', turns: [failed, left], is: true },
    { title: 'a person lets it stand', turns: [{ ...failed, acknowledgedBy: 'anna' }, left], is: false },
    { title: 'nothing is left', turns: [{ phase: 'Done' }, failed], is: true },
  ])('is stopped where $title: $is', ({ turns, is }) => {
    const runs = [run('monthly-2026-11', { status: { phase: 'Failed', order } })];
    const objects = turns.map((status, place) => ({
      metadata: { name: String(place) },
      spec: { run: 'monthly-2026-11', node: order[place] },
      status,
    }));
    expect(servedRuns(monthly, { runs, turns: objects })[0]?.isStopped).toBe(is);
    const isOver = [run('monthly-2026-11', { status: { phase: 'AwaitingWindow', order } })];
    expect(servedRuns(monthly, { runs: isOver, turns: objects })[0]?.isStopped).toBe(false);
  });
});

describe('unfinished runs', () => {
  it.each<{ title: string; change: Parameters<typeof run>[1]; unfinished: boolean; isWanted?: boolean }>([
    { title: 'failed', change: { status: { phase: 'Failed' } }, unfinished: true, isWanted: false },
    { title: 'is complete', change: { status: { phase: 'Completed' } }, unfinished: false },
    { title: 'was superseded', change: { status: { phase: 'Superseded' } }, unfinished: false },
    { title: 'is a rehearsal', change: { spec: { rehearsal: true } }, unfinished: false },
    {
      title: 'is retried',
      change: { spec: { desired: { state: 'Run', requests: [retry] } } },
      unfinished: true,
      isWanted: true,
    },
    {
      title: 'is asked something else',
      change: { spec: { desired: { state: 'Run', requests: [skip] } } },
      unfinished: true,
      isWanted: false,
    },
  ])('include one that $title: $unfinished', ({ change, unfinished, isWanted }) => {
    const found = unfinishedRuns('monthly', { runs: [run('monthly-2026-11', change)], turns: [] });
    expect(found.map((each) => each.isWanted)).toEqual(unfinished ? [isWanted] : []);
  });
});

describe('a run whose playbook is not in force', () => {
  const turns = [turn('monthly-2026-11', { phase: 'Draining' })];

  it.each<{
    title: string;
    judged: Parameters<typeof unservedRuns>[0];
    runs: ApiObject[];
    turns: ApiObject[];
    told: boolean;
  }>([
    { title: 'was deleted in the middle of a turn', judged: [], runs: [run('monthly-2026-11')], turns, told: true },
    {
      title: 'has mistakes',
      judged: [{ name: 'monthly', inForce: undefined }],
      runs: [run('monthly-2026-11')],
      turns,
      told: true,
    },
    {
      title: 'is in force',
      judged: [{ name: 'monthly', inForce }],
      runs: [run('monthly-2026-11')],
      turns,
      told: false,
    },
    { title: 'was deleted between turns', judged: [], runs: [run('monthly-2026-11')], turns: [], told: false },
    {
      title: 'is of somebody’s rehearsal',
      judged: [],
      runs: [run('monthly-2026-11', { spec: { rehearsal: true } })],
      turns,
      told: false,
    },
  ])('is told where it $title: $told', ({ judged, runs, turns: all, told }) => {
    const found = unservedRuns(judged, { runs, turns: all });
    expect(found.map(({ run: name }) => name)).toEqual(told ? ['monthly-2026-11'] : []);
    for (const { message } of found) expect(message).toContain('turnus status monthly-2026-11');
  });
});
