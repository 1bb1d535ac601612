import { formatDuration } from '../time/duration.js';

/** A time of day for people, UTC: `22:04:10Z`. A question mark where the text is no time. */
export function clockText(timestamp: string): string {
  return isoText(timestamp)?.slice(11, 19).concat('Z') ?? '?';
}

/** As {@link clockText}, with the date and without the seconds where it is another day than `now`. */
export function timeText(timestamp: string, now: number): string {
  const text = isoText(timestamp) ?? '?';
  if (text === '?' || text.slice(0, 10) === new Date(now).toISOString().slice(0, 10)) return clockText(timestamp);
  return `${text.slice(0, 10)} ${text.slice(11, 16)}Z`;
}

/** How long from one time to another; undefined where one of them is missing. Never below 0: clocks differ. */
export function spanMs(from: string | number | undefined, to: string | number | undefined): number | undefined {
  const ms = millisOf(to) - millisOf(from);
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** A duration in whole seconds, or a dash. */
export function spanText(ms: number | undefined): string {
  return ms === undefined ? '-' : formatDuration(Math.floor(ms / 1000) * 1000);
}

function millisOf(time: string | number | undefined): number {
  return typeof time === 'number' ? time : Date.parse(time ?? '');
}

function isoText(timestamp: string): string | undefined {
  const at = Date.parse(timestamp);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
