import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/systemClock.js';
import { DeadlineExceeded, isDeadlineExceeded } from '../../src/time/clock.js';

const open = () => new AbortController();

describe('the system clock', () => {
  it('tells the wall clock and a time that does not go back', () => {
    const before = Date.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    const first = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
  });

  it('sleeps at least as long as asked', async () => {
    const startedAt = systemClock.monotonic();
    await systemClock.sleep(20, open().signal);
    // A timer of Node may fire up to one millisecond early.
    expect(systemClock.monotonic() - startedAt).toBeGreaterThanOrEqual(19);
  });

  it('does not wait for a time that has passed', async () => {
    await systemClock.sleep(0, open().signal);
    await systemClock.sleep(-5, open().signal);
  });

  it('ends a sleep with the reason of its signal, before it and during it', async () => {
    const reason = new Error('the lease is lost');
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = open();
    const sleep = systemClock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleep).rejects.toBe(reason);
  });

  it('ends a deadline when its time is over, and says that it was the time', async () => {
    const deadline = systemClock.deadline(5, open().signal);
    await aborted(deadline.signal);
    expect(deadline.signal.reason).toBeInstanceOf(DeadlineExceeded);
    expect(String(deadline.signal.reason)).toContain('5 ms');
    expect(isDeadlineExceeded(deadline.signal)).toBe(true);
  });

  it('ends a deadline with the reason of its parent, also when that was stopped before', () => {
    const parent = open();
    const deadline = systemClock.deadline(60_000, parent.signal);
    expect(deadline.signal.aborted).toBe(false);
    const reason = new Error('stopped by a person');
    parent.abort(reason);
    expect(deadline.signal.reason).toBe(reason);
    expect(isDeadlineExceeded(deadline.signal)).toBe(false);
    expect(systemClock.deadline(60_000, parent.signal).signal.reason).toBe(reason);
  });
});

describe('the system clock over long times', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('leaves no timer behind once a deadline is cleared', () => {
    const parent = open();
    const deadline = systemClock.deadline(1000, parent.signal);
    expect(vi.getTimerCount()).toBe(1);
    deadline.clear();
    expect(vi.getTimerCount()).toBe(0);
    parent.abort(new Error('later'));
    expect(deadline.signal.aborted).toBe(false);
  });

  it('leaves no timer behind once the parent of a deadline was stopped', () => {
    const parent = open();
    systemClock.deadline(1000, parent.signal);
    parent.abort(new Error('stopped'));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not end a deadline of 40 days early, although no timer takes that long', () => {
    const fortyDaysMs = 40 * 86_400_000;
    const deadline = systemClock.deadline(fortyDaysMs, open().signal);
    vi.advanceTimersByTime(fortyDaysMs - 1);
    expect(deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(isDeadlineExceeded(deadline.signal)).toBe(true);
  });
});

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener('abort', () => {
        resolve();
      });
  });
}
