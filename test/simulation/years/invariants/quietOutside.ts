import { stateAt } from '../../../../src/calendar/decide.js';
import { inWords, isAct } from '../../invariants/leaseHolderActs.js';
import { complaints } from '../../invariants/watchedNight.js';
import type { MakeYearInvariant } from '../watchedYear.js';
import { callBegin, type CallBegin } from './callBegins.js';

/**
 * A call outside of the windows, with nothing to finish, writes nothing but its lease and ends with exit code 5. One
 * that begins just before the opening may find the window open.
 */
export const quietOutside: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('quiet-outside', year);
  const begins = new Map<string, CallBegin>();
  const isClosed = () => stateAt({ schedule: year.year.schedule, now: year.now() }).kind === 'closed';
  return {
    actor({ actor, what, exitCode = 1 }) {
      if (what === 'begins') {
        const begin = callBegin(year);
        if (begin.state.kind === 'closed' && !begin.wasUnfinished && begin.wasAlone) begins.set(actor, begin);
        return;
      }
      if (begins.delete(actor) && what === 'ends' && exitCode !== 5 && isClosed()) {
        say(`${actor} was started outside of the windows, had nothing to finish, and ended with ${exitCode}`);
      }
    },
    sent(call) {
      if (begins.has(call.actor) && isAct(call) && isClosed()) {
        say(`${call.actor} was started outside of the windows, had nothing to finish, and sent ${inWords(call)}`);
      }
    },
    violations,
  };
};
