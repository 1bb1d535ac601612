import type { ClockChange, ClockChanges } from './clockChanges.js';
import { CalendarFault, propertiesOf, type Component } from './components.js';
import { momentOf, momentsOf } from './moments.js';
import type { DaysToAsk } from './recurrence.js';
import { seriesBegins } from './seriesBegins.js';
import type { ZoneSource } from './zones.js';

/** The zones that a file defines by itself (VTIMEZONE, RFC 5545, section 3.6.5), each reckoned once, when an event is in it. */
export function zonesOfFile(calendars: readonly Component[], toAsk: DaysToAsk): ZoneSource {
  const components = new Map<string, Component>();
  for (const component of calendars.flatMap(({ children }) => children)) {
    if (component.name === 'VTIMEZONE') components.set(textOf(component, 'TZID') ?? '', component);
  }
  const known = new Map<string, ClockChanges | CalendarFault>();
  return {
    locationOf: (tzid) => {
      const component = components.get(tzid);
      return component && textOf(component, 'X-LIC-LOCATION');
    },
    clockOf: (tzid) => {
      const component = components.get(tzid);
      if (component === undefined) return undefined;
      const changes = known.get(tzid) ?? changesOf(component, toAsk);
      known.set(tzid, changes);
      return changes;
    },
  };
}

function changesOf(zone: Component, toAsk: DaysToAsk): ClockChanges | CalendarFault {
  const observances = zone.children.filter(({ name }) => name === 'STANDARD' || name === 'DAYLIGHT');
  if (observances.length === 0) return new CalendarFault(zone.line, 'VTIMEZONE has neither STANDARD nor DAYLIGHT');
  const found: ClockChange[] = [];
  for (const observance of observances) {
    const changes = onsetsOf(observance, toAsk);
    if (changes instanceof CalendarFault) return changes;
    found.push(...changes);
  }
  return found.sort((one, other) => one.at - other.at);
}

/** Twice a year over five centuries are a thousand. */
const mostChanges = 10_000;

/** Every time that a STANDARD or DAYLIGHT begins; its times are those of the clock before. */
function onsetsOf(observance: Component, toAsk: DaysToAsk): ClockChanges | CalendarFault {
  const start = required(observance, 'DTSTART');
  if (start instanceof CalendarFault) return start;
  const begin = momentOf(start.values[0], start, noZones);
  if (begin instanceof CalendarFault) return begin;
  if (begin.kind === 'day') return new CalendarFault(start.line, 'DTSTART expected such as 20261025T030000');
  const fromMs = offsetMsOf(observance, 'TZOFFSETFROM');
  if (fromMs instanceof CalendarFault) return fromMs;
  const toMs = offsetMsOf(observance, 'TZOFFSETTO');
  if (toMs instanceof CalendarFault) return toMs;
  const begins = seriesBegins(observance, begin, { most: mostChanges, toAsk, wallTimeOf: (at) => at + fromMs });
  if (begins instanceof CalendarFault) return begins;
  const moments = [...begins];
  for (const property of propertiesOf(observance, 'RDATE')) {
    const more = property instanceof CalendarFault ? property : momentsOf(property, noZones);
    if (more instanceof CalendarFault) return more;
    moments.push(...more);
  }
  return moments.flatMap((moment) =>
    moment.kind === 'day' ? [] : [{ at: moment.wallMs - (moment.zone.kind === 'utc' ? 0 : fromMs), fromMs, toMs }],
  );
}

const noZones: ZoneSource = { locationOf: () => undefined, clockOf: () => undefined };

function required(component: Component, name: string) {
  const [property] = propertiesOf(component, name);
  return property ?? new CalendarFault(component.line, `${component.name} has no ${name}`);
}

/** Of TZOFFSETFROM and TZOFFSETTO, which jCal writes as `+01:00`. */
function offsetMsOf(component: Component, name: string): number | CalendarFault {
  const property = required(component, name);
  if (property instanceof CalendarFault) return property;
  const [value] = property.values;
  const match = /^([+-])([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(typeof value === 'string' ? value : '');
  if (match === null) return new CalendarFault(property.line, `${name} expected such as +0100`);
  const [, sign, hours, minutes, seconds = 0] = match;
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -ms : ms;
}

function textOf(component: Component, name: string): string | undefined {
  const [property] = propertiesOf(component, name);
  const value = property !== undefined && 'values' in property ? property.values[0] : undefined;
  return typeof value === 'string' ? value : undefined;
}
