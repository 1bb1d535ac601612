import { complaints } from '../../invariants/watchedNight.js';
import type { MakeYearInvariant } from '../watchedYear.js';

/** In each run a node has its turn once: the next window goes on with exactly the nodes left. */
export const oneTurnARun: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('one-turn-a-run', year);
  const turns = new Set<string>();
  return {
    begun({ node, run }) {
      if (year.passages.isCompleted(run, year.truth.node(node))) {
        say(`${node} was cordoned for ${run}, in which it had its turn already`);
      }
    },
    completed({ node, uid, run }) {
      const key = `${run} ${uid}`;
      if (turns.has(key)) say(`${node} had its turn in ${run} a second time`);
      turns.add(key);
    },
    violations,
  };
};
