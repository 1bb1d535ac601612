import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { recordOf, recordsOf } from '../../../src/cluster/json.js';
import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import type { Change } from '../../../src/sandbox/api/simulatedApi.js';
import type { Call } from '../witness.js';
import { inWords, isAct } from './leaseHolderActs.js';
import { cordonMark, isCordoned, isSame, nameOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** Annotations that are ours to write. */
const ours: readonly string[] = [marks.cordonedBy, marks.lastTurn, marks.duringTurn];

/**
 * Nothing foreign is undone: a cordon without our mark stays, and so does every annotation (a hold above all), label and
 * taint that is not ours. Actors write nodes, events, the lease and their own kinds, evict pods,
 * restart Deployments, and nothing else.
 */
export const foreignStays: MakeInvariant = (night) => {
  const { say, violations } = complaints('foreign-stays', night);
  let latest: Change | undefined;
  /** What becomes of these is looked at by duringTurnIsRestored.ts. */
  const { annotations, labels } = night.night.playbook.duringTurn ?? {};
  const written = [...ours, ...Object.keys({ ...annotations, ...labels })];
  const foreign = (entries: Readonly<Record<string, string>> = {}) =>
    Object.entries(entries)
      .filter(([key]) => !written.includes(key))
      .sort(([one], [other]) => (one < other ? -1 : 1));

  const judgeNode = (call: Call, before: ApiObject, after: ApiObject): void => {
    const who = `${call.actor} (${inWords(call)})`;
    if (isCordoned(before) && !isCordoned(after) && cordonMark(before) === undefined) {
      say(`${who} uncordoned ${nameOf(after)}, which somebody else had cordoned`);
    }
    for (const [what, was, is] of [
      ['annotations', foreign(before.metadata.annotations), foreign(after.metadata.annotations)],
      ['labels', foreign(before.metadata.labels), foreign(after.metadata.labels)],
      ['taints', taints(before), taints(after)],
    ] as const) {
      if (JSON.stringify(was) !== JSON.stringify(is)) {
        say(`${who} changed foreign ${what} of ${nameOf(after)}: ${JSON.stringify(was)} to ${JSON.stringify(is)}`);
      }
    }
  };

  return {
    sent(call) {
      if (call.port === 'cluster' && isAct(call) && !mayWrite(call)) say(`${call.actor} sent ${inWords(call)}`);
    },
    changed(change) {
      latest = change;
    },
    arrived(call, answer) {
      const change = latest;
      if (answer.kind !== 'ok' || change?.before === undefined || !isSame(call.resource, resources.nodes)) return;
      if (!isAct(call) || !isSame(change.resource, resources.nodes) || nameOf(change.object) !== call.name) return;
      // A patch that changes nothing stores nothing: then the change is an older one, and not of this call.
      latest = undefined;
      judgeNode(call, change.before, change.object);
    },
    violations,
  };
};

function mayWrite({ verb, resource, subresource }: Call): boolean {
  if (verb === 'evict') return true;
  if (resource === undefined) return false;
  if (resource.group === 'turnus.dev') return true;
  if (verb === 'delete') return false;
  if (isSame(resource, resources.events) || isSame(resource, { ...resources.events, group: 'events.k8s.io' }))
    return true;
  const isPatchable = isSame(resource, resources.nodes) || isSame(resource, resources.deployments);
  return isPatchable && subresource === undefined;
}

/** Those that the node's own life brings, and ours, come and go. */
function taints(node: ApiObject): readonly unknown[] {
  return recordsOf(recordOf(node['spec'])['taints']).filter(({ key }) => {
    const name = typeof key === 'string' ? key : '';
    return !name.startsWith('node.kubernetes.io/') && !name.startsWith('turnus.dev/');
  });
}
