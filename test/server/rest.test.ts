import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunStop } from '../../src/run/runEnd.js';
import { nextDeed, subjectOf, type ServedPlaybook } from '../../src/server/acts/nextDeed.js';
import { rememberAttempt, restOf, type Attempt, type Ended } from '../../src/server/acts/rest.js';
import { secondTuesday as schedule, servedRun as run, trigger as someTrigger } from './servedFixtures.js';

const at = Date.parse('2026-11-10T22:00:00Z');
const hourMs = 3_600_000;
const window: RunStop = { kind: 'window', message: '', opensAt: at };

function ran(stop: RunStop, endedAt = at): Attempt {
  return { of: 'x', endedAt, kind: 'ran', stop };
}

describe('after an attempt', () => {
  it.each<{ title: string; attempt: Attempt; now: number; rest: number | undefined }>([
    { title: 'gates are asked again', attempt: ran({ kind: 'finished' }), now: at, rest: at + 600_000 },
    { title: 'a window that has opened meanwhile is no hot loop', attempt: ran(window), now: at, rest: at + 5000 },
    {
      title: 'the next window is waited for',
      attempt: ran({ ...window, opensAt: at + hourMs }),
      now: at,
      rest: at + hourMs,
    },
    { title: 'a person is waited for', attempt: ran({ kind: 'failures' }), now: at, rest: undefined },
    { title: 'a clock that was set back by a year', attempt: ran({ kind: 'finished' }), now: 0, rest: 0 },
    {
      title: 'what waits for people does so whatever the clock says',
      attempt: ran({ kind: 'failures' }),
      now: 0,
      rest: undefined,
    },
    {
      title: 'a clock that is kept right steps back by little',
      attempt: ran({ kind: 'finished' }),
      now: at - 100,
      rest: at + 600_000,
    },
  ])('$title', ({ attempt, now, rest }) => {
    expect(restOf(attempt, now)).toBe(rest);
  });

  it('failures of the same are counted, whatever else was tried in between', () => {
    const failed = (of: string): Ended => ({ of, endedAt: at, kind: 'failed', message: 'no answer' });
    const attempts = ['a', 'b', 'a', 'b', 'b'].map(failed).reduce<readonly Attempt[]>(rememberAttempt, []);
    expect(attempts).toMatchObject([
      { of: 'a', times: 2 },
      { of: 'b', times: 3 },
    ]);
  });
});

const stops: RunStop[] = [
  { kind: 'finished' },
  { kind: 'failures' },
  { kind: 'paused' },
  { kind: 'own-node' },
  { kind: 'other-actor' },
  { kind: 'followed' },
  { kind: 'hand-over' },
  window,
  { kind: 'window', message: '', opensAt: undefined },
];
const ends = fc.oneof(
  fc.constantFrom(...stops).map((stop) => ({ kind: 'ran' as const, stop })),
  fc.constant({ kind: 'failed' as const, message: 'no answer' }),
  fc.constant({ kind: 'refused' as const, message: 'it is frozen' }),
);
const states = fc.record({
  hasTurnInWork: fc.boolean(),
  asked: fc.constantFrom('', 'r1'),
  openRequests: fc.constantFrom(0, 1),
  version: fc.constantFrom('v1', 'v2'),
  trigger: fc.constantFrom(undefined, 't1', 't2'),
  passMs: fc.constantFrom(0, 1, 4000, 60_000, 1_200_000),
});

describe('through any history', () => {
  it('the same is never acted for twice without a rest, though other things are in between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(states, ends), { minLength: 1, maxLength: 40 }), (history) => {
        let now = at;
        const attempts = new Map<string, readonly Attempt[]>();
        const ended = new Map<string, number>();
        const people = new Set<string>();
        for (const [state, end] of history) {
          now += state.passMs;
          const playbooks = ['monthly', 'weekly'].map((name): ServedPlaybook => {
            const { hasTurnInWork, asked, openRequests, version, trigger } = state;
            return {
              name,
              schedule,
              nextSchedule: undefined,
              version,
              runs: [run({ name: `${name}-2026-11`, hasTurnInWork, asked, openRequests })],
              lastRun: undefined,
              trigger: trigger && { ...someTrigger, id: trigger },
              over: undefined,
              attempts: attempts.get(name) ?? [],
            };
          });
          const deed = nextDeed(playbooks, now);
          if (deed.kind === 'wait') {
            if (deed.until !== undefined) expect(deed.until).toBeGreaterThan(now);
            continue;
          }
          const playbook = playbooks.find(({ name }) => name === deed.playbook);
          if (playbook === undefined) throw new Error(deed.playbook);
          const of = subjectOf(playbook, deed.because);
          const key = `${playbook.name} ${of}`;
          expect(people.has(key)).toBe(false);
          expect(now - (ended.get(key) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(5000);
          ended.set(key, now);
          const attempt: Ended = { of, endedAt: now, ...end };
          attempts.set(playbook.name, rememberAttempt(attempts.get(playbook.name) ?? [], attempt));
          const kept = attempts.get(playbook.name)?.find((each) => each.of === of);
          if (kept && restOf(kept, now) === undefined) people.add(key);
        }
      }),
    );
  });
});
