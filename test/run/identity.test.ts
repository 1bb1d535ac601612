import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodOf } from '../../src/calendar/period.js';
import { periodOfRun, runName } from '../../src/run/identity.js';

function nameAt(instant: string, timeZone: string, rehearsal?: number): string {
  const period = periodOf(Date.parse(instant), timeZone);
  return runName({ playbook: 'monthly', period, number: rehearsal ?? 0, rehearsal: rehearsal !== undefined });
}

describe('the name of a run', () => {
  it.each([
    { at: '2026-11-10T21:00:00Z', zone: 'Europe/Zurich', name: 'monthly-2026-11', why: 'the middle of a month' },
    { at: '2026-11-30T22:59:59Z', zone: 'Europe/Zurich', name: 'monthly-2026-11', why: 'one second before midnight' },
    { at: '2026-11-30T23:00:00Z', zone: 'Europe/Zurich', name: 'monthly-2026-12', why: 'midnight in winter time' },
    { at: '2026-06-30T22:00:00Z', zone: 'Europe/Zurich', name: 'monthly-2026-07', why: 'midnight in summer time' },
    { at: '2026-06-30T21:59:59Z', zone: 'Europe/Zurich', name: 'monthly-2026-06', why: 'just before it' },
    { at: '2026-12-31T23:30:00Z', zone: 'UTC', name: 'monthly-2026-12', why: 'the last half hour of a year' },
    { at: '2026-12-31T23:30:00Z', zone: 'Asia/Tokyo', name: 'monthly-2027-01', why: 'the new year east of it' },
    { at: '2027-01-01T04:59:59Z', zone: 'America/New_York', name: 'monthly-2026-12', why: 'the old year west of it' },
    { at: '2026-10-31T09:59:00Z', zone: 'Pacific/Kiritimati', name: 'monthly-2026-10', why: '14 hours ahead' },
    { at: '2026-10-31T10:00:00Z', zone: 'Pacific/Kiritimati', name: 'monthly-2026-11', why: 'its midnight' },
    { at: '2026-01-31T18:14:59Z', zone: 'Asia/Kathmandu', name: 'monthly-2026-01', why: 'a zone of 5 h 45 min' },
    { at: '2026-01-31T18:15:00Z', zone: 'Asia/Kathmandu', name: 'monthly-2026-02', why: 'its midnight' },
  ])('is $name at $at in $zone: $why', ({ at, zone, name }) => {
    expect(nameAt(at, zone)).toBe(name);
  });

  it('of a rehearsal is another one, with its number', () => {
    expect(nameAt('2026-11-10T21:00:00Z', 'UTC', 1)).toBe('monthly-2026-11-rehearsal-1');
    expect(nameAt('2026-11-10T21:00:00Z', 'UTC', 12)).toBe('monthly-2026-11-rehearsal-12');
  });

  it('has year and month as they stand in the calendar of the zone, and fits into a label', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2020-01-01T00:00:00Z'), max: new Date('2099-12-31T00:00:00Z'), noInvalidDate: true }),
        fc.constantFrom('UTC', 'Europe/Zurich', 'America/Los_Angeles', 'Australia/Lord_Howe', 'Asia/Kolkata'),
        fc.option(fc.integer({ min: 1, max: 999 }), { nil: undefined }),
        (at, timeZone, rehearsal) => {
          const longestPlaybookName = 'p'.repeat(40);
          const period = periodOf(at.getTime(), timeZone);
          const run = {
            playbook: longestPlaybookName,
            period,
            number: rehearsal ?? 0,
            rehearsal: rehearsal !== undefined,
          };
          const name = runName(run);
          expect(periodOfRun(name, longestPlaybookName)).toBe(period);
          // Swedish writes dates as ISO 8601 does.
          const month = at.toLocaleDateString('sv-SE', { timeZone }).slice(0, 7);
          expect(name.startsWith(`${longestPlaybookName}-${month}`)).toBe(true);
          expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
        },
      ),
    );
  });

  it.each([
    { name: 'monthly-2026-11', period: '2026-11' },
    { name: 'monthly-2026-11-x2', period: '2026-11' },
    { name: 'monthly-2026-11-rehearsal-1', period: '2026-11' },
    { name: 'monthly-2026-11-xy', period: undefined },
    { name: 'monthly-gpu-2026-11', period: undefined },
    { name: 'weekly-2026-11', period: undefined },
  ])('of which $name tells the period $period', ({ name, period }) => {
    expect(periodOfRun(name, 'monthly')).toBe(period);
  });
});
