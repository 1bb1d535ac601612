/*
 * The clock of a zone as Intl shows it: another way to the same facts than the one that src/calendar takes.
 */

/** `2026-12-05 22:00:00` for each instant. Swedish writes dates as ISO 8601 does. */
export function intlClock(timeZone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (at) => format.format(at);
}

/** What {@link intlClock} shows, as wall time. */
export function intlWallMs(shown: string): number {
  return Date.parse(`${shown.replace(' ', 'T')}Z`);
}

/** Every zone that this Node knows. */
export const allZones: readonly string[] = Intl.supportedValuesOf('timeZone');

/** Zones whose clocks do what clocks can do: half an hour, midnight, a changing Ramadan, far from UTC, none at all. */
export const tellingZones = [
  'Europe/Zurich',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Havana',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Beirut',
  'America/Santiago',
  'Atlantic/Azores',
  'Antarctica/Troll',
  'Asia/Kathmandu',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'UTC',
] as const;
