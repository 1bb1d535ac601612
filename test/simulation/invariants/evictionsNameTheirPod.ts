import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import type { Call } from '../witness.js';
import { evictionOf } from './lastReplicaStays.js';
import { cordonMark, isCordoned, nodeOfPod } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * Every eviction names the UID of a pod that the actor was shown, and takes a pod from a node that is cordoned by us:
 * a namesake that was created meanwhile, on another node perhaps, never goes.
 */
export const evictionsNameTheirPod: MakeInvariant = (night) => {
  const { say, violations } = complaints('evictions-name-their-pod', night);
  /** Evictions on their way, by their sender's number, whose node was shown as cordoned by us when they left. */
  const excused = new Set<string>();
  return {
    sent(call) {
      const request = evictionOf(call);
      if (request === undefined) return;
      const pod = night.truth.pod(request);
      if (isOut(night.told.of(call.actor).nodes.get((pod && nodeOfPod(pod)) ?? '')?.object)) excused.add(idOf(call));
      const { namespace, name } = request;
      const uid: unknown = request.uid;
      const told = night.told.of(call.actor).pods.get(`${namespace}/${name}`)?.object;
      if (typeof uid !== 'string' || uid === '') say(`${call.actor} evicts ${namespace}/${name} without its UID`);
      else if (told !== undefined && told.metadata.uid !== uid) {
        say(`${call.actor} evicts ${namespace}/${name} with UID ${uid}, and was shown ${told.metadata.uid ?? 'none'}`);
      }
    },
    arrived(call, answer) {
      const request = evictionOf(call);
      if (request === undefined || answer.kind !== 'accepted') return;
      const pod = night.truth.pod(request);
      const node = pod && nodeOfPod(pod);
      if (node === undefined || isOut(night.truth.node(node))) return;
      if (excused.has(idOf(call))) return;
      say(`${call.actor} evicted ${request.namespace}/${request.name} from ${node}, which is not cordoned by us`);
    },
    violations,
  };
};

function idOf({ actor, number }: Call): string {
  return `${actor} ${number}`;
}

function isOut(node: ApiObject | undefined): boolean {
  return node !== undefined && isCordoned(node) && cordonMark(node) !== undefined;
}
