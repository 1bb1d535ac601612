import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../src/calendar/schedule.js';
import { openRunWindow, WindowClosed } from '../../src/run/runWindow.js';
import { VirtualTime } from '../simulation/virtualTime.js';

const minuteMs = 60_000;
const noon = Date.parse('2026-12-08T12:00:00Z');

const schedule: Schedule = {
  timeZone: 'UTC',
  windows: [
    { kind: 'once', opens: '2026-12-08T12:00', durationMs: 10 * minuteMs },
    { kind: 'once', opens: '2026-12-08T12:15', durationMs: 10 * minuteMs },
  ],
  freezes: [],
};
const tuesday = { kind: 'dates', name: 'Tuesday', from: '2026-12-08', until: '2026-12-08' } as const;

function at(minutes: number, given: Schedule = schedule) {
  const time = new VirtualTime(noon + minutes * minuteMs);
  const window = openRunWindow({ schedule: given, clock: time.clock, signal: new AbortController().signal });
  const pass = async (more: number) => {
    await time.run(() => false, more * minuteMs);
  };
  return { time, window, pass };
}

describe('the window of a run', () => {
  it('is closed at its end to the millisecond, whatever opens later', async () => {
    const { time, window, pass } = at(3);
    await time.run(() => window.closed.aborted, 60 * minuteMs);
    expect(time.now()).toBe(noon + 10 * minuteMs);
    expect(window.closed.reason).toBeInstanceOf(WindowClosed);
    expect(String(window.closed.reason)).toContain('the window closed at 2026-12-08 12:10 UTC');
    await pass(8);
    expect(window.state().kind).toBe('open');
    expect(window.closed.aborted).toBe(true);
    await window.close();
  });

  it('is closed from the beginning where none is open', async () => {
    const { window } = at(12);
    expect(window.closed.aborted).toBe(true);
    await window.close();
  });

  it('says when the next one opens: before its close, after it, and when that one has opened already', async () => {
    const { window, pass } = at(3);
    expect(window.reopensAt()).toBe(noon + 15 * minuteMs);
    await pass(9);
    expect(window.reopensAt()).toBe(noon + 15 * minuteMs);
    await pass(5);
    expect(window.reopensAt()).toBe(noon + 15 * minuteMs);
    await pass(10);
    expect(window.reopensAt()).toBeUndefined();
    await window.close();
  });

  it('notices a close that a machine slept through when it is looked at', async () => {
    let now = noon;
    const { clock } = new VirtualTime(noon);
    const asleep = { ...clock, now: () => now };
    const window = openRunWindow({ schedule, clock: asleep, signal: new AbortController().signal });
    now += 11 * minuteMs;
    expect(window.closed.aborted).toBe(false);
    window.look();
    expect(window.closed.aborted).toBe(true);
    await window.close();
  });

  it('without windows is closed when a freeze begins, and never without one', async () => {
    const always: Schedule = { ...schedule, windows: [] };
    const wednesday = { ...tuesday, name: 'Wednesday', from: '2026-12-09', until: '2026-12-09' };
    const frozen = at(0, { ...always, freezes: [wednesday] });
    await frozen.time.run(() => frozen.window.closed.aborted, 24 * 60 * minuteMs);
    expect(frozen.time.now()).toBe(Date.parse('2026-12-09T00:00:00Z'));
    expect(String(frozen.window.closed.reason)).toContain('freeze Wednesday began');
    await frozen.window.close();
    const open = at(0, always);
    await open.pass(60 * 24 * 400);
    expect(open.window.closed.aborted).toBe(false);
    await open.window.close();
  });

  it('does not open in a freeze', async () => {
    const { window } = at(3, { ...schedule, freezes: [tuesday] });
    expect(window.closed.aborted).toBe(true);
    await window.close();
  });
});
