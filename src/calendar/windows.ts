import { clockRemarks, type ClockRemark } from './clockRemarks.js';
import { freezeSpans, type FreezeSpan } from './freezes.js';
import type { Schedule } from './schedule.js';
import { uncutWindows, type UncutWindow } from './uncutWindows.js';
import { dayMs } from './wallClock.js';

/** A stretch of time in which turns may start: a window, or what freezes leave of it. Milliseconds since the epoch. */
export interface Window {
  readonly opensAt: number;
  /** Not part of it. */
  readonly closesAt: number;
  /** When the window opens of which this is a part: its month in the schedule's zone is that of the run. */
  readonly opening: number;
  /** The freeze whose beginning ends it; undefined where it ends by itself. */
  readonly endedBy: string | undefined;
  readonly remarks: readonly ClockRemark[];
}

/** A window about whose clock nobody has asked yet ({@link withRemarks}). */
export type WindowPart = Omit<Window, 'remarks'>;

/** A window as the rules give it, with what freezes leave of it. */
export interface PlannedWindow {
  readonly uncut: UncutWindow;
  /** In their order; empty where freezes cover all of it. */
  readonly parts: readonly WindowPart[];
  /** That touch it. */
  readonly freezes: readonly FreezeSpan[];
}

export interface WindowsRequest {
  readonly schedule: Schedule;
  /** Windows that close after this instant. */
  readonly from: number;
  /** Windows that open before this instant; undefined: any in the next ten years. */
  readonly until?: number | undefined;
  /** At most so many. */
  readonly count?: number | undefined;
}

/**
 * The windows in their order, freezes cut out. They never overlap. The one that is open at `from` comes first, from its
 * beginning. None where the schedule has no windows: then it is always open, see decide.ts.
 */
export function windowsFrom(request: WindowsRequest): Window[] {
  const { from, until = Number.POSITIVE_INFINITY, count = Number.POSITIVE_INFINITY } = request;
  const found: Window[] = [];
  for (const { uncut, parts } of plannedWindows(request)) {
    if (found.length >= count || uncut.opensAt >= until) break;
    const wanted = parts.filter(({ opensAt, closesAt }) => closesAt > from && opensAt < until);
    found.push(...wanted.map((part) => withRemarks(part, uncut, request.schedule.timeZone)));
  }
  return found.slice(0, count);
}

/** The windows that close after `from`, the frozen ones too. */
export function* plannedWindows({
  schedule,
  from,
}: Pick<WindowsRequest, 'schedule' | 'from'>): Generator<PlannedWindow, void> {
  let known = { until: Number.NEGATIVE_INFINITY, spans: [] as readonly FreezeSpan[] };
  for (const uncut of uncutWindows({ schedule, from })) {
    if (uncut.closesAt > known.until) {
      // Windows come one by one, or many a day: a week of freezes is little for the one, and much for the others.
      const until = Math.max(uncut.closesAt, uncut.opensAt + 7 * dayMs);
      known = { until, spans: freezeSpans({ schedule, from: uncut.opensAt, until }) };
    }
    const freezes = known.spans.filter((span) => span.from < uncut.closesAt && span.until > uncut.opensAt);
    yield { uncut, parts: partsOf(uncut, freezes), freezes };
  }
}

/** The part with what a change of the clock does to it. */
export function withRemarks(part: WindowPart, uncut: UncutWindow, timeZone: string): Window {
  return { ...part, remarks: clockRemarks({ uncut, opensAt: part.opensAt, closesAt: part.closesAt, timeZone }) };
}

/** What is left of a window; freezes are sorted by their beginning. */
function partsOf(uncut: UncutWindow, freezes: readonly FreezeSpan[]): WindowPart[] {
  const parts: WindowPart[] = [];
  const add = (opensAt: number, closesAt: number, endedBy: string | undefined) => {
    if (opensAt < closesAt) parts.push({ opensAt, closesAt, opening: uncut.opensAt, endedBy });
  };
  let free = uncut.opensAt;
  for (const freeze of freezes) {
    add(free, freeze.from, freeze.name);
    free = Math.max(free, freeze.until);
  }
  add(free, uncut.closesAt, undefined);
  return parts;
}
