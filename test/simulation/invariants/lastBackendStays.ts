import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { evictionOf } from './lastReplicaStays.js';
import { isServing } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * No eviction takes the last Ready pod that the API server can call in a namespace, neither in truth nor in what the
 * actor had been told when it sent the eviction.
 */
export const lastBackendStays: MakeInvariant = (night) => {
  const { say, violations } = complaints('last-backend-stays', night);
  /** By actor and call, whether the actor knew of another one. */
  const knewOther = new Map<string, boolean>();
  return {
    sent(call) {
      const request = evictionOf(call);
      if (request === undefined) return;
      const { pods } = night.told.of(call.actor);
      const pod = pods.get(`${request.namespace}/${request.name}`)?.object;
      if (pod === undefined || !isBackend(pod)) return;
      const others = [...pods.values()].filter(({ object }) => isOther(object, pod));
      knewOther.set(`${call.actor} ${String(call.number)}`, others.length > 0);
    },
    arrived(call, answer) {
      const request = evictionOf(call);
      const knew = knewOther.get(`${call.actor} ${String(call.number)}`);
      if (request === undefined || knew !== false || answer.kind !== 'accepted') return;
      const evicted = { metadata: { namespace: request.namespace, name: request.name } };
      if (night.truth.pods(request.namespace).some((pod) => isOther(pod, evicted))) return;
      say(`${call.actor} evicted ${request.namespace}/${request.name}, the last Ready pod behind a webhook`);
    },
    violations,
  };
};

function isBackend(pod: ApiObject): boolean {
  return pod.metadata.labels?.['serves'] === 'api' && isServing(pod);
}

function isOther(pod: ApiObject, { metadata }: ApiObject): boolean {
  return isBackend(pod) && pod.metadata.namespace === metadata.namespace && pod.metadata.name !== metadata.name;
}
