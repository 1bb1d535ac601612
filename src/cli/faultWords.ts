import type { FaultName } from '../sandbox/faults.js';

/** Every fault of a sandbox: what it is about, and what it does. */
export const faultWords: Readonly<Record<FaultName, { readonly subject: string; readonly does: string }>> = {
  'hang-host': { subject: 'NODE', does: 'the host takes connections and gives no answer' },
  'lose-host': { subject: 'NODE', does: 'the host refuses connections' },
  'no-return': { subject: 'NODE', does: 'its next reboot is one without return' },
  'fail-script': { subject: 'NODE', does: 'the next upgrade on the host fails half-way' },
  'silence-kubelet': { subject: 'NODE', does: 'the kubelet is not heard any more' },
  'block-budget': { subject: '[BUDGET]', does: 'the budget (default: shop/web) allows no eviction' },
  unready: { subject: 'WORKLOAD', does: 'the pods of the workload are not Ready any more' },
  'cut-api': { subject: '', does: 'the API server breaks every connection off' },
  'throttle-api': { subject: '', does: 'the API server answers 429 to everything' },
  'lose-watches': { subject: '', does: 'every watch breaks off, once' },
};

/** One line a fault, as the help has them. */
export function faultLines(): string[] {
  return Object.entries(faultWords).map(([name, { subject, does }]) => `  ${`${name} ${subject}`.padEnd(24)}  ${does}`);
}
