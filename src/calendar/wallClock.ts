import { Temporal } from 'temporal-polyfill';

/*
 * The clock on the wall of a time zone. A date and time of day on it is a number of milliseconds counted as if it were
 * UTC ("wall time"), a date a number of days since 1970-01-01 ("day"): both say nothing without a zone, and take plain
 * arithmetic. Here alone they become instants.
 */

/** Milliseconds of a day of 24 hours. */
export const dayMs = 86_400_000;

/**
 * The instant at which the clock of the zone shows this time. A time that the clock skips is the first instant after
 * the gap; of one that comes twice it is the first pass. Never decreasing in `wallMs`.
 */
export function instantOf(wallMs: number, timeZone: string): number {
  const before = plainDateTime(wallMs).toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  if (shownBy(before) === wallMs) return before.epochMilliseconds;
  const gap = before.getTimeZoneTransition('next');
  if (gap === null) throw new RangeError(`${wallTimeText(wallMs)} is skipped in ${timeZone} by no change of the clock`);
  return gap.epochMilliseconds;
}

/**
 * {@link instantOf} for many wall times of one day: the clock is asked once, whatever the number. Times of other days
 * are not to be given.
 */
export function clockOfDay(day: number, timeZone: string): (wallMs: number) => number {
  const start = startOfDay(day, timeZone);
  const end = startOfDay(day + 1, timeZone);
  if (end - start === dayMs) return (wallMs) => start + (wallMs - day * dayMs);
  const stretches = [{ from: start, offsetMs: offsetMsAt(start, timeZone) }];
  let change = zonedAt(start, timeZone).getTimeZoneTransition('next');
  while (change !== null && change.epochMilliseconds < end) {
    stretches.push({ from: change.epochMilliseconds, offsetMs: change.offsetNanoseconds / 1e6 });
    change = change.getTimeZoneTransition('next');
  }
  return (wallMs) => {
    const place = stretches.findIndex(({ offsetMs }, index) => {
      const next = stretches[index + 1];
      return next === undefined || wallMs - offsetMs < next.from;
    });
    const { from, offsetMs } = stretches[place] ?? { from: start, offsetMs: 0 };
    // Before the stretch begins: the clock has skipped it.
    return Math.max(from, wallMs - offsetMs);
  };
}

/** What the clock of the zone shows at this instant. */
export function wallTimeOf(at: number, timeZone: string): number {
  return at + offsetMsAt(at, timeZone);
}

/** How far the clock of the zone is ahead of UTC at this instant. */
export function offsetMsAt(at: number, timeZone: string): number {
  return zonedAt(at, timeZone).offsetNanoseconds / 1e6;
}

/** Whether the clock of the zone shows this time never, once or twice. */
export function passesOf(wallMs: number, timeZone: string): 'never' | 'once' | 'twice' {
  const wall = plainDateTime(wallMs);
  const first = wall.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  if (shownBy(first) !== wallMs) return 'never';
  const last = wall.toZonedDateTime(timeZone, { disambiguation: 'later' });
  return last.epochMilliseconds === first.epochMilliseconds ? 'once' : 'twice';
}

/** The first instant of a day. */
export function startOfDay(day: number, timeZone: string): number {
  return instantOf(day * dayMs, timeZone);
}

/** The day that the zone has at this instant. */
export function dayAt(at: number, timeZone: string): number {
  return Math.floor(wallTimeOf(at, timeZone) / dayMs);
}

/** The wall time of `2026-12-05T22:00` or `2026-12-05T22:00:30`; undefined where it is none, such as of 30 February. */
export function parseWallTime(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  const day = parseDay(match?.[1] ?? '');
  if (match === null || day === undefined) return undefined;
  return day * dayMs + (Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0)) * 1000;
}

/** The day of `2026-12-15`; undefined where there is no such date. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) || dayText(at / dayMs) !== text ? undefined : at / dayMs;
}

/** `2026-12-15` */
export function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** `2026-12-05T22:00`, with seconds where there are any. */
export function wallTimeText(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, wallMs % 60_000 === 0 ? 16 : 19);
}

/** How far a clock is ahead of UTC, as ISO 8601 writes it: `+01:00`. Seconds, which old local times have, are left out. */
export function offsetText(offsetMs: number): string {
  const minutes = Math.floor(Math.abs(offsetMs) / 60_000);
  const pair = (value: number) => String(value).padStart(2, '0');
  return `${offsetMs < 0 ? '-' : '+'}${pair(Math.floor(minutes / 60))}:${pair(minutes % 60)}`;
}

/** What the clock of the zone shows, for people: `2026-12-05 22:00`, with seconds where there are any. */
export function clockText(at: number, timeZone: string): string {
  return wallTimeText(Math.floor(wallTimeOf(at, timeZone) / 1000) * 1000).replace('T', ' ');
}

/** The wall time of an instant in its zone. */
function shownBy(zoned: Temporal.ZonedDateTime): number {
  return zoned.epochMilliseconds + zoned.offsetNanoseconds / 1e6;
}

function zonedAt(at: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(at)).toZonedDateTimeISO(timeZone);
}

function plainDateTime(wallMs: number): Temporal.PlainDateTime {
  const date = new Date(wallMs);
  return new Temporal.PlainDateTime(
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    date.getUTCMilliseconds(),
  );
}
