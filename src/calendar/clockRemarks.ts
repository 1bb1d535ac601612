import type { UncutWindow } from './uncutWindows.js';
import { offsetMsAt, passesOf } from './wallClock.js';

/** What a change of the clock does to a window. */
export type ClockRemark =
  /** It was to open at a time that the clock skips, and opens at the first that there is. */
  | { readonly kind: 'opens-after-gap'; readonly plannedWallMs: number }
  /** It opens at a time that comes twice, at the first pass. */
  | { readonly kind: 'opens-at-first-pass'; readonly plannedWallMs: number }
  /** The clock is set while it is open: by this much forward, or back where it is negative. */
  | { readonly kind: 'clock-set-while-open'; readonly byMs: number };

/** What is to be said about a window, of which only the part from `opensAt` to `closesAt` is open. */
export function clockRemarks({
  uncut,
  opensAt,
  closesAt,
  timeZone,
}: {
  readonly uncut: UncutWindow;
  readonly opensAt: number;
  readonly closesAt: number;
  readonly timeZone: string;
}): ClockRemark[] {
  const offsetMs = offsetMsAt(opensAt, timeZone);
  const byMs = offsetMsAt(closesAt, timeZone) - offsetMs;
  const found: ClockRemark[] = [];
  const { plannedWallMs } = uncut;
  if (opensAt === uncut.opensAt) {
    if (opensAt + offsetMs !== plannedWallMs) found.push({ kind: 'opens-after-gap', plannedWallMs });
    // No clock but that of a zone that changed the side of the date line was ever set by more than three hours.
    else if (offsetMsAt(opensAt + 3 * 3_600_000, timeZone) < offsetMs && passesOf(plannedWallMs, timeZone) === 'twice')
      found.push({ kind: 'opens-at-first-pass', plannedWallMs });
  }
  if (byMs !== 0) found.push({ kind: 'clock-set-while-open', byMs });
  return found;
}
