import { describe, expect, it } from 'vitest';
import { drainMark, drainRestartMark } from '../../src/run/drainMark.js';

describe('the mark of a drain by hand', () => {
  it('is the user on the cordon, so that a drain goes on whenever it was begun', () => {
    expect(drainMark('anna')).toBe('drain/anna');
  });

  it('is the user and the day on what is restarted, so that another drain restarts again', () => {
    const marks = ['2026-11-30T00:00:00Z', '2026-11-30T23:59:59Z', '2026-12-01T00:00:00Z'].map((time) =>
      drainRestartMark('anna', Date.parse(time)),
    );
    expect(marks).toEqual(['drain/anna@2026-11-30', 'drain/anna@2026-11-30', 'drain/anna@2026-12-01']);
  });
});
