import { localText } from '../../../../src/calendar/localText.js';
import { isHeld, turnStatusOf } from '../../invariants/truth.js';
import { complaints } from '../../invariants/watchedNight.js';
import { turnOf } from '../runsOfYear.js';
import type { MakeYearInvariant } from '../watchedYear.js';

/**
 * Minutes after the close no node is out of service because of us whose host was not touched, but where its turn failed
 * and says so, or a person holds it. Where the actor has died nobody could give it back before the next one came.
 */
export const givenBackAtClose: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('given-back-at-close', year);
  /** When the one that died last, and the one that is at work, began or died. */
  let diedAt = Number.NEGATIVE_INFINITY;
  let begunAt = Number.NEGATIVE_INFINITY;
  return {
    actor({ what }) {
      if (what === 'begins') begunAt = year.now();
      if (what === 'crashes') diedAt = year.now();
      if (what === 'ends') diedAt = Number.NEGATIVE_INFINITY;
    },
    closed({ closesAt }) {
      for (const { node, run, since, isTouched } of year.passages.open()) {
        if (isTouched || since >= closesAt || diedAt >= since) continue;
        if (year.atWork.size > 0 && begunAt > closesAt) continue;
        const turn = turnOf(year.truth, run, node);
        const { phase = 'Pending', waitingFor } = turn === undefined ? {} : turnStatusOf(turn);
        if (phase === 'Failed' || isHeld(year.truth, node)) continue;
        const wait = waitingFor === undefined ? '' : `, waiting for ${waitingFor.what}`;
        const closed = localText(closesAt, year.year.schedule.timeZone);
        say(`${node} is cordoned by ${run} although the window closed at ${closed}; its turn is ${phase}${wait}`);
      }
    },
    violations,
  };
};
