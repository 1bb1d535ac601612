import { resources } from '../../../src/cluster/resources.js';
import type { Call } from '../witness.js';
import { isSame } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** Nobody acts while the server says that another holds the lease. */
export const leaseHolderActs: MakeInvariant = (night) => {
  const { say, violations } = complaints('lease-holder-acts', night);
  return {
    sent(call) {
      if (!isAct(call)) return;
      const holder = night.truth.leaseHolder();
      if (holder === '' || holder === call.actor) return;
      say(`${call.actor} sent ${inWords(call)} while ${holder} held the lease`);
    },
    violations,
  };
};

/** Changes something that others see. Asking who one is, and the lease itself, need no lease. */
export function isAct({ isOutward, port, resource, request }: Call): boolean {
  if (!isOutward || isSame(resource, resources.leases)) return false;
  if (resource?.group === 'authorization.k8s.io' || resource?.group === 'authentication.k8s.io') return false;
  return !(port === 'cluster' && (request as { readonly dryRun?: boolean }).dryRun === true);
}

export function inWords({ port, verb, resource, name, subresource }: Call): string {
  const what = resource === undefined ? '' : ` ${resource.plural}`;
  return `${port} ${verb}${what}${name === undefined ? '' : ` ${name}`}${subresource === undefined ? '' : ` (${subresource})`}`;
}
