import { resources } from '../../../src/cluster/resources.js';
import { isInWork } from '../../../src/run/nextTurn.js';
import { cordonMark, isCordoned, isSame, nameOf, nodeOfTurn, turnStatusOf, zoneOfNode } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * When we cordon a node, every turn that is in work is in its zone. A touched node that a person uncordoned is cordoned
 * again wherever it is.
 */
export const oneZoneAtATime: MakeInvariant = (night) => {
  const { say, violations } = complaints('one-zone-at-a-time', night);
  const touched = new Set<string>();
  return {
    onHost(event) {
      if (event.kind === 'job-started' && event.stage !== 'prepare') touched.add(event.node);
      if (event.kind === 'went-down' && event.asked) touched.add(event.node);
    },
    changed({ resource, object, before, type }) {
      if (!isSame(resource, resources.nodes) || type === 'deleted' || before === undefined) return;
      if (!isCordoned(object) || isCordoned(before) || cordonMark(object) === undefined) return;
      if (touched.has(nameOf(object))) return;
      for (const turn of night.truth.turns()) {
        const { phase = 'Pending' } = turnStatusOf(turn);
        const other = night.truth.node(nodeOfTurn(turn));
        if (other === undefined || nameOf(other) === nameOf(object) || !isInWork(phase)) continue;
        if (zoneOfNode(other) === zoneOfNode(object)) continue;
        say(`${nameOf(object)} was cordoned while the turn of ${nameOf(other)}, in another zone, was ${phase}`);
      }
    },
    violations,
  };
};
