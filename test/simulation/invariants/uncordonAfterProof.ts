import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { recordOf, stringOf } from '../../../src/cluster/json.js';
import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import type { Call } from '../witness.js';
import { bootIdOf, cordonMark, isCordoned, isReady, isSame, nameOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** What happened to a node since we cordoned it. */
interface Passage {
  readonly bootId: string;
  /** The update was started on its host; what `leave` did `join` takes back (leftComesBack.ts). */
  touched: boolean;
  /** The boot that we asked to end. */
  rebootOf: string | undefined;
}

/**
 * A node whose host was touched is given back only after the proof: it is Ready and reports the boot that the machine
 * runs, and where a reboot was asked for, or the playbook wants one always, that is another boot than before. An undo
 * gives back an untouched host only. What the actor could not know yet is not held against it.
 */
export const uncordonAfterProof: MakeInvariant = (night) => {
  const { say, violations } = complaints('uncordon-after-proof', night);
  const passages = new Map<string, Passage>();
  const changedNothing = new Set(
    night.night.troubles.flatMap((trouble) =>
      trouble.kind === 'script-fails' && !trouble.changed ? trouble.node : [],
    ),
  );

  const judge = (call: Call, node: ApiObject, isDone: boolean): void => {
    const name = nameOf(node);
    const passage = passages.get(name);
    if (passage === undefined) return;
    const isTouched = passage.touched || passage.rebootOf !== undefined;
    if (!isDone) {
      if (isTouched && !changedNothing.has(name))
        say(`${call.actor} gave ${name} back by an undo after its host was touched`);
      return;
    }
    const known = night.told.of(call.actor).nodes.get(name)?.object ?? node;
    const { bootId, isUp } = night.machine(name);
    const isProved = (seen: ApiObject) => isReady(seen) && bootIdOf(seen) === bootId && isUp;
    if (passage.rebootOf !== undefined && bootIdOf(known) === passage.rebootOf) {
      say(`${call.actor} uncordoned ${name}, which reported still the boot ${passage.rebootOf} from before the reboot`);
    } else if (night.night.playbook.reboot === 'always' && bootIdOf(known) === passage.bootId) {
      say(`${call.actor} uncordoned ${name} without a boot since it was cordoned, and the playbook wants one always`);
    } else if (isTouched && !isProved(node) && !isReady(known)) {
      say(`${call.actor} uncordoned ${name}, which was not Ready, and the actor had been told so`);
    }
  };

  return {
    onHost(event) {
      const passage = passages.get(event.node);
      if (passage !== undefined && event.kind === 'job-started' && event.stage === 'update') passage.touched = true;
    },
    sent(call) {
      const passage = passages.get(call.name ?? '');
      if (passage !== undefined && call.port === 'host' && call.verb === 'reboot') {
        passage.rebootOf = stringOf(recordOf(call.request)['expectedBootId']) ?? passage.rebootOf;
      }
    },
    changed({ resource, object, before, type }) {
      // A node that is deleted and registers again goes on with its passage: the machine is the same.
      if (!isSame(resource, resources.nodes) || type === 'deleted') return;
      const name = nameOf(object);
      const isOurs = isCordoned(object) && cordonMark(object) !== undefined;
      if (isOurs && !passages.has(name)) {
        passages.set(name, { bootId: bootIdOf(before ?? object), touched: false, rebootOf: undefined });
      }
    },
    arrived(call, answer) {
      if (answer.kind !== 'ok' || !isSame(call.resource, resources.nodes) || call.verb !== 'patch') return;
      const paths = removedBy(call);
      if (!paths.includes(`/metadata/annotations/${marks.cordonedBy.replaceAll('/', '~1')}`)) return;
      const node = night.truth.node(call.name ?? '');
      if (node === undefined) return;
      if (paths.includes('/spec/unschedulable')) judge(call, node, setsLastTurn(call));
      passages.delete(nameOf(node));
    },
    violations,
  };
};

function operationsOf({ request }: Call): readonly { readonly op?: unknown; readonly path?: unknown }[] {
  const { operations } = recordOf(recordOf(request)['patch']);
  return Array.isArray(operations) ? operations.map(recordOf) : [];
}

function removedBy(call: Call): readonly string[] {
  return operationsOf(call).flatMap(({ op, path }) => (op === 'remove' && typeof path === 'string' ? path : []));
}

function setsLastTurn(call: Call): boolean {
  const path = `/metadata/annotations/${marks.lastTurn.replaceAll('/', '~1')}`;
  return operationsOf(call).some((operation) => operation.path === path);
}
