import { describe, expect, it } from 'vitest';
import { stateAt } from '../../src/calendar/decide.js';
import { withoutFreeze, withoutWindows } from '../../src/calendar/schedule.js';
import { cron, freeze, hourMs, inZurich, once } from './schedules.js';

const yearEnd = freeze('2026-12-08', '2027-01-06', 'Year end');
const schedule = inZurich([cron('0 22 * * 2#2', 6 * hourMs)], [yearEnd]);
const at = (instant: string) => Date.parse(instant);

describe('the state of a schedule', () => {
  it('is open in a window, until it closes', () => {
    const state = stateAt({ schedule, now: at('2026-11-10T21:00:00Z') });
    expect(state).toMatchObject({ kind: 'open', window: { closesAt: at('2026-11-11T03:00:00Z'), endedBy: undefined } });
  });

  it('is closed outside, with the next window', () => {
    const state = stateAt({ schedule, now: at('2026-11-11T03:00:00Z') });
    expect(state).toMatchObject({ kind: 'closed', opensAt: at('2027-01-12T21:00:00Z'), frozenBy: undefined });
    expect(state.kind === 'closed' && state.next?.opening).toBe(at('2027-01-12T21:00:00Z'));
  });

  it('is frozen where only a freeze stands in the way, and names it', () => {
    const state = stateAt({ schedule, now: at('2026-12-08T22:00:00Z') });
    expect(state).toMatchObject({ kind: 'closed', frozenBy: 'Year end', opensAt: at('2027-01-12T21:00:00Z') });
    // In the freeze, and no window would be open.
    expect(stateAt({ schedule, now: at('2026-12-24T12:00:00Z') })).toMatchObject({ frozenBy: undefined });
  });

  it('is open in what was frozen for who overrides the freeze by its name', () => {
    const now = at('2026-12-08T22:00:00Z');
    expect(stateAt({ schedule: withoutFreeze(schedule, 'Year end'), now }).kind).toBe('open');
    expect(stateAt({ schedule: withoutFreeze(schedule, 'Other'), now }).kind).toBe('closed');
  });

  it('never opens again where the windows are past', () => {
    const state = stateAt({ schedule: inZurich([once('2020-01-01T00:00', hourMs)]), now: at('2026-11-10T21:00:00Z') });
    expect(state).toEqual({ kind: 'closed', opensAt: undefined, next: undefined, frozenBy: undefined });
  });
});

describe('a schedule without windows, or of which they do not count', () => {
  const always = withoutWindows(schedule);

  it('is open until the next freeze', () => {
    const state = stateAt({ schedule: always, now: at('2026-11-20T00:00:00Z') });
    expect(state).toEqual({ kind: 'always', closesAt: at('2026-12-07T23:00:00Z'), endedBy: 'Year end' });
  });

  it('is open without an end where there is none', () => {
    const state = stateAt({ schedule: always, now: at('2027-02-01T00:00:00Z') });
    expect(state).toEqual({ kind: 'always', closesAt: undefined, endedBy: undefined });
  });

  it('opens again where freezes that follow on one another end', () => {
    const freezes = [yearEnd, freeze('2027-01-07', '2027-01-09', 'Audit'), freeze('2027-01-11', '2027-01-12', 'Later')];
    const state = stateAt({ schedule: { ...always, freezes }, now: at('2026-12-24T12:00:00Z') });
    expect(state).toMatchObject({ kind: 'closed', opensAt: at('2027-01-09T23:00:00Z'), frozenBy: 'Year end' });
  });
});
