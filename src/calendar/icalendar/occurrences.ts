import ICAL from 'ical.js';
import { dayMs } from '../wallClock.js';
import { CalendarFault, propertiesOf, type Component, type Property } from './components.js';
import { dayOfMoment, momentOf, momentsOf, type Moment } from './moments.js';
import { seriesBegins, type RuleLimits } from './seriesBegins.js';
import { instantIn, isSameZone, wallTimeIn, type ZoneSource } from './zones.js';

/** One time that an event takes place. */
export interface Occurrence {
  readonly from: Moment;
  /** Not part of it. */
  readonly until: Moment;
}

/** The times of one VEVENT by itself, EXDATE taken out. */
export function occurrencesOf(
  event: Component,
  zones: ZoneSource,
  limits: Omit<RuleLimits, 'wallTimeOf'>,
): readonly Occurrence[] | CalendarFault {
  const [start, ...more] = propertiesOf(event, 'DTSTART');
  if (start === undefined) return new CalendarFault(event.line, 'VEVENT has no DTSTART');
  if (start instanceof CalendarFault) return start;
  if (more.length > 0) return new CalendarFault(event.line, 'VEVENT has more than one DTSTART');
  const from = momentOf(start.values[0], start, zones);
  if (from instanceof CalendarFault) return from;
  const length = lengthOf(event, from, zones);
  if (length instanceof CalendarFault) return length;
  const wallTimeOf = (at: number) => (from.kind === 'time' ? wallTimeIn(at, from.zone) : at);
  const begins = seriesBegins(event, from, { ...limits, wallTimeOf });
  if (begins instanceof CalendarFault) return begins;
  const left = momentsIn(event, 'EXDATE', zones);
  if (left instanceof CalendarFault) return left;
  const isLeft = exceptions(left, from);
  const found = begins.filter((begin) => !isLeft(begin)).map((begin) => ({ from: begin, until: length(begin) }));
  const extra = periodsOf(event, zones, length);
  return extra instanceof CalendarFault ? extra : [...found, ...extra.filter((each) => !isLeft(each.from))];
}

/** Whether two moments are the same, a floating clock as itself. */
export function momentKey(moment: Moment): string {
  if (moment.kind === 'day') return `day ${moment.day}`;
  const at = instantIn(moment.wallMs, moment.zone);
  return at === undefined ? `local ${moment.wallMs}` : `at ${at}`;
}

/** How an event ends that begins at a moment. On its own clock, so that 22:00 to 04:00 stays that in every season. */
function lengthOf(event: Component, from: Moment, zones: ZoneSource): ((begin: Moment) => Moment) | CalendarFault {
  const [end] = propertiesOf(event, 'DTEND');
  if (end instanceof CalendarFault) return end;
  if (end !== undefined) {
    const until = momentOf(end.values[0], end, zones);
    if (until instanceof CalendarFault) return until;
    const ms = distanceMs(from, until);
    return ms === undefined || ms < 0
      ? new CalendarFault(
          end.line,
          ms === undefined ? 'DTEND is a date where DTSTART is none, or the reverse' : 'DTEND is before DTSTART',
        )
      : (begin) => later(begin, ms);
  }
  const [duration] = propertiesOf(event, 'DURATION');
  if (duration instanceof CalendarFault) return duration;
  if (duration !== undefined) {
    const ms = durationMs(duration.values[0]);
    return ms === undefined
      ? new CalendarFault(duration.line, 'DURATION expected such as PT6H or P1D')
      : (begin) => later(begin, ms);
  }
  // RFC 5545, section 3.6.1: a date without an end is a day, a time without an end takes no time.
  return (begin) => later(begin, begin.kind === 'day' ? dayMs : 0);
}

function distanceMs(from: Moment, until: Moment): number | undefined {
  if (from.kind === 'day' || until.kind === 'day') {
    return from.kind === until.kind ? (dayOfMoment(until) - dayOfMoment(from)) * dayMs : undefined;
  }
  if (isSameZone(from.zone, until.zone)) return until.wallMs - from.wallMs;
  const [start, end] = [instantIn(from.wallMs, from.zone), instantIn(until.wallMs, until.zone)];
  return start === undefined || end === undefined ? undefined : end - start;
}

function later(moment: Moment, ms: number): Moment {
  if (moment.kind === 'day') return { kind: 'day', day: moment.day + Math.max(1, Math.ceil(ms / dayMs)) };
  return { ...moment, wallMs: moment.wallMs + ms };
}

function durationMs(value: unknown): number | undefined {
  const text = typeof value === 'string' ? value : '';
  return ICAL.Duration.isValueString(text) && !text.startsWith('-')
    ? ICAL.Duration.fromString(text).toSeconds() * 1000
    : undefined;
}

/** Whether an EXDATE means a moment: the same, or its whole day where a date is written for an event with times. */
function exceptions(left: readonly Moment[], from: Moment): (moment: Moment) => boolean {
  const asOfEvent = (moment: Moment): Moment =>
    moment.kind === 'time' && moment.zone.kind === 'floating' && from.kind === 'time'
      ? { ...moment, zone: from.zone }
      : moment;
  if (left.length === 0) return () => false;
  const keys = new Set(left.map((moment) => momentKey(asOfEvent(moment))));
  return (moment) => keys.has(momentKey(moment)) || keys.has(momentKey({ kind: 'day', day: dayOfMoment(moment) }));
}

function momentsIn(event: Component, name: string, zones: ZoneSource): readonly Moment[] | CalendarFault {
  const found: Moment[] = [];
  for (const property of propertiesOf(event, name)) {
    if (property instanceof CalendarFault) return property;
    const moments = momentsOf(property, zones);
    if (moments instanceof CalendarFault) return moments;
    found.push(...moments);
  }
  return found;
}

/** RDATE: moments, or periods with an end of their own. */
function periodsOf(
  event: Component,
  zones: ZoneSource,
  length: (begin: Moment) => Moment,
): readonly Occurrence[] | CalendarFault {
  const found: Occurrence[] = [];
  for (const property of propertiesOf(event, 'RDATE')) {
    if (property instanceof CalendarFault) return property;
    for (const value of property.values) {
      const occurrence = periodOf(value, property, zones, length);
      if (occurrence instanceof CalendarFault) return occurrence;
      found.push(occurrence);
    }
  }
  return found;
}

function periodOf(
  value: unknown,
  property: Property,
  zones: ZoneSource,
  length: (begin: Moment) => Moment,
): Occurrence | CalendarFault {
  const [begin, end] = Array.isArray(value) ? (value as unknown[]) : [value];
  const from = momentOf(begin, property, zones);
  if (from instanceof CalendarFault) return from;
  if (end === undefined) return { from, until: length(from) };
  const ms = durationMs(end);
  const until = ms === undefined ? momentOf(end, property, zones) : later(from, ms);
  return until instanceof CalendarFault ? until : { from, until };
}
