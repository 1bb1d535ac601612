import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextDeed, subjectOf, type Because, type ServedPlaybook } from '../../src/server/acts/nextDeed.js';
import type { Attempt } from '../../src/server/acts/rest.js';
import { secondTuesday as schedule, served, servedRun as run, trigger } from './servedFixtures.js';

const minuteMs = 60_000;
const at = (text: string) => Date.parse(text);

const inWindow = at('2026-11-10T23:00:00Z');
const closesAt = at('2026-11-11T04:00:00Z');
const afterWindow = at('2026-11-12T12:00:00Z');
const december = at('2026-12-08T22:00:00Z');

const acts = (because: Because) => ({ kind: 'act', playbook: 'monthly', because });
const window = acts({ kind: 'window', period: '2026-11' });

describe('what the actor does next', () => {
  it.each<{ title: string; playbook: Partial<ServedPlaybook>; now: number; deed: unknown }>([
    { title: 'begins the run of an open window', playbook: {}, now: inWindow, deed: window },
    { title: 'waits for the next window', playbook: {}, now: afterWindow, deed: { kind: 'wait', until: december } },
    {
      title: 'waits for the next month where this one is complete',
      playbook: { runs: [run({ phase: 'Completed' })] },
      now: inWindow,
      deed: { kind: 'wait', until: december },
    },
    {
      title: 'goes on with what an earlier window has left',
      playbook: { runs: [run({ phase: 'AwaitingWindow' })] },
      now: inWindow,
      deed: window,
    },
    {
      title: 'finishes a turn in work outside of every window',
      playbook: { runs: [run({ hasTurnInWork: true })] },
      now: afterWindow,
      deed: acts({ kind: 'unfinished', run: 'monthly-2026-11' }),
    },
    {
      title: 'finishes a turn in work of a run that is paused',
      playbook: { runs: [run({ hasTurnInWork: true, desired: 'Pause', asked: 'Pause' })] },
      now: inWindow,
      deed: acts({ kind: 'unfinished', run: 'monthly-2026-11' }),
    },
    {
      title: 'leaves a paused run alone',
      playbook: { runs: [run({ phase: 'Paused', desired: 'Pause', asked: 'Pause' })] },
      now: inWindow,
      deed: { kind: 'wait', until: december },
    },
    {
      title: 'leaves a run that failures have stopped alone',
      playbook: { runs: [run({ phase: 'Failed', isStopped: true })] },
      now: inWindow,
      deed: { kind: 'wait', until: december },
    },
    {
      title: 'goes on with a run of which a turn has failed, below the limit',
      playbook: { runs: [run({ phase: 'Failed' })] },
      now: inWindow,
      deed: window,
    },
    {
      title: 'answers what is asked of it',
      playbook: { runs: [run({ phase: 'Failed', isStopped: true, openRequests: 1, asked: 'r1' })] },
      now: afterWindow,
      deed: acts({ kind: 'unfinished', run: 'monthly-2026-11' }),
    },
    {
      title: 'does not wake up last month’s run for a request',
      playbook: {
        runs: [
          run({ name: 'monthly-2026-10', period: '2026-10', phase: 'Failed', openRequests: 1, asked: 'r1' }),
          run({ phase: 'Completed' }),
        ],
      },
      now: afterWindow,
      deed: { kind: 'wait', until: december },
    },
    {
      title: 'does not begin a run again that a person has deleted',
      playbook: { lastRun: { name: 'monthly-2026-11', period: '2026-11' } },
      now: inWindow,
      deed: { kind: 'wait', until: december },
    },
    {
      title: 'starts by hand outside of windows',
      playbook: { trigger },
      now: afterWindow,
      deed: acts({ kind: 'trigger', trigger }),
    },
    {
      title: 'finishes what is in work before it starts anything by hand',
      playbook: { trigger, runs: [run({ hasTurnInWork: true })] },
      now: afterWindow,
      deed: acts({ kind: 'unfinished', run: 'monthly-2026-11' }),
    },
    {
      title: 'never acts on a schedule that has no time left',
      playbook: {
        schedule: { ...schedule, windows: [{ kind: 'once', opens: '2020-01-01T00:00', durationMs: minuteMs }] },
      },
      now: inWindow,
      deed: { kind: 'wait', until: undefined },
    },
  ])('$title', ({ playbook, now, deed }) => {
    expect(nextDeed([served(playbook)], now)).toEqual(deed);
  });

  it('waits for whichever playbook comes first', () => {
    const later = served({
      name: 'later',
      schedule: { ...schedule, windows: [{ kind: 'cron', expression: '0 22 * * 3#4', durationMs: minuteMs }] },
    });
    expect(nextDeed([later, served()], afterWindow)).toEqual({ kind: 'wait', until: at('2026-11-25T22:00:00Z') });
  });
});

describe('after an act', () => {
  const open = served({ runs: [run()] });
  const because: Because = { kind: 'window', period: '2026-11' };
  const attempted = (
    attempt: Omit<Attempt, 'of' | 'endedAt'>,
    change: Partial<ServedPlaybook> = {},
  ): ServedPlaybook => ({
    ...open,
    ...change,
    attempts: [{ of: subjectOf(open, because), endedAt: inWindow, ...attempt } as Attempt],
  });

  it.each<{
    title: string;
    attempt: Omit<Attempt, 'of' | 'endedAt'> & Record<string, unknown>;
    until: number | undefined;
  }>([
    {
      title: 'gates that said no are asked again after a while',
      attempt: { kind: 'ran', stop: { kind: 'finished' } },
      until: inWindow + 10 * minuteMs,
    },
    {
      title: 'a turn that does not fit waits for the next window',
      attempt: { kind: 'ran', stop: { kind: 'window', message: '', opensAt: december } },
      until: december,
    },
    { title: 'failures wait for a person', attempt: { kind: 'ran', stop: { kind: 'failures' } }, until: undefined },
    { title: 'what is refused waits for a change', attempt: { kind: 'refused' }, until: undefined },
    {
      title: 'what did not answer is tried again soon',
      attempt: { kind: 'failed', times: 1 },
      until: inWindow + 15_000,
    },
    { title: 'and ever more seldom', attempt: { kind: 'failed', times: 50 }, until: inWindow + 10 * minuteMs },
  ])('$title', ({ attempt, until }) => {
    expect(nextDeed([attempted(attempt)], inWindow + 1)).toEqual({ kind: 'wait', until });
    if (until !== undefined && until < closesAt) expect(nextDeed([attempted(attempt)], until)).toEqual(window);
  });

  it.each<{ title: string; change: Partial<ServedPlaybook>; acts: boolean }>([
    { title: 'an edit of the playbook', change: { version: 'v2' }, acts: true },
    { title: 'what somebody asks of the run', change: { runs: [run({ asked: 'r1' })] }, acts: true },
    { title: 'the run that the act has begun', change: { runs: [run({ phase: 'AwaitingWindow' })] }, acts: false },
    { title: 'a trigger', change: { trigger }, acts: true },
  ])('$title lets it be tried again at once: $acts', ({ change, acts: does }) => {
    expect(nextDeed([attempted({ kind: 'refused' }, change)], inWindow + 1).kind).toBe(does ? 'act' : 'wait');
  });

  it('never comes back at once, whatever came of it', () => {
    const stops = [
      'finished',
      'failures',
      'aborted',
      'paused',
      'deleted',
      'own-node',
      'other-actor',
      'followed',
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...stops), fc.integer({ min: 1, max: 100 }), (kind, times) => {
        for (const attempt of [
          { kind: 'ran', stop: { kind } },
          { kind: 'failed', times },
          { kind: 'refused' },
        ] as const) {
          const deed = nextDeed([attempted(attempt)], inWindow);
          expect(deed.kind).toBe('wait');
          if (deed.kind === 'wait' && deed.until !== undefined)
            expect(deed.until).toBeGreaterThanOrEqual(inWindow + 1000);
        }
      }),
    );
  });
});
