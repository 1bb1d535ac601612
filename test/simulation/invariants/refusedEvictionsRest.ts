import { numberOf, recordOf } from '../../../src/cluster/json.js';
import { evictionOf } from './lastReplicaStays.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

interface Refusal {
  readonly answer: string;
  readonly sentAt: number;
  readonly refusedAt: number;
  readonly refusals: number;
  readonly retryAfterMs: number | undefined;
}

const firstPauseMs = 1000;
const longestPauseMs = 30_000;

/**
 * No refused eviction is sent again without a reason to hope: the actor was told of another state of a budget of the
 * namespace since it sent the refused one, or the pause is over (the server's Retry-After, else one second, doubled
 * with each refusal, at most half a minute; src/drain/evictionOutcome.ts). A drain that begins anew, or goes on after a
 * lost lease, may try once.
 */
export const refusedEvictionsRest: MakeInvariant = (night) => {
  const { say, violations } = complaints('refused-evictions-rest', night);
  const refusals = new Map<string, Refusal>();
  const sentAt = new Map<string, number>();
  const keyOf = (actor: string, uid: string) => `${actor} ${uid}`;

  return {
    sent(call) {
      const request = evictionOf(call);
      if (request === undefined) return;
      const key = keyOf(call.actor, request.uid);
      const refused = refusals.get(key);
      const now = night.elapsedMs();
      sentAt.set(key, now);
      if (refused === undefined) return;
      const knowledge = night.told.of(call.actor);
      const budgetChangedAt = knowledge.budgetsChangedAt.get(request.namespace) ?? -1;
      const isBudget = refused.answer === 'budget';
      if (isBudget && budgetChangedAt >= refused.sentAt) return;
      // A drain that begins anew counts anew.
      const readAt = Math.max(...knowledge.nodeReadAt.values(), -1);
      if (readAt >= refused.refusedAt) {
        refusals.delete(key);
        return;
      }
      const rested = now - refused.refusedAt;
      if (rested >= pauseMs(refused)) return;
      say(
        `${call.actor} sent the eviction of ${request.namespace}/${request.name} again ${rested} ms after the answer ${refused.answer} (refusal ${refused.refusals + 1}) and had not heard of a change`,
      );
    },
    arrived(call, answer) {
      const request = evictionOf(call);
      if (request === undefined) return;
      const key = keyOf(call.actor, request.uid);
      if (answer.kind === 'accepted' || answer.kind === 'gone') {
        refusals.delete(key);
        return;
      }
      refusals.set(key, {
        answer: answer.kind,
        sentAt: sentAt.get(key) ?? night.elapsedMs(),
        refusedAt: night.elapsedMs(),
        refusals: (refusals.get(key)?.refusals ?? -1) + 1,
        retryAfterMs: numberOf(recordOf(answer)['retryAfterMs']),
      });
    },
    violations,
  };
};

function pauseMs({ retryAfterMs, refusals }: Refusal): number {
  const pause = retryAfterMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** refusals);
  return Math.max(firstPauseMs, pause);
}
