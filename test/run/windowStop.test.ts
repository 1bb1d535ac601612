import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../src/calendar/schedule.js';
import { nodesInQuestion } from '../../src/run/nextTurn.js';
import { openRunWindow } from '../../src/run/runWindow.js';
import { windowStop } from '../../src/run/windowStop.js';
import { VirtualTime } from '../simulation/virtualTime.js';
import { runState } from './runFixtures.js';

const minuteMs = 60_000;
const schedule: Schedule = {
  timeZone: 'UTC',
  windows: [{ kind: 'once', opens: '2026-12-08T12:00', durationMs: 10 * minuteMs }],
  freezes: [],
};
const lengths: Readonly<Record<string, number>> = { n1: 50, n2: 20, n3: 30 };

/** What is said five minutes before the close. */
async function said(phases: Readonly<Record<string, string>>, options: { only?: readonly string[] } = {}) {
  const { clock } = new VirtualTime(Date.parse('2026-12-08T12:05:00Z'));
  const window = openRunWindow({ schedule, clock, signal: new AbortController().signal });
  const nodes = nodesInQuestion({
    state: runState(phases),
    policy: { canaries: 1, concurrency: 1, stopAfterFailures: 1 },
    only: options.only && new Set(options.only),
    taken: new Set(),
    tries: new Map(),
    attempts: 2,
  });
  const turnLengthMs = (node: string) => (lengths[node] ?? 0) * minuteMs;
  const { message } = windowStop({ window, clock, turnLengthMs }, nodes);
  await window.close();
  return message;
}

describe('why the window is too short', () => {
  it.each<{ title: string; phases: Record<string, string>; only?: readonly string[]; turn: string }>([
    { title: 'the shortest turn that is left', phases: { n1: 'Done', n2: 'Pending', n3: 'Pending' }, turn: '20 min' },
    { title: 'a canary, which is not passed over', phases: { n1: 'Pending', n2: 'Pending' }, turn: '50 min' },
    { title: 'one that was blocked before', phases: { n1: 'Done', n2: 'Done', n3: 'Blocked' }, turn: '30 min' },
    {
      title: 'one of those that this call takes',
      phases: { n1: 'Done', n2: 'Pending', n3: 'Pending' },
      only: ['n3'],
      turn: '30 min',
    },
  ])('is said of $title', async ({ phases, only, turn }) => {
    const closes = 'The window closes at 2026-12-08 12:10 UTC';
    expect(await said(phases, only && { only })).toBe(`${closes}, and a turn may take ${turn}. No further one opens.`);
  });
});
