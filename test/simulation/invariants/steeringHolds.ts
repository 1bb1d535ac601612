import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { parseNode } from '../../../src/cluster/parseNode.js';
import { resources } from '../../../src/cluster/resources.js';
import { isSteeredAway } from '../../../src/cluster/steerTaint.js';
import { isInWork } from '../../../src/run/nextTurn.js';
import { isBadApi } from './noMarkIsLeft.js';
import { isSame, nameOf, nodeOfTurn, turnStatusOf, zoneOfNode } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * Our taint is set only on nodes whose turn is still to come, once another is Done, and never on so many that pods have
 * but one node or one zone to go to. When everybody has ended, no node carries it.
 */
export const steeringHolds: MakeInvariant = (night) => {
  const { say, violations } = complaints('steering-holds', night);
  let lastEndAt = 0;
  let lastCrashed = false;
  const phaseOf = (name: string): string => {
    const turn = night.truth.turns().find((one) => nodeOfTurn(one) === name);
    return turn === undefined ? 'no turn' : (turnStatusOf(turn).phase ?? 'Pending');
  };
  return {
    actor({ what }) {
      if (what === 'begins') return;
      lastEndAt = night.elapsedMs();
      lastCrashed = what === 'crashes';
    },
    changed({ resource, object, before, type }) {
      if (!isSame(resource, resources.nodes) || type === 'deleted') return;
      if (!isTainted(object) || (before !== undefined && isTainted(before))) return;
      const name = nameOf(object);
      const phase = phaseOf(name);
      if (phase === 'Done' || phase === 'no turn' || isInWork(phase)) {
        say(`pods are turned away from ${name}, whose turn is ${phase}`);
      }
      const others = night.truth.nodes().filter((node) => nameOf(node) !== name);
      if (!others.some((node) => phaseOf(nameOf(node)) === 'Done'))
        say(`pods are turned away from ${name}, and none is done`);
      const open = others.filter((node) => !isTainted(node) && !isInWork(phaseOf(nameOf(node))));
      const isOneZone = new Set(open.map(zoneOfNode)).size < 2;
      if (open.length < 2 || (isOneZone && open.some((node) => zoneOfNode(node) !== zoneOfNode(object)))) {
        say(`pods are turned away from ${name} as well, and may go to ${open.map(nameOf).join(', ') || 'none'} alone`);
      }
    },
    atEnd({ isOver }) {
      if (!isOver || lastCrashed || night.night.troubles.some((trouble) => isBadApi(trouble, lastEndAt))) return;
      const left = night.truth.nodes().filter(isTainted).map(nameOf);
      if (left.length > 0) say(`the taint is left on ${left.join(', ')}`);
    },
    violations,
  };
};

function isTainted(node: ApiObject): boolean {
  return isSteeredAway(parseNode(node));
}
