import { evictionOf } from './lastReplicaStays.js';
import { treatmentOf } from './nightPolicy.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** A pod that the playbook leaves, waits for or keeps its node in service for is not evicted. */
export const overridesAreKept: MakeInvariant = (night) => {
  const { say, violations } = complaints('overrides-are-kept', night);
  return {
    sent(call) {
      const request = evictionOf(call);
      if (request === undefined) return;
      const key = `${request.namespace}/${request.name}`;
      const pod = night.told.of(call.actor).pods.get(key)?.object;
      const treatment = pod && treatmentOf(night.night, pod);
      if (treatment === undefined || treatment === 'evict') return;
      say(`${call.actor} evicts ${key}, of which the playbook says: ${treatment}`);
    },
    violations,
  };
};
