import { dayMs, startOfDay, wallTimeOf } from './wallClock.js';

/** The month, `yyyy-mm`, that the zone has at this instant: of a window's opening, it names the run (DESIGN, section 4). */
export function periodOf(at: number, timeZone: string): string {
  return new Date(wallTimeOf(at, timeZone)).toISOString().slice(0, 7);
}

/** The first instant of a period. */
export function startOfPeriod(period: string, timeZone: string): number {
  return startOfDay(Date.parse(`${period}-01T00:00:00Z`) / dayMs, timeZone);
}

/** The period that follows. */
export function nextPeriod(period: string): string {
  const [year = 0, month = 0] = period.split('-').map(Number);
  return new Date(Date.UTC(year, month)).toISOString().slice(0, 7);
}
