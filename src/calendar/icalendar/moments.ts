import { dayMs, parseDay, parseWallTime } from '../wallClock.js';
import { CalendarFault, type Property } from './components.js';
import { zoneOf, type EventZone, type ZoneSource } from './zones.js';

/** A date, or a date and time on the clock of a zone. */
export type Moment =
  | { readonly kind: 'day'; readonly day: number }
  | { readonly kind: 'time'; readonly wallMs: number; readonly zone: EventZone };

/** The moments that a property names; periods by their beginning. */
export function momentsOf(property: Property, zones: ZoneSource): Moment[] | CalendarFault {
  const found: Moment[] = [];
  for (const value of property.values) {
    const moment = momentOf(Array.isArray(value) ? value[0] : value, property, zones);
    if (moment instanceof CalendarFault) return moment;
    found.push(moment);
  }
  return found;
}

/** A value of jCal such as `2026-12-15`, `2026-12-15T22:00:00` or `2026-12-15T22:00:00Z`. */
export function momentOf(value: unknown, property: Property, zones: ZoneSource): Moment | CalendarFault {
  const text = typeof value === 'string' ? value : '';
  // A date where the type says date-time: many programs leave VALUE=DATE out.
  const day = parseDay(text.replace(/T::$/, ''));
  if (day !== undefined) return { kind: 'day', day };
  const wallMs = parseWallTime(text.replace(/Z$/, ''));
  if (wallMs === undefined)
    return new CalendarFault(property.line, `${property.name} has no date or time that there is`);
  if (text.endsWith('Z')) return { kind: 'time', wallMs, zone: { kind: 'utc' } };
  const zone = zoneOf(property.parameters['tzid'], zones);
  if (zone instanceof CalendarFault) return zone;
  return zone === undefined
    ? new CalendarFault(
        property.line,
        `${property.name} is in time zone ${JSON.stringify(property.parameters['tzid'])}, which is no IANA zone and which no VTIMEZONE of the file defines`,
      )
    : { kind: 'time', wallMs, zone };
}

/** The same moment on the calendar alone. */
export function dayOfMoment(moment: Moment): number {
  return moment.kind === 'day' ? moment.day : Math.floor(moment.wallMs / dayMs);
}
