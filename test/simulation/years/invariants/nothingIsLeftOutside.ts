import { stateAt } from '../../../../src/calendar/decide.js';
import { parseNode } from '../../../../src/cluster/parseNode.js';
import { isSteeredAway } from '../../../../src/cluster/steerTaint.js';
import { isHeld, nameOf, turnStatusOf } from '../../invariants/truth.js';
import { complaints } from '../../invariants/watchedNight.js';
import { turnOf } from '../runsOfYear.js';
import type { MakeYearInvariant } from '../watchedYear.js';

/**
 * When a call ends outside of the windows, no node carries our steering taint, and none is cordoned by us but those whose
 * host was touched, whose turn is Failed, or that a person holds.
 */
export const nothingIsLeftOutside: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('nothing-is-left-outside', year);
  return {
    actor({ actor, what, exitCode = 1 }) {
      if (what !== 'ends' || year.atWork.size > 0) return;
      if (stateAt({ schedule: year.year.schedule, now: year.now() }).kind !== 'closed') return;
      const end = `${actor} has ended with exit code ${exitCode} outside of the windows`;
      const tainted = year.truth.nodes().filter((node) => isSteeredAway(parseNode(node)));
      if (tainted.length > 0) say(`${end}, and pods are turned away from ${tainted.map(nameOf).join(', ')}`);
      for (const { node, run, isTouched } of year.passages.open()) {
        const turn = turnOf(year.truth, run, node);
        const { phase = 'Pending' } = turn === undefined ? {} : turnStatusOf(turn);
        if (isHeld(year.truth, node)) continue;
        if (!isTouched && phase !== 'Failed') say(`${end}, and ${node} is cordoned by ${run}; its turn is ${phase}`);
      }
    },
    violations,
  };
};
