import { turnResource } from '../../../src/run/objects.js';
import { isSame, nameOf, nodeOfTurn, turnStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** A turn of a run becomes Done once, and stays so. */
export const doneOnce: MakeInvariant = (night) => {
  const { say, violations } = complaints('done-once', night);
  const done = new Set<string>();
  return {
    changed({ type, resource, object }) {
      if (!isSame(resource, turnResource) || type === 'deleted') return;
      const turn = nameOf(object);
      const { phase } = turnStatusOf(object);
      if (phase === 'Done') done.add(turn);
      else if (done.has(turn)) say(`the turn of ${nodeOfTurn(object)} was Done and is ${phase ?? 'nothing'} now`);
    },
    violations,
  };
};
