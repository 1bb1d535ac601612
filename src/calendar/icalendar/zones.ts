import { instantOf, wallTimeOf } from '../wallClock.js';
import { instantByChanges, wallTimeByChanges, type ClockChanges } from './clockChanges.js';
import { CalendarFault } from './components.js';

/** The clock of an event. */
export type EventZone =
  | { readonly kind: 'utc' }
  /** That of the schedule (RFC 5545: "floating"). */
  | { readonly kind: 'floating' }
  | { readonly kind: 'iana'; readonly name: string }
  /** Defined in the file, by a name that is no IANA zone. */
  | { readonly kind: 'defined'; readonly name: string; readonly changes: ClockChanges };

/** What a file says of the zones that its events name. */
export interface ZoneSource {
  /** X-LIC-LOCATION of the definition; undefined where it has none, or there is no definition. */
  locationOf(tzid: string): string | undefined;
  /** The clock that is defined; undefined where the file defines none of this name. */
  clockOf(tzid: string): ClockChanges | CalendarFault | undefined;
}

/**
 * The zone of a TZID. An IANA name counts as such whatever VTIMEZONE says of it, also behind a prefix
 * (`/citadel.org/20210210_1/Europe/Zurich`) or as X-LIC-LOCATION of the definition; else the definition counts, as for
 * the names of Windows. Undefined where it is neither.
 */
export function zoneOf(tzid: string | undefined, zones: ZoneSource): EventZone | CalendarFault | undefined {
  if (tzid === undefined) return { kind: 'floating' };
  const parts = tzid.split('/').filter((part) => part !== '');
  const names = [tzid, zones.locationOf(tzid) ?? '', ...[3, 2].map((count) => parts.slice(-count).join('/'))];
  const name = names.find(isIanaZone);
  if (name !== undefined) return { kind: 'iana', name };
  const changes = zones.clockOf(tzid);
  return changes === undefined || changes instanceof CalendarFault ? changes : { kind: 'defined', name: tzid, changes };
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
      return instantByChanges(wallMs, zone.changes);
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
    case 'defined':
      return wallTimeByChanges(at, zone.changes);
  }
}

export function isSameZone(one: EventZone, other: EventZone): boolean {
  const nameOf = (zone: EventZone) => ('name' in zone ? zone.name : '');
  return one.kind === other.kind && nameOf(one) === nameOf(other);
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
