import { runResource } from '../../../../src/run/objects.js';
import { isSame, nameOf, runStatusOf } from '../../invariants/truth.js';
import { complaints } from '../../invariants/watchedNight.js';
import type { MakeYearInvariant } from '../watchedYear.js';

/** A run says that it waits for a window only while it does. */
export const waitsAreCurrent: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('waits-are-current', year);
  return {
    changed({ type, resource, object }) {
      if (!isSame(resource, runResource) || type === 'deleted') return;
      const { phase, waitingFor } = runStatusOf(object);
      const isForWindow = waitingFor?.what.startsWith('the window ') === true;
      if (isForWindow && phase !== 'AwaitingWindow')
        say(`${nameOf(object)} is ${phase ?? 'new'} and waits for ${waitingFor.what}`);
    },
    violations,
  };
};
