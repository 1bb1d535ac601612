import { describe, expect, it } from 'vitest';
import { chosenFrom, type CandidateRun } from '../../src/run/chooseRun.js';
import type { RunObject } from '../../src/run/objects.js';
import type { RunSpec } from '../../src/run/state.js';
import { runSpec } from './runFixtures.js';

function run(
  name: string,
  phase: string,
  options: {
    inWork?: boolean;
    requests?: NonNullable<RunSpec['desired']>['requests'];
    replaces?: string;
    planHash?: string;
  } = {},
): RunObject {
  const { inWork = false, requests, replaces, planHash = 'old' } = options;
  return {
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '1',
    finalizers: inWork ? ['turnus.dev/turn-in-work'] : [],
    terminating: false,
    spec: {
      ...runSpec,
      planHash,
      ...(replaces === undefined ? {} : { replaces }),
      desired: { state: 'Run', ...(requests === undefined ? {} : { requests }) },
    },
    status: { phase },
  };
}

/** Wanted are those with a turn in work (here: the finalizer) or a request that nobody answered. */
function candidate(one: RunObject): CandidateRun {
  const isOver = ['Completed', 'Superseded'].includes(one.status.phase);
  const isAsked = (one.spec.desired?.requests ?? []).length > 0;
  return { run: one, isWanted: !isOver && (one.finalizers.length > 0 || isAsked) };
}

const november = {
  planHash: 'new',
  playbook: {
    name: 'monthly',
    schedule: { timeZone: 'Europe/Zurich', windows: [], freezes: [], coverageMs: undefined },
  },
  now: Date.parse('2026-11-23T01:00:00Z'),
  rehearsal: false,
  replace: false,
};
const retry = [{ id: 'one', verb: 'retry', node: 'n1' }];

describe('the run that a call is about', () => {
  it.each<{ title: string; runs: RunObject[]; change?: Partial<typeof november>; name: string; replaces?: string }>([
    { title: "is the month's where there is none yet", runs: [], name: 'monthly-2026-11' },
    { title: "is the month's where it is there", runs: [run('monthly-2026-11', 'Failed')], name: 'monthly-2026-11' },
    {
      title: "is the month's also where it is completed",
      runs: [run('monthly-2026-11', 'Completed')],
      name: 'monthly-2026-11',
    },
    { title: "is not last month's", runs: [run('monthly-2026-10', 'Failed')], name: 'monthly-2026-11' },
    {
      title: "is last month's where one of its turns is in work",
      runs: [run('monthly-2026-10', 'Running', { inWork: true }), run('monthly-2026-11', 'Planned')],
      name: 'monthly-2026-10',
    },
    {
      title: 'is the newest of those that superseded each other',
      runs: [
        run('monthly-2026-11-x10', 'Running'),
        run('monthly-2026-11', 'Superseded'),
        run('monthly-2026-11-x9', 'Superseded'),
      ],
      name: 'monthly-2026-11-x10',
    },
    {
      title: 'is a new one where its successor was deleted',
      runs: [run('monthly-2026-11', 'Superseded')],
      name: 'monthly-2026-11-x1',
    },
    {
      title: 'is not one whose name only begins alike',
      runs: [run('monthly-2026-11-xy', 'Running'), run('monthly-2026-11-x0', 'Running')],
      name: 'monthly-2026-11',
    },
    {
      title: 'with --replace is a new one in place of the unfinished',
      runs: [run('monthly-2026-11', 'Failed')],
      change: { replace: true },
      name: 'monthly-2026-11-x1',
      replaces: 'monthly-2026-11',
    },
    {
      title: 'with --replace counts up',
      runs: [run('monthly-2026-11', 'Superseded'), run('monthly-2026-11-x1', 'Aborted')],
      change: { replace: true },
      name: 'monthly-2026-11-x2',
      replaces: 'monthly-2026-11-x1',
    },
    {
      title: "with --replace is this month's in place of last month's that is in work",
      runs: [run('monthly-2026-10', 'Running', { inWork: true })],
      change: { replace: true },
      name: 'monthly-2026-11',
      replaces: 'monthly-2026-10',
    },
    {
      title: "is last month's where somebody asked for something in it",
      runs: [run('monthly-2026-10', 'Failed', { requests: retry })],
      name: 'monthly-2026-10',
    },
    {
      title: 'is not a completed one that kept its finalizer in a crash',
      runs: [run('monthly-2026-10', 'Completed', { inWork: true })],
      name: 'monthly-2026-11',
    },
    {
      title: 'is the successor of one that a crash left half superseded',
      runs: [
        run('monthly-2026-11', 'Running', { inWork: true }),
        run('monthly-2026-11-x1', 'Planned', { replaces: 'monthly-2026-11' }),
      ],
      name: 'monthly-2026-11-x1',
    },
    {
      title: 'with --replace again is the one that the same command made',
      runs: [
        run('monthly-2026-11', 'Running', { inWork: true }),
        run('monthly-2026-11-x1', 'Running', { replaces: 'monthly-2026-11', planHash: 'new' }),
      ],
      change: { replace: true },
      name: 'monthly-2026-11-x1',
    },
    {
      title: 'with --replace and a playbook that was changed once more is a new one',
      runs: [
        run('monthly-2026-11', 'Superseded'),
        run('monthly-2026-11-x1', 'Running', { replaces: 'monthly-2026-11', planHash: 'other' }),
      ],
      change: { replace: true },
      name: 'monthly-2026-11-x2',
      replaces: 'monthly-2026-11-x1',
    },
    { title: 'as rehearsal begins at 1', runs: [], change: { rehearsal: true }, name: 'monthly-2026-11-rehearsal-1' },
    {
      title: 'as rehearsal is the unfinished one',
      runs: [run('monthly-2026-11-rehearsal-2', 'AwaitingWindow')],
      change: { rehearsal: true },
      name: 'monthly-2026-11-rehearsal-2',
    },
    {
      title: 'as rehearsal is a new one after one that failed',
      runs: [run('monthly-2026-11-rehearsal-2', 'Failed')],
      change: { rehearsal: true },
      name: 'monthly-2026-11-rehearsal-3',
    },
    {
      title: 'as rehearsal is the failed one where somebody asked for a retry in it',
      runs: [run('monthly-2026-11-rehearsal-2', 'Failed', { requests: retry })],
      change: { rehearsal: true },
      name: 'monthly-2026-11-rehearsal-2',
    },
  ])('$title', ({ runs, change, name, replaces }) => {
    expect(chosenFrom(runs.map(candidate), { ...november, ...change })).toEqual({ name, replaces });
  });

  it.each([
    { title: 'there is none', runs: [] },
    { title: 'it is completed', runs: [run('monthly-2026-11', 'Completed')] },
    { title: 'it was superseded', runs: [run('monthly-2026-11', 'Superseded')] },
  ])('cannot be replaced where $title', ({ runs }) => {
    expect(() => chosenFrom(runs.map(candidate), { ...november, replace: true })).toThrow(
      expect.objectContaining({ code: 'nothing-to-replace', exitCode: 2 }),
    );
  });
});
