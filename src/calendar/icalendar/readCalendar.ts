import type { CalendarEvent } from '../schedule.js';
import { dayText, wallTimeText } from '../wallClock.js';
import { CalendarFault, propertiesOf, readComponents, type Component } from './components.js';
import { zonesOfFile } from './definedZones.js';
import { dayOfMoment, momentsOf, type Moment } from './moments.js';
import { momentKey, occurrencesOf, type Occurrence } from './occurrences.js';
import type { DaysToAsk } from './recurrence.js';
import { instantIn, type ZoneSource } from './zones.js';

export type CalendarAnswer =
  | { readonly kind: 'ok'; readonly events: readonly CalendarEvent[] }
  | {
      readonly kind: 'invalid';
      /** Of the file, counted from 1. */
      readonly line: number;
      /** What is wrong there, without a full stop. */
      readonly message: string;
    };

/** Events that a file may make, every occurrence counted. */
const mostEvents = 200_000;

/** Days that its rules may be asked for, whether they make events or not: some seconds. A rule without an end asks for 18 000. */
const mostDays = 5_000_000;

/**
 * Every time that an event of an iCalendar file (RFC 5545) takes place, up to 2075, in no order. Events with
 * STATUS:CANCELLED do not count, TRANSP:TRANSPARENT does: a holiday is often "free". What has no length freezes nothing
 * and is left out. Answers the first mistake with its line.
 */
export function readCalendar(text: string): CalendarAnswer {
  const calendars = readComponents(text.replace(/^\uFEFF/, ''));
  if (calendars instanceof CalendarFault) return invalid(calendars);
  const foreign = calendars.find(({ name }) => name !== 'VCALENDAR');
  if (foreign !== undefined) {
    return invalid(new CalendarFault(foreign.line, `expected BEGIN:VCALENDAR, not BEGIN:${foreign.name}`));
  }
  const toAsk: DaysToAsk = { left: mostDays };
  const zones = zonesOfFile(calendars, toAsk);
  const events = calendars.flatMap(({ children }) => children).filter(({ name }) => name === 'VEVENT');
  const moved = movedFrom(events, zones);
  if (moved instanceof CalendarFault) return invalid(moved);
  const found: CalendarEvent[] = [];
  for (const event of events) {
    const occurrences = occurrencesOf(event, zones, { most: mostEvents - found.length, toAsk });
    if (occurrences instanceof CalendarFault) return invalid(occurrences);
    if (textOf(event, 'STATUS').toUpperCase() === 'CANCELLED') continue;
    const summary = textOf(event, 'SUMMARY');
    const isSeries = !event.lines.some(({ name }) => name === 'RECURRENCE-ID');
    const away = isSeries ? moved.get(textOf(event, 'UID')) : undefined;
    for (const occurrence of occurrences) {
      if (away !== undefined && isAway(occurrence.from, away)) continue;
      found.push(...plainEvent(occurrence, summary));
    }
  }
  return { kind: 'ok', events: found };
}

/** By UID, the moments of a series that an event with RECURRENCE-ID takes the place of. */
function movedFrom(events: readonly Component[], zones: ZoneSource): ReadonlyMap<string, Set<string>> | CalendarFault {
  const moved = new Map<string, Set<string>>();
  for (const event of events) {
    const [property] = propertiesOf(event, 'RECURRENCE-ID');
    if (property === undefined) continue;
    if (property instanceof CalendarFault) return property;
    if (property.parameters['range'] !== undefined) {
      return new CalendarFault(
        property.line,
        'RECURRENCE-ID with RANGE is not understood; end the series and begin another',
      );
    }
    const moments = momentsOf(property, zones);
    if (moments instanceof CalendarFault) return moments;
    const uid = textOf(event, 'UID');
    const keys = moved.get(uid) ?? new Set();
    moved.set(uid, keys);
    for (const moment of moments) keys.add(momentKey(moment));
  }
  return moved;
}

/** A date means all of the day. */
function isAway(moment: Moment, keys: ReadonlySet<string>): boolean {
  return keys.has(momentKey(moment)) || keys.has(momentKey({ kind: 'day', day: dayOfMoment(moment) }));
}

function plainEvent({ from, until }: Occurrence, summary: string): CalendarEvent[] {
  if (from.kind === 'day' || until.kind === 'day') {
    if (from.kind !== 'day' || until.kind !== 'day' || until.day <= from.day) return [];
    return [{ kind: 'dates', summary, from: dayText(from.day), until: dayText(until.day - 1) }];
  }
  const [begin, end] = [instantIn(from.wallMs, from.zone), instantIn(until.wallMs, until.zone)];
  if (begin !== undefined && end !== undefined) {
    return begin < end ? [{ kind: 'instants', summary, from: begin, until: end }] : [];
  }
  if (from.wallMs >= until.wallMs) return [];
  return [{ kind: 'local', summary, from: wallTimeText(from.wallMs), until: wallTimeText(until.wallMs) }];
}

function textOf(component: Component, name: string): string {
  const [property] = propertiesOf(component, name);
  const value = property !== undefined && 'values' in property ? property.values[0] : undefined;
  return typeof value === 'string' ? value.trim() : '';
}

function invalid({ line, message }: CalendarFault): CalendarAnswer {
  return { kind: 'invalid', line, message };
}
