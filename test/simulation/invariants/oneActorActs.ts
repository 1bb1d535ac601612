import { inWords, isAct } from './leaseHolderActs.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** Another acts only when who acted last has ended, has died, or has lost the lease to it. */
export const oneActorActs: MakeInvariant = (night) => {
  const { say, violations } = complaints('one-actor-acts', night);
  const over = new Set<string>();
  let last: string | undefined;
  return {
    actor({ actor, what }) {
      if (what === 'begins') over.delete(actor);
      else over.add(actor);
    },
    sent(call) {
      if (!isAct(call)) return;
      const { actor } = call;
      if (last !== undefined && last !== actor && !over.has(last) && night.truth.leaseHolder() !== actor) {
        say(`${actor} sent ${inWords(call)} while ${last} was at work`);
      }
      last = actor;
    },
    violations,
  };
};
