import { inWords, isAct } from '../../invariants/leaseHolderActs.js';
import { complaints } from '../../invariants/watchedNight.js';
import type { MakeYearInvariant } from '../watchedYear.js';
import { callBegin, type CallBegin } from './callBegins.js';

/**
 * A call outside of the windows, with nothing to finish, writes nothing but its lease and ends with exit code 5, as long
 * as none opens meanwhile.
 */
export const quietOutside: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('quiet-outside', year);
  const begins = new Map<string, CallBegin>();
  const hasOpened = ({ state }: CallBegin) => state.kind === 'closed' && (state.opensAt ?? Infinity) <= year.now();
  return {
    actor({ actor, what, exitCode = 1 }) {
      if (what === 'begins') {
        const begin = callBegin(year);
        if (begin.state.kind === 'closed' && !begin.wasUnfinished && begin.wasAlone) begins.set(actor, begin);
        return;
      }
      const begin = begins.get(actor);
      begins.delete(actor);
      if (begin !== undefined && what === 'ends' && exitCode !== 5 && !hasOpened(begin)) {
        say(`${actor} was started outside of the windows, had nothing to finish, and ended with ${exitCode}`);
      }
    },
    sent(call) {
      const begin = begins.get(call.actor);
      if (begin !== undefined && isAct(call) && !hasOpened(begin)) {
        say(`${call.actor} was started outside of the windows, had nothing to finish, and sent ${inWords(call)}`);
      }
    },
    violations,
  };
};
