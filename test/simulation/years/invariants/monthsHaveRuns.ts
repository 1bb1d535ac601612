import { nameOf, runStatusOf } from '../../invariants/truth.js';
import { complaints } from '../../invariants/watchedNight.js';
import { isOver, monthOf, newestRun, runOfMonth, runsByMonth } from '../runsOfYear.js';
import type { MakeYearInvariant } from '../watchedYear.js';
import { callBegin, openForMs, type CallBegin } from './callBegins.js';

/** Whoever was started so long before the close has begun the run. */
const beginsWithinMs = 60_000;

/** Of what a former run had in work: then comes the new month's run. */
const goesOnAfter: ReadonlySet<number> = new Set([0, 3, 5]);

/**
 * A month in which an actor was started in a window, and lived, has its run. And once a run has begun, every former one
 * is Completed or Superseded: only a turn that is in work holds a new period up.
 */
export const monthsHaveRuns: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('months-have-runs', year);
  const begins = new Map<string, CallBegin>();
  return {
    actor({ actor, what, exitCode = 1 }) {
      if (what === 'begins') begins.set(actor, callBegin(year));
      const begin = begins.get(actor);
      if (what !== 'ends' || begin?.month === undefined || openForMs(begin) < beginsWithinMs) return;
      const isClosed = begin.at + openForMs(begin) <= year.now();
      const hasFailedBefore = begin.wasHeldUp && (isClosed || !goesOnAfter.has(exitCode));
      if (hasFailedBefore || !begin.wasAlone || begin.nodes.size === 0) return;
      const names = year.truth.runs().map(nameOf);
      if (!names.includes(runOfMonth(begin.month))) {
        say(`${actor} was started in a window of ${begin.month} and ended with ${exitCode}; the month has no run`);
        return;
      }
      const newest = newestRun(year.truth);
      if (newest === undefined || monthOf(nameOf(newest)) !== begin.month) return;
      for (const run of runsByMonth(year.truth)) {
        const { phase = 'Planned' } = runStatusOf(run);
        if (run !== newest && !isOver(run)) say(`${nameOf(newest)} has begun, and ${nameOf(run)} is still ${phase}`);
      }
    },
    violations,
  };
};
