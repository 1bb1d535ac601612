import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../src/calendar/schedule.js';
import { windowText } from '../../src/console/windowText.js';
import type { PlannedNode } from '../../src/run/plan.js';

const hourMs = 3_600_000;
/** 22:00 of a Tuesday in winter time. */
const opening = Date.parse('2026-12-08T21:00:00Z');

const schedule: Schedule = {
  timeZone: 'Europe/Zurich',
  windows: [{ kind: 'once', opens: '2026-12-08T22:00', durationMs: 4 * hourMs }],
  freezes: [],
};
const yearEnd = { kind: 'dates', name: 'Year end', from: '2026-12-09', until: '2027-01-06' } as const;

function turns(...expectedMs: readonly number[]): { nodes: PlannedNode[] } {
  return {
    nodes: expectedMs.map((ms, place) => ({
      node: `n${String(place)}`,
      zone: undefined,
      lastTurn: undefined,
      verdict: 'goes',
      estimateMs: 0,
      expectedMs: ms,
      evictions: 0,
      findings: [],
      overlaps: [],
    })),
  };
}

describe('what a plan says of its window', () => {
  it.each<{ title: string; schedule?: Schedule; now: number; text: string[] }>([
    {
      title: 'is nothing where there are no windows',
      schedule: { ...schedule, windows: [] },
      now: opening,
      text: [],
    },
    {
      title: 'is the freeze that comes where there are none',
      schedule: { ...schedule, windows: [], freezes: [yearEnd] },
      now: opening,
      text: ['Turns may start until 2026-12-09 00:00 Europe/Zurich: freeze Year end begins then.'],
    },
    {
      title: 'is its end while it is open',
      now: opening + hourMs,
      text: [
        'Window: open until 2026-12-09 02:00 Europe/Zurich. 3 of 4 turns are expected to end before it closes; the rest is carried over.',
      ],
    },
    {
      title: 'is the freeze that ends it',
      schedule: { ...schedule, freezes: [yearEnd] },
      now: opening + 90 * 60_000,
      text: [
        'Window: open until 2026-12-09 00:00 Europe/Zurich (freeze Year end begins then). 0 of 4 turns are expected to end before it closes; the rest is carried over.',
      ],
    },
    {
      title: 'is its beginning before it opens',
      now: opening - hourMs,
      text: [
        'Window: closed; the next one opens at 2026-12-08 22:00 Europe/Zurich and closes at 2026-12-09 02:00 Europe/Zurich. All turns are expected to end before it closes.',
      ],
    },
    { title: 'is that none comes', now: opening + 5 * hourMs, text: ['Window: closed; no further one opens.'] },
  ])('$title', ({ schedule: given = schedule, now, text }) => {
    expect(windowText({ schedule: given, plan: turns(hourMs, hourMs, hourMs, hourMs), now })).toEqual(text);
  });
});
