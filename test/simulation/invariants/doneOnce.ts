import { turnResource } from '../../../src/run/objects.js';
import { isSame, nodeOfTurn, turnStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** A turn becomes Done once, and stays so. */
export const doneOnce: MakeInvariant = (night) => {
  const { say, violations } = complaints('done-once', night);
  const done = new Set<string>();
  return {
    changed({ type, resource, object }) {
      if (!isSame(resource, turnResource) || type === 'deleted') return;
      const node = nodeOfTurn(object);
      const { phase } = turnStatusOf(object);
      if (phase === 'Done') done.add(node);
      else if (done.has(node)) say(`the turn of ${node} was Done and is ${phase ?? 'nothing'} now`);
    },
    violations,
  };
};
