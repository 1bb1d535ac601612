import type { ApiObject, EvictionRequest } from '../../../src/cluster/clusterPort.js';
import type { Call } from '../witness.js';
import { singletonPolicy, replicasToKeep } from './nightPolicy.js';
import { appOf, isReady, isServing, nodeOfPod, podName } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

interface Sent {
  readonly app: string;
  readonly desired: number | undefined;
  /** Ready replicas that the actor knew of besides the pod and those whose eviction it had sent before. */
  readonly leftTold: number;
  readonly wasReady: boolean;
}

/**
 * No owner with two or more desired replicas keeps fewer Ready replicas than the playbook asks for in its namespace after
 * our eviction, and at least one; and no singleton is evicted where that is not allowed. It must be so in truth and in
 * what the actor had been told when it sent the eviction: only where both agree was it a mistake of the actor.
 */
export const lastReplicaStays: MakeInvariant = (night) => {
  const { say, violations } = complaints('last-replica-stays', night);
  const sentCalls = new Map<string, Sent>();
  /** By actor the UIDs of pods whose eviction it has sent and that was not refused. */
  const leaving = new Map<string, Set<string>>();
  const leavingOf = (actor: string) => {
    const known = leaving.get(actor) ?? new Set<string>();
    leaving.set(actor, known);
    return known;
  };

  return {
    sent(call) {
      const request = evictionOf(call);
      if (request === undefined) return;
      const knowledge = night.told.of(call.actor);
      const pod = knowledge.pods.get(`${request.namespace}/${request.name}`)?.object;
      const app = pod && appOf(pod);
      const gone = leavingOf(call.actor);
      if (pod !== undefined && app !== undefined) {
        const left = [...knowledge.pods.values()].filter(
          ({ object }) =>
            object.metadata.namespace === request.namespace &&
            appOf(object) === app &&
            object.metadata.uid !== pod.metadata.uid &&
            !gone.has(object.metadata.uid ?? '') &&
            isServing(object),
        );
        sentCalls.set(callId(call), {
          app,
          desired: knowledge.desired.get(`${request.namespace}/${app}`),
          leftTold: left.length,
          wasReady: isServing(pod),
        });
      }
      gone.add(pod?.metadata.uid ?? '');
    },
    arrived(call, answer) {
      const request = evictionOf(call);
      if (request === undefined) return;
      const sent = sentCalls.get(callId(call));
      sentCalls.delete(callId(call));
      if (answer.kind !== 'accepted') {
        leavingOf(call.actor).delete(request.uid);
        return;
      }
      if (sent === undefined || !sent.wasReady) return;
      const { namespace } = request;
      const desired = night.truth.desired(namespace, sent.app) ?? 0;
      const desiredTold = sent.desired ?? desired;
      const left = night.truth.pods(namespace).filter((pod) => isOtherReplica(pod, { ...sent, name: request.name }));
      const node = nodeOfPod(night.truth.pod(request) ?? { metadata: {} }) ?? 'its node';
      const evicted = `${call.actor} evicted ${namespace}/${request.name} from ${node}`;
      if (desired === 1 && desiredTold === 1 && left.length === 0 && sent.leftTold === 0) {
        if (singletonPolicy(night.night, namespace) === 'block') {
          say(`${evicted}, the only replica, which may not be moved`);
        }
        return;
      }
      if (desired < 2 || desiredTold < 2) return;
      const needed = replicasToKeep(night.night, namespace, desired);
      if (left.length >= needed || sent.leftTold >= replicasToKeep(night.night, namespace, desiredTold)) return;
      say(`${evicted}; ${left.length} of ${desired} replicas are left Ready, and ${needed} must be`);
    },
    violations,
  };
};

function isOtherReplica(pod: ApiObject, evicted: { readonly app: string; readonly name: string }): boolean {
  return (
    appOf(pod) === evicted.app &&
    podName(pod) !== `${pod.metadata.namespace ?? ''}/${evicted.name}` &&
    isReady(pod) &&
    isServing(pod)
  );
}

function callId({ actor, number }: Call): string {
  return `${actor} ${String(number)}`;
}

/** The request where the call is an eviction that counts. */
export function evictionOf({ port, verb, request }: Call): EvictionRequest | undefined {
  if (port !== 'cluster' || verb !== 'evict') return undefined;
  const eviction = request as EvictionRequest;
  return eviction.dryRun === true ? undefined : eviction;
}
