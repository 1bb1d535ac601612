import { localText } from '../../../../src/calendar/localText.js';
import { periodOf } from '../../../../src/calendar/period.js';
import { stateAt } from '../../../../src/calendar/decide.js';
import { complaints } from '../../invariants/watchedNight.js';
import { runStatusOf, turnStatusOf } from '../../invariants/truth.js';
import { monthOf, runsByMonth, turnOf } from '../runsOfYear.js';
import type { MakeYearInvariant } from '../watchedYear.js';

/**
 * No node leaves service because of us outside of the windows or in a freeze, nor when not even the shortest turn so far
 * would end before the close; and what leaves is of the run of the month in which the window opened, but for a node of a
 * former run for which somebody asked a retry.
 */
export const turnsStartInWindows: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('turns-start-in-windows', year);
  const { schedule } = year.year;
  const isRetried = (run: string, node: string): boolean => {
    const turn = turnOf(year.truth, run, node);
    const found = runsByMonth(year.truth).find((one) => one.metadata.name === run);
    const isAsked = found !== undefined && (runStatusOf(found).handledRequests ?? []).length > 0;
    return isAsked && turn !== undefined && turnStatusOf(turn).lastRequest !== undefined;
  };
  return {
    begun({ node, run, since }) {
      const state = stateAt({ schedule, now: since });
      const at = localText(since, schedule.timeZone);
      if (state.kind === 'closed') {
        const why = state.frozenBy === undefined ? 'no window is open' : `freeze ${state.frozenBy} holds`;
        say(`${node} was cordoned at ${at}, when ${why}`);
        return;
      }
      if (state.kind === 'always') return;
      const leftMs = state.window.closesAt - since;
      const shortestMs = year.passages.shortestMs();
      if (leftMs < shortestMs) {
        say(`${node} was cordoned ${leftMs} ms before the close, and no turn so far took less than ${shortestMs} ms`);
      }
      const month = periodOf(state.window.opening, schedule.timeZone);
      if (monthOf(run) !== month && !isRetried(run, node))
        say(`${node} was cordoned for ${run} in a window of ${month}`);
    },
    violations,
  };
};
