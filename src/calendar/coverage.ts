import { formatDuration } from '../time/duration.js';
import { freezeSpans, joinFreezes } from './freezes.js';
import { periodOf } from './period.js';
import type { Schedule } from './schedule.js';
import { clockText, dayMs } from './wallClock.js';
import { windowsFrom, type Window } from './windows.js';

/** Why not every node can have its turn within the coverage that the playbook promises. */
export interface CoverageFinding {
  readonly code: 'coverage-unattainable';
  /** Windows that are too far apart, or too short for the nodes. */
  readonly reason: 'gap' | 'time';
  /** The arithmetic with its dates, a whole sentence. */
  readonly message: string;
  /** What to change. */
  readonly hint: string;
}

/** The turns that a run has to give. */
export interface ExpectedTurns {
  readonly count: number;
  /** Of one turn. */
  readonly expectedMs: number;
  /** At the same time. */
  readonly concurrency: number;
}

export interface CoverageRequest {
  readonly schedule: Schedule;
  readonly coverageMs: number;
  readonly now: number;
  /** Undefined: not known. Then every run is taken to end in its first window. */
  readonly turns?: ExpectedTurns | undefined;
}

/**
 * What stands between the windows of the next 400 days and the coverage. A node waits longest that was the first in one
 * month and is the last in the next, so that gaps are from the first opening of a month to where the run of the next
 * has had the time it needs.
 */
export function coverageFindings(request: CoverageRequest): CoverageFinding[] {
  const { schedule, now } = request;
  if (schedule.windows.length === 0) return longFreeze(request);
  const windows = windowsFrom({ schedule, from: now, until: now + horizonMs });
  return [...gapFinding(windows, request), ...timeFinding(windows, request)];
}

/** A year, and the first window of the year after. */
const horizonMs = 400 * dayMs;

function gapFinding(windows: readonly Window[], request: CoverageRequest): CoverageFinding[] {
  const { schedule, coverageMs, now } = request;
  const text = (at: number) => clockText(at, schedule.timeZone);
  const coverage = formatDuration(coverageMs);
  const months = monthsOf(windows, schedule.timeZone);
  const gaps = months.slice(0, -1).flatMap((from, place) => {
    const until = endOfRun(windows, months[place + 1] ?? from, request);
    return until === undefined ? [] : [{ from, until, ms: until - from.opensAt }];
  });
  const [worst, ...others] = gaps.filter(({ ms }) => ms > coverageMs).sort((one, other) => other.ms - one.ms);
  if (worst !== undefined) {
    const { from, until, ms } = worst;
    const more = others.length === 0 ? '' : `, and so it is with ${String(others.length)} other months`;
    const message = `A node that is first on ${text(from.opensAt)} and last on ${text(until)} waits ${formatDuration(ms)}, longer than the coverage of ${coverage}${more}.`;
    return [
      finding('gap', message, `Open windows more often, or raise the coverage to ${String(Math.ceil(ms / dayMs))}d.`),
    ];
  }
  const last = months.at(-1);
  const waitedMs = now + horizonMs - (last?.opensAt ?? now);
  if (waitedMs <= coverageMs) return [];
  const after = last === undefined ? text(now) : `the window of ${text(last.opensAt)}`;
  const message = `After ${after} none opens for ${formatDuration(waitedMs)} and more, longer than the coverage of ${coverage}.`;
  return [finding('gap', message, 'Add a window that comes again, or leave the coverage out.')];
}

/** The first window of each month that has one. */
function monthsOf(windows: readonly Window[], timeZone: string): Window[] {
  const seen = new Set<string>();
  return windows.filter(({ opening }) => {
    const period = periodOf(opening, timeZone);
    if (seen.has(period)) return false;
    seen.add(period);
    return true;
  });
}

/** When the run that begins with a window has had its time; undefined where that is beyond the windows known. */
function endOfRun(windows: readonly Window[], first: Window, { turns }: CoverageRequest): number | undefined {
  if (turns === undefined) return first.closesAt;
  let leftMs = neededMs(turns);
  for (const { opensAt, closesAt } of windows) {
    if (opensAt < first.opensAt) continue;
    if (leftMs <= closesAt - opensAt) return opensAt + leftMs;
    leftMs -= closesAt - opensAt;
  }
  return undefined;
}

function timeFinding(
  windows: readonly Window[],
  { schedule, coverageMs, now, turns }: CoverageRequest,
): CoverageFinding[] {
  if (turns === undefined) return [];
  const needed = neededMs(turns);
  const stretches = windows
    .filter(({ opensAt }) => opensAt + coverageMs <= now + horizonMs)
    .map(({ opensAt }) => ({ opensAt, openMs: openWithin(windows, opensAt, opensAt + coverageMs) }))
    .sort((one, other) => one.openMs - other.openMs);
  const shortest = stretches[0];
  if (shortest === undefined || shortest.openMs >= needed) return [];
  const message = `In the ${formatDuration(coverageMs)} from ${clockText(shortest.opensAt, schedule.timeZone)} the windows are open for ${formatDuration(shortest.openMs)}, and ${String(turns.count)} turns of about ${formatDuration(turns.expectedMs)}, ${String(turns.concurrency)} at a time, take ${formatDuration(needed)}.`;
  return [finding('time', message, 'Open more or longer windows, let more turns overlap, or raise the coverage.')];
}

function openWithin(windows: readonly Window[], from: number, until: number): number {
  return windows
    .map(({ opensAt, closesAt }) => Math.max(0, Math.min(closesAt, until) - Math.max(opensAt, from)))
    .reduce((sum, ms) => sum + ms, 0);
}

function neededMs({ count, expectedMs, concurrency }: ExpectedTurns): number {
  return Math.ceil(count / concurrency) * expectedMs;
}

/** Without windows only freezes are in the way. */
function longFreeze({ schedule, coverageMs, now }: CoverageRequest): CoverageFinding[] {
  const [longest] = joinFreezes(freezeSpans({ schedule, from: now, until: now + horizonMs }))
    .map((stretch) => ({ ...stretch, ms: stretch.until - stretch.from }))
    .sort((one, other) => other.ms - one.ms);
  if (longest === undefined || longest.ms <= coverageMs) return [];
  const { from, until, names, ms } = longest;
  const text = (at: number) => clockText(at, schedule.timeZone);
  const message = `From ${text(from)} to ${text(until)} nothing starts (${names.join(', ')}): ${formatDuration(ms)}, longer than the coverage of ${formatDuration(coverageMs)}.`;
  return [finding('gap', message, 'Shorten the freeze, or raise the coverage.')];
}

function finding(reason: CoverageFinding['reason'], message: string, hint: string): CoverageFinding {
  return { code: 'coverage-unattainable', reason, message, hint };
}
