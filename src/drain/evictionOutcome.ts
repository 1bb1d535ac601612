import type { EvictionAnswer } from '../cluster/clusterPort.js';
import { podKey, type PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import type { Wait } from './nextStep.js';

/** What an answer to an eviction means for the drain. */
export type EvictionOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'gone' }
  /** Nobody knows whether it was accepted: it counts as accepted until the view has had time to show it. */
  | { readonly kind: 'uncertain'; readonly forMs: number; readonly wait: Wait }
  /** Refused for now. `untilBudgetChanges`: tried again earlier when a budget of the namespace changes. */
  | { readonly kind: 'held'; readonly forMs: number; readonly untilBudgetChanges: boolean; readonly wait: Wait }
  /** Refused for good. */
  | { readonly kind: 'never'; readonly finding: Finding };

const firstPauseMs = 1000;
const longestPauseMs = 30_000;
/** The server's own words for two budgets on one pod (pkg/registry/core/pod/storage/eviction.go). */
const severalBudgets = /more than one PodDisruptionBudget/;

/** Reads an answer. `refusals` counts the earlier ones for this pod; pauses double from one second to half a minute. */
export function evictionOutcome(eviction: {
  readonly answer: EvictionAnswer;
  readonly pod: PodView;
  readonly node: string;
  readonly refusals: number;
}): EvictionOutcome {
  const { answer, pod, node, refusals } = eviction;
  const name = `Pod ${podKey(pod)}`;
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** refusals);
  const held = (wait: Omit<Wait, 'for'>, forMs = pauseMs, untilBudgetChanges = false): EvictionOutcome => ({
    kind: 'held',
    forMs,
    untilBudgetChanges,
    wait: { for: 'retry', ...wait },
  });

  switch (answer.kind) {
    case 'accepted':
    case 'gone':
      return { kind: answer.kind };
    case 'budget': {
      const budget = answer.budget === undefined ? [] : [`PodDisruptionBudget ${pod.namespace}/${answer.budget}`];
      const wait = {
        objects: [...budget, name],
        message: `The eviction of ${name} was refused: ${answer.message}`,
        hint: 'It is tried again when the budget changes.',
      };
      return held(wait, Math.max(firstPauseMs, answer.retryAfterMs ?? pauseMs), true);
    }
    case 'denied': {
      const denier = denierName(answer);
      return held({
        objects: [denier, name],
        message: `${denier} refuses the eviction of ${name}: ${answer.message}`,
        hint: `Look at what is behind ${denier}; it is tried again until the drain's timeout.`,
      });
    }
    case 'throttled':
      return held(
        {
          objects: [name],
          message: `The API server is busy and asks to come back later with the eviction of ${name}: ${answer.message}`,
          hint: 'Nothing to do; it is tried again after the time the server asked for.',
        },
        Math.max(firstPauseMs, answer.retryAfterMs),
      );
    case 'namespace-terminating':
      return held({
        objects: [`Namespace ${pod.namespace}`, name],
        message: `Namespace ${pod.namespace} is being deleted; ${name} goes with it.`,
        hint: `If it stays, look at the finalizers of Namespace ${pod.namespace}.`,
      });
    case 'unreachable':
      return {
        kind: 'uncertain',
        forMs: pauseMs,
        wait: {
          for: 'retry',
          objects: [name],
          message: `The API server did not answer the eviction of ${name} (${answer.message}); whether it was accepted shows in the pod.`,
          hint: 'Nothing to do unless the API server stays unreachable.',
        },
      };
    case 'refused':
      return severalBudgets.test(answer.message)
        ? { kind: 'never', finding: conflict(name, answer.message, node) }
        : held({
            objects: [name],
            message: `The API server refuses the eviction of ${name} (${String(answer.status)}): ${answer.message}`,
            hint:
              answer.status === 403
                ? 'Grant create on pods/eviction: bind the ClusterRole turnus.'
                : 'It is tried again until the timeout.',
          });
  }
}

/** The server's own sentence tells a policy from a webhook. */
function denierName({ webhook, message }: Extract<EvictionAnswer, { kind: 'denied' }>): string {
  return `${message.includes('ValidatingAdmissionPolicy') ? 'ValidatingAdmissionPolicy' : 'Admission webhook'} ${webhook}`;
}

function conflict(name: string, message: string, node: string): Finding {
  return {
    code: 'budget-conflict',
    severity: 'block',
    node,
    objects: [name],
    message: `The API server refuses the eviction of ${name} for good: ${message}`,
    hint: 'Delete all but one of the PodDisruptionBudgets that match the pod, or narrow their selectors.',
  };
}
