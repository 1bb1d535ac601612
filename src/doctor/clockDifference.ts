import { formatDuration } from '../time/duration.js';
import { failed, ok, skipped, warning, type CheckCode, type Judgement } from './check.js';

/** Somebody else's clock, read between two moments of our own. All in milliseconds since the epoch. */
export interface ClockReading {
  /** Cut to the second; undefined where it was not said. */
  readonly theirsMs: number | undefined;
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

/** What was read is up to a second older than what it was read from. */
const cutMs = 1000;

/**
 * How far the other clock is ahead of ours, below 0: behind. The least that the reading proves: how long the question
 * was on its way, and the cut to the second, count for the other clock. Undefined where nothing was said.
 */
export function clockDifferenceMs({ theirsMs, askedAtMs, answeredAtMs }: ClockReading): number | undefined {
  if (theirsMs === undefined) return undefined;
  const least = theirsMs - answeredAtMs;
  const most = theirsMs + cutMs - askedAtMs;
  if (least > 0) return least;
  return most < 0 ? most : 0;
}

/** Above this, times in journals and events no longer tell in which order things happened. */
const warnAboveMs = 5000;
/** Above this, a window opens and closes at the wrong time, and credentials with a lifetime may not be valid. */
const failAboveMs = 60_000;

/** Judges a clock; one that only people's records depend on is never worse than a warning. */
export function judgeClock(clock: {
  readonly check: Extract<CheckCode, 'server-clock' | 'host-clock'>;
  /** Whose, as the sentence begins: `The clock of the API server`. */
  readonly whose: string;
  readonly reading: ClockReading;
  readonly mayFail: boolean;
}): Judgement {
  const { check, whose } = clock;
  const difference = clockDifferenceMs(clock.reading);
  if (difference === undefined) return skipped(check, `${whose} is not known: it did not say its time.`);
  const apartMs = Math.abs(difference);
  if (apartMs <= warnAboveMs) return ok(check, `${whose} agrees with this one within ${formatDuration(warnAboveMs)}.`);
  const message = `${whose} is at least ${formatDuration(apartMs)} ${difference > 0 ? 'ahead of' : 'behind'} this one.`;
  const hint = 'Compare both with a time server (`chronyc tracking` or `timedatectl`), and correct the wrong one.';
  return clock.mayFail && apartMs > failAboveMs ? failed(check, message, hint) : warning(check, message, hint);
}
