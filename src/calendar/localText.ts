import { clockText } from './wallClock.js';

/** An instant as the clock on the wall of the zone shows it, with the zone: `2026-12-08 22:00 Europe/Zurich`. */
export function localText(at: number, timeZone: string): string {
  return `${clockText(at, timeZone)} ${timeZone}`;
}
