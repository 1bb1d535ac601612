import { closedForYear } from '../calendar/closedForYear.js';
import { coverageFindings } from '../calendar/coverage.js';
import type { CalendarFreeze, Schedule } from '../calendar/schedule.js';
import { clockText, parseDay } from '../calendar/wallClock.js';
import type { FieldPath, Problem } from './mistake.js';
import { valueAt, valuesAt } from './writtenContent.js';

/** Rules between the fields of `spec.schedule`, on the file as parsed. */
export function scheduleContradictions(content: unknown): Problem[] {
  return [
    ...mappingsAt(content, 'windows').flatMap(wrongWindow),
    ...mappingsAt(content, 'freezes').flatMap(wrongFreeze),
    ...repeatedNames(content),
  ];
}

/** What is allowed and leaves nodes without their turn, as the coming windows are at `now`. */
export function scheduleCautions(
  schedule: Schedule & { readonly coverageMs: number | undefined },
  now: number,
): Problem[] {
  const calendars = schedule.freezes.flatMap((freeze, place) =>
    freeze.kind === 'calendar' ? staleCalendar(freeze, place, { schedule, now }) : [],
  );
  const closed = neverOpen(schedule, now);
  const { coverageMs } = schedule;
  if (closed.length > 0 || coverageMs === undefined) return [...calendars, ...closed];
  const findings = coverageFindings({ schedule, coverageMs, now });
  return [
    ...calendars,
    ...findings.map(({ code, message, hint }) => ({
      path: [...scheduleField, 'coverage'],
      at: 'value' as const,
      message: `${code}: ${message} ${hint}`,
    })),
  ];
}

const scheduleField = ['spec', 'schedule'];

interface WrittenMapping {
  readonly path: FieldPath;
  readonly value: object;
}

function mappingsAt(content: unknown, list: 'windows' | 'freezes'): WrittenMapping[] {
  return valuesAt(content, [...scheduleField, list, '*']).flatMap(({ path, value }) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? [{ path, value }] : [],
  );
}

function wrongWindow({ path, value }: WrittenMapping): Problem[] {
  const given = writtenKeys(value, ['opens', 'from']);
  if (given.length === 2) return [{ path, at: 'value', message: 'has opens and from; make two windows of it' }];
  const message = 'never opens; give opens (a cron expression), or from (a local date and time, for once)';
  return hasOnly(value, ['duration']) ? [{ path, at: 'value', message }] : [];
}

function wrongFreeze({ path, value }: WrittenMapping): Problem[] {
  const dates = writtenKeys(value, ['from', 'until']);
  const kinds = [...(dates.length > 0 ? ['dates'] : []), ...writtenKeys(value, ['rule', 'calendar'])];
  if (kinds.length > 1) {
    const message = `has ${kinds.join(' and ')}; make freezes of them, each with a name of its own`;
    return [{ path, at: 'value', message }];
  }
  if (hasOnly(value, ['name', 'daysBefore', 'daysAfter'])) {
    return [{ path, at: 'value', message: 'freezes nothing; give from and until, a rule or a calendar' }];
  }
  const strayDays = kinds[0] === 'rule' ? [] : writtenKeys(value, ['daysBefore', 'daysAfter']);
  return [
    ...strayDays.map((key): Problem => ({
      path: [...path, key],
      at: 'key',
      message: 'means something with a rule only',
    })),
    ...(dates.length === 1
      ? [halfDates(path, dates[0] === 'from' ? 'until' : 'from')]
      : reversedDates({ path, value })),
  ];
}

/** A misspelt key is a mistake of its own, and probably what is missing. */
function hasOnly(value: object, keys: readonly string[]): boolean {
  return Object.keys(value).every((key) => keys.includes(key));
}

function halfDates(path: FieldPath, missing: 'from' | 'until'): Problem {
  const meant = missing === 'until' ? 'the last day, which may be that of from' : 'the first day';
  return { path: [...path, missing], at: 'value', message: `is missing; expected ${meant}` };
}

function reversedDates({ path, value }: WrittenMapping): Problem[] {
  const [from, until] = [valueAt(value, ['from']), valueAt(value, ['until'])].map((text) =>
    typeof text === 'string' ? parseDay(text) : undefined,
  );
  if (from === undefined || until === undefined || from <= until) return [];
  return [{ path: [...path, 'until'], at: 'value', message: `is before from, ${String(valueAt(value, ['from']))}` }];
}

function repeatedNames(content: unknown): Problem[] {
  const seen = new Set<unknown>();
  return valuesAt(content, [...scheduleField, 'freezes', '*', 'name']).flatMap(({ path, value }): Problem[] => {
    if (!seen.has(value)) {
      seen.add(value);
      return [];
    }
    return [
      { path, at: 'value', message: 'is the name of a freeze before; by its name one is overridden, so give another' },
    ];
  });
}

function writtenKeys(value: object, keys: readonly string[]): string[] {
  return keys.filter((key) => valueAt(value, [key]) !== undefined);
}

function neverOpen(schedule: Schedule, now: number): Problem[] {
  const closed = closedForYear({ schedule, now });
  switch (closed?.kind) {
    case undefined:
      return [];
    case 'no-window': {
      const message = `none opens in the year after ${clockText(now, schedule.timeZone)}, so that no run starts; add one that comes again`;
      return [{ path: [...scheduleField, 'windows'], at: 'key', message }];
    }
    case 'frozen': {
      const frozen =
        closed.windows === 0
          ? 'all of the coming year is frozen'
          : `all ${closed.windows} windows of the coming year are frozen`;
      const message = `${frozen}, by ${closed.freezes.join(', ')}: no run starts; shorten one of them`;
      return [{ path: [...scheduleField, 'freezes'], at: 'key', message }];
    }
  }
}

/** A file that somebody forgot to renew looks like one that allows everything. */
function staleCalendar(
  { events }: CalendarFreeze,
  place: number,
  { schedule, now }: { readonly schedule: Schedule; readonly now: number },
): Problem[] {
  const path = [...scheduleField, 'freezes', place, 'calendar'];
  const ends = events.map((event) => {
    switch (event.kind) {
      case 'dates':
        return `${event.until} 24:00`;
      case 'local':
        return event.until.replace('T', ' ');
      case 'instants':
        return clockText(event.until, schedule.timeZone);
    }
  });
  const last = ends.reduce((latest, end) => (end > latest ? end : latest), '');
  if (last === '') return [{ path, at: 'value', message: 'has no event that freezes anything' }];
  if (last > clockText(now, schedule.timeZone)) return [];
  return [
    {
      path,
      at: 'value',
      message: `has no event after ${last.slice(0, 10)}, so that it freezes nothing; renew the file`,
    },
  ];
}
