import type { Wait } from '../run/state.js';
import { plainText } from './plainText.js';
import { clockText, spanMs, spanText, timeText } from './timeText.js';

/** A wait as one line says it: for what, until when, up to whom. */
export function waitText(wait: Wait): string {
  return inWords(wait, wait.until === undefined ? [] : [`until ${clockText(wait.until)}`]);
}

/** A wait as a screen says it that is drawn anew each second: also how long it may still take. */
export function liveWaitText(wait: Wait, now: number): string {
  if (wait.until === undefined) return inWords(wait, [`since ${timeText(wait.since, now)}`]);
  return inWords(wait, [`until ${timeText(wait.until, now)}`, `${spanText(spanMs(now, wait.until))} left`]);
}

function inWords(wait: Wait, times: readonly string[]): string {
  const what = plainText(wait.what);
  const who = plainText(wait.who ?? '');
  const limits = [...times, ...(who === '' || what.includes(who) ? [] : [`up to ${who}`])].join(', ');
  return `waiting: ${what}${limits === '' ? '' : ` (${limits})`}`;
}
