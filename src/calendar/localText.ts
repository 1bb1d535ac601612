import { wallTimeOf, wallTimeText } from './wallClock.js';

/** An instant as the clock on the wall of the zone shows it, for people: `2026-12-08 22:00 Europe/Zurich`. */
export function localText(at: number, timeZone: string): string {
  const seconds = Math.floor(at / 1000) * 1000;
  return `${wallTimeText(wallTimeOf(seconds, timeZone)).replace('T', ' ')} ${timeZone}`;
}
