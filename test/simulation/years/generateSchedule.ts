import type { FreezeRule, Schedule, WindowRule } from '../../../src/calendar/schedule.js';
import { dayAt, dayMs, dayText, wallTimeOf, wallTimeText } from '../../../src/calendar/wallClock.js';
import { windowsFrom, type Window } from '../../../src/calendar/windows.js';
import type { SeededRandom } from '../../../src/sandbox/seededRandom.js';

const minute = 60_000;
const hour = 60 * minute;

interface Span {
  readonly beginsAt: number;
  readonly endsAt: number;
  readonly random: SeededRandom;
}

/**
 * One to three cron windows, so long that all nodes have their turns in them, or so short that only some do; now and then
 * a window that opens once; freezes by dates, by a rule and from a calendar, of which some begin while a window is open.
 */
export function generateSchedule(span: Span): Schedule {
  const { random } = span;
  const timeZone = random.pick(zones);
  const windows = [...cronWindows(random), ...onceWindows(span, timeZone)];
  const plain: Schedule = { timeZone, windows, freezes: [] };
  const open = windowsFrom({ schedule: plain, from: span.beginsAt, until: span.endsAt });
  return { ...plain, freezes: generateFreezes({ ...span, timeZone, open }) };
}

/** Some without changes of the clock, in the others it is set by an hour or by half of one, in March or in October. */
const zones = [
  'Europe/Zurich',
  'Europe/Zurich',
  'America/New_York',
  'Australia/Lord_Howe',
  'UTC',
  'Asia/Kolkata',
  'America/Sao_Paulo',
];

/** Some at the turn of a month or of a day, some at times that clocks skip or show twice. */
const monthly = [
  '0 22 * * 2#2',
  '0 22 * * 3#3',
  '50 23 * * 2#2',
  '0 22 L * *',
  '30 23 L * *',
  '30 0 1 * *',
  '30 2 * * 0L',
  '15 2 * * 0#1',
  '30 2 * * 0#2',
  '30 1 * * 0#1',
  '0 3 15W * *',
  '0 4 LW * *',
  '52 23 28 * *',
  '0 20,22 * * 4#2',
];
const moreOften = ['0 2 * * 6', '0 22 5,20 * *', '55 23 * * 3'];

function cronWindows(random: SeededRandom): WindowRule[] {
  const expressions = new Set(
    Array.from({ length: random.pick([1, 1, 2, 2, 3]) }, (_, number) =>
      random.pick(number === 0 && random.chance(0.2) ? moreOften : monthly),
    ),
  );
  return [...expressions].map((expression) => ({ kind: 'cron', expression, durationMs: durationMs(random) }));
}

/** A turn takes a minute or three, and is taken to need seven or more as long as none is known. */
function durationMs(random: SeededRandom): number {
  const choice = random.next();
  if (choice < 0.5) return random.between(8, 15) * minute;
  if (choice < 0.75) return random.between(16, 40) * minute;
  return choice < 0.98 ? random.between(1, 2) * hour : 30 * hour;
}

function onceWindows({ beginsAt, endsAt, random }: Span, timeZone: string): WindowRule[] {
  return Array.from({ length: random.pick([0, 0, 1, 2]) }, () => {
    const at = Math.floor(random.between(beginsAt, endsAt) / minute) * minute;
    return { kind: 'once', opens: wallTimeText(wallTimeOf(at, timeZone)), durationMs: durationMs(random) };
  });
}

interface Open extends Span {
  readonly timeZone: string;
  /** The windows without any freeze. */
  readonly open: readonly Window[];
}

function generateFreezes(parts: Open): FreezeRule[] {
  const { random } = parts;
  const makers: ((parts: Open) => FreezeRule | undefined)[] = [
    someDates,
    someDates,
    datesInWindow,
    datesInWindow,
    instantsInWindow,
    instantsInWindow,
    instantsInWindow,
    byRule,
  ];
  return Array.from({ length: random.pick([0, 1, 2, 4, 6]) }, () => random.pick(makers)(parts))
    .filter((freeze) => freeze !== undefined)
    .map((freeze, number) => ({ ...freeze, name: `${freeze.name} ${String(number + 1)}` }));
}

function someDates({ beginsAt, endsAt, random }: Open): FreezeRule {
  const first = Math.floor(random.between(beginsAt, endsAt) / dayMs);
  return { kind: 'dates', name: 'Audit', from: dayText(first), until: dayText(first + random.between(0, 20)) };
}

/** From a midnight on that comes while a window is open, where there is such a window. */
function datesInWindow({ open, timeZone, random }: Open): FreezeRule | undefined {
  const through = open.filter(({ opensAt, closesAt }) => dayAt(opensAt, timeZone) < dayAt(closesAt - 1, timeZone));
  if (through.length === 0) return undefined;
  const first = dayAt(random.pick(through).closesAt - 1, timeZone);
  return { kind: 'dates', name: 'Release', from: dayText(first), until: dayText(first + random.between(0, 3)) };
}

/** Within a window: of some, both ends are. */
function instantsInWindow({ open, random }: Open): FreezeRule | undefined {
  if (open.length === 0) return undefined;
  const { opensAt, closesAt } = random.pick(open);
  const within = (least: number) => Math.floor(random.between(least, closesAt) / 1000) * 1000;
  const from = within(opensAt);
  const until = random.chance(0.5) ? within(from) : from + random.between(1, 72) * hour;
  if (until === from) return undefined;
  return { kind: 'calendar', name: 'Match', events: [{ kind: 'instants', summary: 'Final', from, until }] };
}

function byRule({ random }: Open): FreezeRule {
  const rule = random.pick(['month-end', 'quarter-end', 'year-end'] as const);
  return { kind: 'rule', name: 'Closing', rule, daysBefore: random.between(0, 4), daysAfter: random.between(0, 4) };
}
