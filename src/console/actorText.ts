import type { LeaseSight } from '../cluster/leaseSight.js';
import { plainText } from './plainText.js';
import { spanMs, spanText } from './timeText.js';

/** Who acts now, as far as the Lease tells. */
export function actorText(sight: LeaseSight, now: number): string {
  switch (sight.kind) {
    case 'free':
      return 'no actor is at work';
    case 'alive':
      return `${plainText(sight.holder)} is at work${agoText(sight.renewedAt, now)}`;
    case 'silent':
      return `no actor is at work: ${plainText(sight.holder)} holds the lease and has not renewed it${agoText(sight.renewedAt, now)}`;
    case 'unknown':
      return `who acts is not known: ${plainText(sight.failure.message)}`;
  }
}

function agoText(renewedAt: number | undefined, now: number): string {
  return renewedAt === undefined ? '' : ` (last seen ${spanText(spanMs(renewedAt, now))} ago)`;
}
