import type { ApiObject, EvictionRequest } from '../../../src/cluster/clusterPort.js';
import { requiredReady } from '../../../src/cluster/replicas.js';
import type { Call, Invariant } from '../witness.js';
import { appOf, isReady, isServing, nodeOfPod, podName } from './truth.js';
import { complaints, type MakeInvariant, type WatchedNight } from './watchedNight.js';

interface Sent {
  readonly app: string;
  readonly desired: number | undefined;
  /** Ready replicas that the actor knew of besides the pod and those whose eviction it had sent before. */
  readonly leftTold: number;
  readonly wasReady: boolean;
}

/** No owner with two or more desired replicas loses its last Ready replica by our eviction. */
export const lastReplicaStays: MakeInvariant = (night) =>
  replicasStay(night, { name: 'last-replica-stays', least: () => 1 });

/** Nor are fewer left than the playbook wants to stay, however many nodes are emptied at the same time. */
export const requiredReplicasStay: MakeInvariant = (night) =>
  replicasStay(night, { name: 'required-replicas-stay', least: (desired) => requiredReady('50%', desired) });

/**
 * Judges our evictions by how many Ready replicas they leave, in truth and in what the actor had been told when it sent
 * them: only where both agree was it a mistake of the actor.
 */
function replicasStay(
  night: WatchedNight,
  { name, least }: { readonly name: string; readonly least: (desired: number) => number },
): Invariant {
  const { say, violations } = complaints(name, night);
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
      if (desired < 2 || (sent.desired ?? desired) < 2) return;
      const left = night.truth.pods(namespace).filter((pod) => isOtherReplica(pod, { ...sent, name: request.name }));
      const needed = Math.min(least(desired), least(sent.desired ?? desired));
      if (left.length >= needed || sent.leftTold >= needed) return;
      const node = nodeOfPod(night.truth.pod(request) ?? { metadata: {} }) ?? 'its node';
      say(
        `${call.actor} evicted ${namespace}/${request.name} from ${node}: ${left.length} Ready replicas of ${desired} were left, not ${needed}`,
      );
    },
    violations,
  };
}

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
