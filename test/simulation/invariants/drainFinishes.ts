import { resources } from '../../../src/cluster/resources.js';
import { cordonMark, isSame, nameOf, nodeOfTurn, turnStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * In a night without any trouble every node that we cordon gets through its turn: what the gates passed, the drain
 * finishes, and what was displaced comes back. A node that was not cordoned may be Blocked or put off by a gate.
 */
export const drainFinishes: MakeInvariant = (night) => {
  const { say, violations } = complaints('drain-finishes', night);
  const cordoned = new Set<string>();
  return {
    changed({ resource, object, type }) {
      if (type !== 'deleted' && isSame(resource, resources.nodes) && cordonMark(object) !== undefined) {
        cordoned.add(nameOf(object));
      }
    },
    atEnd({ isOver, exitCodes }) {
      if (night.night.troubles.length > 0 || !isOver) return;
      // A failure that the operator's retry mended is one all the same.
      for (const exitCode of exitCodes) {
        if (exitCode !== 0 && exitCode !== 3)
          say(`nothing went wrong in this night, and a call ended with ${String(exitCode)}`);
      }
      for (const turn of night.truth.turns()) {
        const node = nodeOfTurn(turn);
        const { phase = 'Pending', message = 'no message' } = turnStatusOf(turn);
        const isFine = phase === 'Done' || (!cordoned.has(node) && (phase === 'Blocked' || phase === 'Deferred'));
        if (!isFine) say(`nothing went wrong in this night, and the turn of ${node} ended ${phase}: ${message}`);
      }
    },
    violations,
  };
};
