import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runsToDelete, type KeptRun } from '../../src/run/runsToDelete.js';
import { endedRunPhases, runPhases } from '../../src/run/state.js';
import { runSpec } from './runFixtures.js';

interface Changes {
  readonly phase?: string;
  readonly playbook?: string;
  readonly rehearsal?: boolean;
  readonly replaces?: string;
  readonly finalizers?: readonly string[];
  readonly terminating?: boolean;
  readonly isAsked?: boolean;
  readonly createdAt?: number;
}

function run(name: string, changes: Changes = {}): KeptRun {
  const { phase = 'Completed', playbook = 'monthly', rehearsal = false, replaces, isAsked = false } = changes;
  const requests = [{ id: 'r1', verb: 'retry', node: 'n1' }];
  return {
    createdAt: changes.createdAt ?? Date.parse(`${/\d{4}-\d{2}/.exec(name)?.[0] ?? ''}-01T00:00:00Z`),
    run: {
      name,
      uid: `uid-of-${name}`,
      resourceVersion: '1',
      finalizers: changes.finalizers ?? [],
      terminating: changes.terminating ?? false,
      spec: {
        ...runSpec,
        playbook: { name: playbook, snapshot: '{}' },
        rehearsal,
        ...(replaces === undefined ? {} : { replaces }),
        ...(isAsked ? { desired: { state: 'Run', requests } } : {}),
      },
      status: { phase },
    },
  };
}

interface Call {
  readonly limit?: number;
  readonly current?: string;
  readonly cordoning?: readonly string[];
}

function deleted(runs: readonly KeptRun[], { limit = 1, current = '', cordoning = [] }: Call = {}): string[] {
  const choice = { runs, playbook: 'monthly', limit, current, cordoning: new Set(cordoning) };
  return runsToDelete(choice).map(({ name }) => name);
}

const [august, september, october, november] = [8, 9, 10, 11].map(
  (month) => `monthly-2026-${String(month).padStart(2, '0')}`,
) as [string, string, string, string];
const held = { finalizers: ['turnus.dev/turn-in-work'] };

describe('the runs beyond the limit', () => {
  it.each<{ title: string; runs: KeptRun[]; call?: Call; gone: string[] }>([
    { title: 'none where there is no run', runs: [], gone: [] },
    {
      title: 'none where there are no more than the limit',
      runs: [run(october), run(november)],
      call: { limit: 2 },
      gone: [],
    },
    {
      title: 'the oldest, the oldest first, in whatever order they come',
      runs: [run(october), run(august), run(november), run(september)],
      call: { limit: 2 },
      gone: [august, september],
    },
    {
      title: 'whatever their end was',
      runs: [
        run(august, { phase: 'Failed' }),
        run(september, { phase: 'Aborted' }),
        run(october, { phase: 'Superseded' }),
        run(november),
      ],
      gone: [august, september, october],
    },
    {
      title: 'not one that is unfinished, which does not count either',
      runs: [
        run(august),
        run(september, { phase: 'AwaitingWindow' }),
        run(october, { phase: 'Paused' }),
        run(november),
      ],
      gone: [august],
    },
    {
      title: 'not those of another playbook',
      runs: [run('weekly-2026-08', { playbook: 'weekly' }), run(november)],
      gone: [],
    },
    {
      title: 'rehearsals by themselves',
      runs: [
        run(`${august}-rehearsal-1`, { rehearsal: true }),
        run(`${october}-rehearsal-1`, { rehearsal: true }),
        run(november),
      ],
      gone: [`${august}-rehearsal-1`],
    },
    {
      title: 'by their numbers where they are of one second',
      runs: [run(`${october}-x10`), run(`${october}-x2`), run(october)],
      gone: [october, `${october}-x2`],
    },
    {
      title: 'not one that a finalizer holds',
      runs: [run(august, held), run(september), run(november)],
      gone: [september],
    },
    { title: 'not one that goes already', runs: [run(august, { terminating: true }), run(november)], gone: [] },
    {
      title: 'not one of which something is asked',
      runs: [run(august, { phase: 'Failed', isAsked: true }), run(november)],
      gone: [],
    },
    {
      title: 'not one whose cordon stands on a node',
      runs: [run(august, { phase: 'Failed' }), run(september, { phase: 'Failed' }), run(november)],
      call: { cordoning: [august] },
      gone: [september],
    },
    {
      title: 'not the one that was just acted on, however old',
      runs: [run(august, { phase: 'Failed' }), run(september), run(november)],
      call: { current: august },
      gone: [september],
    },
    {
      title: 'not one that is replaced by one of its month that stays, nor what that one replaces',
      runs: [
        run(october),
        run(november, { phase: 'Superseded' }),
        run(`${november}-x1`, { phase: 'Superseded', replaces: november }),
        run(`${november}-x2`, { replaces: `${november}-x1` }),
      ],
      gone: [october],
    },
    {
      title: 'one whose nodes were carried over into the next month, once that is over',
      runs: [
        run(september, { phase: 'Superseded' }),
        run(october, { phase: 'Superseded', replaces: september }),
        run(november, { replaces: october }),
      ],
      gone: [september, october],
    },
    {
      title: 'not one that is replaced by an unfinished one',
      runs: [
        run(august, { phase: 'Superseded' }),
        run(september, { phase: 'Running', replaces: august }),
        run(november),
      ],
      gone: [],
    },
    {
      title: 'one that is replaced together with the one that replaces it',
      runs: [run(august, { phase: 'Superseded' }), run(september, { replaces: august }), run(november)],
      gone: [august, september],
    },
  ])('$title', ({ runs, call, gone }) => {
    expect(deleted(runs, call)).toEqual(gone);
  });
});

const anyRuns = fc
  .array(
    fc.record({
      phase: fc.oneof({ weight: 3, arbitrary: fc.constant('Completed') }, fc.constantFrom(...runPhases)),
      playbook: fc.oneof({ weight: 3, arbitrary: fc.constant('monthly') }, fc.constant('weekly')),
      rehearsal: fc.boolean(),
      isHeld: fc.integer({ min: 0, max: 4 }).map((chance) => chance === 0),
      replaces: fc.option(fc.nat(20), { nil: undefined }),
      createdAt: fc.nat(10),
    }),
    { maxLength: 14 },
  )
  .map((all) =>
    all.map(({ isHeld, replaces, ...changes }, place) =>
      run(`run-${String(place)}`, {
        ...changes,
        ...(isHeld ? held : {}),
        ...(replaces === undefined || replaces >= place ? {} : { replaces: `run-${String(replaces)}` }),
      }),
    ),
  );

const anyCall = fc.record({
  limit: fc.integer({ min: 1, max: 5 }),
  current: fc.nat(14).map((place) => `run-${String(place)}`),
  cordoning: fc.uniqueArray(
    fc.nat(14).map((place) => `run-${String(place)}`),
    { maxLength: 2 },
  ),
});

describe('of any runs', () => {
  it('none goes that must stay', () => {
    fc.assert(
      fc.property(anyRuns, anyCall, (runs, call) => {
        const gone = new Set(deleted(runs, call));
        const stays = runs.map((kept) => kept.run).filter(({ name }) => !gone.has(name));
        for (const { run: one } of runs.filter((kept) => gone.has(kept.run.name))) {
          expect(endedRunPhases).toContain(one.status.phase);
          expect(one.spec.playbook.name).toBe('monthly');
          expect(one.finalizers).toEqual([]);
          expect([call.current, ...call.cordoning, ...stays.map(({ spec }) => spec.replaces)]).not.toContain(one.name);
        }
      }),
    );
  });

  it('every one that stays is among the newest of its kind, or something holds it', () => {
    fc.assert(
      fc.property(anyRuns, anyCall, (runs, call) => {
        const gone = new Set(deleted(runs, call));
        const stays = runs.filter((kept) => !gone.has(kept.run.name));
        const replaced = stays.map(({ run: { spec } }) => spec.replaces);
        const counted = (kept: KeptRun) =>
          kept.run.spec.playbook.name === 'monthly' && endedRunPhases.includes(kept.run.status.phase);
        for (const kept of stays.filter(counted)) {
          const { name, spec, finalizers } = kept.run;
          const newer = runs.filter(
            (other) =>
              counted(other) && other.run.spec.rehearsal === spec.rehearsal && other.createdAt > kept.createdAt,
          );
          if (newer.length < call.limit) continue;
          const isHeld = finalizers.length > 0 || [call.current, ...call.cordoning, ...replaced].includes(name);
          expect(isHeld, name).toBe(true);
        }
      }),
    );
  });

  it('the newest ones stay, and of those that are left none is deleted', () => {
    fc.assert(
      fc.property(anyRuns, anyCall, (runs, call) => {
        const gone = new Set(deleted(runs, call));
        const left = runs.filter((kept) => !gone.has(kept.run.name));
        expect(deleted(left, call)).toEqual([]);
        for (const rehearsal of [true, false]) {
          const ended = (some: readonly KeptRun[]) =>
            some.filter(
              ({ run: { spec, status } }) =>
                spec.playbook.name === 'monthly' &&
                spec.rehearsal === rehearsal &&
                endedRunPhases.includes(status.phase),
            ).length;
          expect(ended(left)).toBeGreaterThanOrEqual(Math.min(call.limit, ended(runs)));
        }
      }),
    );
  });
});
