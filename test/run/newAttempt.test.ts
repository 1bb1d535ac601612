import { describe, expect, it } from 'vitest';
import { hasLeft } from '../../src/run/hasLeft.js';
import { isHostTouched } from '../../src/run/hostTouched.js';
import { givenBack, newAttempt } from '../../src/run/newAttempt.js';
import type { JobRecord, TurnStatus } from '../../src/run/state.js';

const intent: JobRecord = { execution: 1, intentAt: '2026-11-10T21:00:00.000Z', bootIdBefore: 'boot-1' };
const well: JobRecord = { ...intent, state: 'exited', exitCode: 0, changed: 'yes' };
const failed: JobRecord = { ...intent, state: 'exited', exitCode: 1, changed: 'yes' };
const anew: JobRecord = { ...well, changed: 'no', again: true };

describe('a node', () => {
  it.each<{ title: string; jobs: TurnStatus['jobs']; leftBefore?: boolean; left: boolean }>([
    { title: 'no script ran', jobs: {}, left: false },
    { title: 'leave was begun', jobs: { leave: intent }, left: true },
    { title: 'leave failed', jobs: { leave: failed }, left: true },
    { title: 'leave could not be started', jobs: { leave: { ...intent, state: 'not-started' } }, left: false },
    { title: 'leave belongs to the attempt before', jobs: { leave: anew }, left: false },
    { title: 'join followed it', jobs: { leave: well, join: well }, left: false },
    { title: 'join followed it and failed', jobs: { leave: well, join: failed }, left: true },
    { title: 'a person vouches for join', jobs: { leave: well, join: { ...failed, vouchedBy: 'anna' } }, left: false },
    { title: 'an earlier run had it leave', jobs: {}, leftBefore: true, left: true },
    { title: 'an earlier run had it leave and join ran', jobs: { join: well }, leftBefore: true, left: false },
  ])('has left: $left, where $title', ({ jobs, leftBefore, left }) => {
    expect(hasLeft({ jobs, leftBefore })).toBe(left);
  });
});

describe('another attempt', () => {
  const attempt = (jobs: TurnStatus['jobs'], more: Partial<TurnStatus> = {}) =>
    newAttempt({ phase: 'Deferred', jobs, ...more });

  it('keeps what prepare and update did, and has leave and join anew', () => {
    const { jobs, leftBefore } = attempt({ prepare: well, leave: well, update: well, join: well });
    expect(jobs).toEqual({ prepare: well, leave: anew, update: well, join: anew });
    expect(leftBefore).toBeUndefined();
  });

  it('runs a prepare that failed once more', () => {
    expect(attempt({ prepare: failed }).jobs?.prepare).toMatchObject({ execution: 1, again: true });
  });

  it.each(['no-contact', 'still-running'])('follows a prepare whose end is not known (%s)', (state) => {
    expect(attempt({ prepare: { ...intent, state } }).jobs?.prepare).toEqual(intent);
  });

  it('does not repeat the leave of a node that a person held', () => {
    expect(attempt({ leave: well })).toMatchObject({ leftBefore: undefined, jobs: { leave: well } });
  });

  it('repeats one that failed, and still knows that the node may be out', () => {
    const status = attempt({ leave: failed });
    expect(status.jobs?.leave).toMatchObject({ again: true });
    expect(hasLeft(status)).toBe(true);
  });

  it('begins with an untouched host, and with the node in service where it was given back', () => {
    const before: TurnStatus = { phase: 'Undoing', jobs: { leave: failed, join: well }, leftBefore: true };
    const status = { ...before, ...givenBack(before) };
    expect(hasLeft(status)).toBe(false);
    expect(isHostTouched(status)).toBe(false);
    expect(newAttempt(status)).toEqual({ leftBefore: undefined, jobs: status.jobs });
  });
});
