import { dayMs } from '../wallClock.js';
import { CalendarFault, propertiesOf, type Component } from './components.js';
import { dayOfMoment, type Moment } from './moments.js';
import { lastDayOfRules, recurringDays, type DaysToAsk } from './recurrence.js';
import { readRecurrenceRule, type RecurrenceRule } from './recurrenceRule.js';

/** How far the rules of a file are followed. */
export interface RuleLimits {
  /** More begins than this are a mistake. */
  readonly most: number;
  readonly toAsk: DaysToAsk;
  /** What the clock of the component shows at an instant that UNTIL names in UTC. */
  readonly wallTimeOf: (at: number) => number;
}

/** DTSTART and what RRULE makes of it. */
export function seriesBegins(
  component: Component,
  from: Moment,
  { most, toAsk, wallTimeOf }: RuleLimits,
): readonly Moment[] | CalendarFault {
  const begins: Moment[] = [from];
  for (const property of propertiesOf(component, 'RRULE')) {
    if (property instanceof CalendarFault) return property;
    const rule = readRecurrenceRule(property);
    if (rule instanceof CalendarFault) return rule;
    const { recurrence, count = Number.POSITIVE_INFINITY } = rule;
    const lastMs = lastBeginOf(rule, from, wallTimeOf);
    const lastDay = Math.min(lastDayOfRules, Math.floor(lastMs / dayMs));
    let made = 0;
    for (const day of recurringDays({ recurrence, firstDay: dayOfMoment(from), lastDay, toAsk })) {
      const begin = onDay(from, day);
      if (made >= count || wallMsOf(begin) > lastMs) break;
      made += 1;
      if (made > 1) begins.push(begin);
      if (begins.length > most) {
        return new CalendarFault(
          property.line,
          `RRULE makes more than ${most} events up to 2075; give it an UNTIL or COUNT`,
        );
      }
    }
    if (toAsk.left < 0) {
      const message = 'RRULE and those before it have too many days to be looked at up to 2075; give them an UNTIL';
      return new CalendarFault(property.line, message);
    }
  }
  return begins;
}

function onDay(moment: Moment, day: number): Moment {
  if (moment.kind === 'day') return { kind: 'day', day };
  return { ...moment, wallMs: moment.wallMs + (day - dayOfMoment(moment)) * dayMs };
}

/** UNTIL is UTC where DTSTART has a zone (RFC 5545), and is compared on the clock of the event. */
function lastBeginOf({ until }: RecurrenceRule, from: Moment, wallTimeOf: RuleLimits['wallTimeOf']): number {
  if (until === undefined) return Number.POSITIVE_INFINITY;
  return until.isUtc && from.kind === 'time' ? wallTimeOf(until.wallMs) : until.wallMs;
}

function wallMsOf(moment: Moment): number {
  return moment.kind === 'day' ? moment.day * dayMs : moment.wallMs;
}
