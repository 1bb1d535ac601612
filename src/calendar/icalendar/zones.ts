import ICAL from 'ical.js';
import { instantOf, wallTimeOf } from '../wallClock.js';
import { propertiesOf, type Component } from './components.js';

/** The clock of an event. */
export type EventZone =
  | { readonly kind: 'utc' }
  /** That of the schedule (RFC 5545: "floating"). */
  | { readonly kind: 'floating' }
  | { readonly kind: 'iana'; readonly name: string }
  /** Defined in the file, by a name that is no IANA zone. */
  | { readonly kind: 'defined'; readonly name: string; readonly definition: ICAL.Timezone };

/** The VTIMEZONE components of a file by their TZID. */
export type ZoneSource = ReadonlyMap<string, Component>;

export function zonesOfFile(calendars: readonly Component[]): ZoneSource {
  const zones = new Map<string, Component>();
  for (const component of calendars.flatMap(({ children }) => children)) {
    if (component.name === 'VTIMEZONE') zones.set(textOf(component, 'TZID') ?? '', component);
  }
  return zones;
}

/**
 * The zone of a TZID. An IANA name counts as such whatever VTIMEZONE says of it, also behind a prefix
 * (`/citadel.org/20210210_1/Europe/Zurich`) or as X-LIC-LOCATION of the definition; else the definition counts, as for
 * the names of Windows. Undefined where it is neither.
 */
export function zoneOf(tzid: string | undefined, zones: ZoneSource): EventZone | undefined {
  if (tzid === undefined) return { kind: 'floating' };
  const definition = zones.get(tzid);
  const location = definition === undefined ? undefined : textOf(definition, 'X-LIC-LOCATION');
  const parts = tzid.split('/').filter((part) => part !== '');
  const names = [tzid, location ?? '', ...[3, 2].map((count) => parts.slice(-count).join('/'))];
  const name = names.find(isIanaZone);
  if (name !== undefined) return { kind: 'iana', name };
  return definition === undefined
    ? undefined
    : { kind: 'defined', name: tzid, definition: definedZone(tzid, definition) };
}

/** The instant at which the clock of the zone shows this; undefined for a floating one, which has none by itself. */
export function instantIn(wallMs: number, zone: EventZone): number | undefined {
  switch (zone.kind) {
    case 'utc':
      return wallMs;
    case 'floating':
      return undefined;
    case 'iana':
      return instantOf(wallMs, zone.name);
    case 'defined':
      return timeOf(wallMs, zone.definition).toUnixTime() * 1000;
  }
}

/** What the clock of the zone shows at this instant; of a floating one, as if it were UTC. */
export function wallTimeIn(at: number, zone: EventZone): number {
  switch (zone.kind) {
    case 'utc':
    case 'floating':
      return at;
    case 'iana':
      return wallTimeOf(at, zone.name);
    case 'defined': {
      const shown = timeOf(at, ICAL.Timezone.utcTimezone).convertToZone(zone.definition);
      return Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute, shown.second);
    }
  }
}

export function isSameZone(one: EventZone, other: EventZone): boolean {
  const nameOf = (zone: EventZone) => ('name' in zone ? zone.name : '');
  return one.kind === other.kind && nameOf(one) === nameOf(other);
}

function timeOf(wallMs: number, zone: ICAL.Timezone): ICAL.Time {
  const date = new Date(wallMs);
  const fields = {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    isDate: false,
  };
  return new ICAL.Time(fields, zone);
}

function definedZone(tzid: string, component: Component): ICAL.Timezone {
  return new ICAL.Timezone({ component: textOfComponent(component).join('\r\n'), tzid });
}

function textOfComponent({ name, lines, children }: Component): string[] {
  return [`BEGIN:${name}`, ...lines.map(({ text }) => text), ...children.flatMap(textOfComponent), `END:${name}`];
}

function textOf(component: Component, name: string): string | undefined {
  const [property] = propertiesOf(component, name);
  const value = property !== undefined && 'values' in property ? property.values[0] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function isIanaZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
