import { recordOf } from '../../../src/cluster/json.js';
import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import type { Call } from '../witness.js';
import { holdOn, isSame } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** From the decision to give a node back to the patch: the journal and its head are written in between. */
const decidedWithinMs = 5000;
/** The same while the API answers badly: the patch is repeated for about a minute, and so are the writes before it. */
const decidedWithinInTroubleMs = 5 * 60_000;

/**
 * A person's hold is respected before the cordon, before the host is touched, before the reboot and before the node is
 * given back. Cordon, touch and reboot follow a reading of the node: a hold that the actor knew when it asked for that
 * reading stops them. A hold that was set later is not held against the actor.
 */
export const holdIsKept: MakeInvariant = (night) => {
  const { say, violations } = complaints('hold-is-kept', night);
  const starter = new Map<string, string>();
  const touched = new Set<string>();
  const rebootsAsked = new Set<string>();
  const isTroubled = night.night.troubles.some(({ kind }) => kind === 'api-answers' || kind === 'api-down');
  const patienceMs = isTroubled ? decidedWithinInTroubleMs : decidedWithinMs;

  const isHeld = (name: string): boolean => {
    const node = night.truth.node(name);
    return node !== undefined && holdOn(node) !== undefined;
  };
  const heldSince = (actor: string, name: string) => night.told.of(actor).nodes.get(name)?.heldSince;
  const judge = (actor: string, name: string, act: string): void => {
    const since = heldSince(actor, name);
    const readAt = night.told.of(actor).nodeReadAt.get(name);
    if (!isHeld(name) || since === undefined || readAt === undefined || since >= readAt) return;
    say(`${act} of ${name} by ${actor}, which had been told of a hold ${readAt - since} ms before it looked last`);
  };

  return {
    sent(call) {
      const { actor, name = '' } = call;
      if (call.port === 'host' && call.verb === 'startJob') starter.set(name, actor);
      if (call.port === 'host' && call.verb === 'reboot') {
        const key = `${name} ${JSON.stringify(call.request)}`;
        if (!rebootsAsked.has(key)) judge(actor, name, 'reboot');
        rebootsAsked.add(key);
        touched.add(name);
      }
      const change = cordonChange(call);
      if (change === 'cordon' && !touched.has(name)) judge(actor, name, 'cordon');
      if (change === 'uncordon' && isHeld(name)) {
        const since = heldSince(actor, name);
        if (since === undefined || night.elapsedMs() - since < patienceMs) return;
        say(`uncordon of ${name} by ${actor}, which had been told of a hold ${night.elapsedMs() - since} ms before`);
      }
    },
    onHost(event) {
      if (event.kind !== 'job-started' || event.stage === 'prepare') return;
      if (!touched.has(event.node) || event.stage === 'update') {
        judge(starter.get(event.node) ?? '', event.node, `script ${event.stage}`);
      }
      touched.add(event.node);
    },
    violations,
  };
};

/** Whether this patch of a node sets or takes away our cordon. */
export function cordonChange(call: Call): 'cordon' | 'uncordon' | undefined {
  if (call.port !== 'cluster' || call.verb !== 'patch' || !isSame(call.resource, resources.nodes)) return undefined;
  const { operations } = recordOf(recordOf(call.request)['patch']);
  if (!Array.isArray(operations)) return undefined;
  const mark = `/metadata/annotations/${marks.cordonedBy.replaceAll('/', '~1')}`;
  const touches = operations.map(recordOf).find(({ op, path }) => path === mark && op !== 'test');
  if (touches === undefined) return undefined;
  return touches['op'] === 'remove' ? 'uncordon' : 'cordon';
}
