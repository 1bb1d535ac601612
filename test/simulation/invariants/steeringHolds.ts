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
 * but one node or one zone to go to. When nobody is at work any more, because whoever was has come to an end, no node
 * carries it.
 */
export const steeringHolds: MakeInvariant = (night) => {
  const { say, violations } = complaints('steering-holds', night);
  const atWork = new Set<string>();
  /** Whoever comes next takes back what one has left that died. */
  let hasCrashed = false;
  const phaseOf = (name: string): string => {
    const turn = night.truth.turns().find((one) => nodeOfTurn(one) === name);
    return turn === undefined ? 'no turn' : (turnStatusOf(turn).phase ?? 'Pending');
  };
  return {
    actor({ actor, what, exitCode = 1 }) {
      if (what === 'begins') {
        atWork.add(actor);
        return;
      }
      atWork.delete(actor);
      if (what === 'crashes') hasCrashed = true;
      if (what === 'crashes' || atWork.size > 0) return;
      const hasConducted = conducted.has(exitCode);
      if (hasConducted && !night.night.troubles.some((trouble) => isBadApi(trouble, night.elapsedMs()))) {
        const left = night.truth.nodes().filter(isTainted).map(nameOf);
        if (left.length > 0 && !hasCrashed) say(`${actor} has ended, and the taint is left on ${left.join(', ')}`);
      }
      if (hasConducted) hasCrashed = false;
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
    violations,
  };
};

/** Ends of a call that has taken turns: all was done, a gate said no, a turn failed, the window, a signal. */
const conducted: ReadonlySet<number> = new Set([0, 3, 4, 5, 130, 143]);

function isTainted(node: ApiObject): boolean {
  return isSteeredAway(parseNode(node));
}
