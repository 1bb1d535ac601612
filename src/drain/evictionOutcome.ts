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
/** Part of a pause by which those of pods that were refused together differ. */
const jitter = 0.25;
/** The server's own words for two budgets on one pod (pkg/registry/core/pod/storage/eviction.go). */
const severalBudgets = /more than one PodDisruptionBudget/;

/**
 * Reads an answer. `refusals` counts the earlier ones for this pod; pauses double from one second to half a minute, each
 * up to a quarter longer, by the pod's UID, so that many pods do not come back at the same moment.
 */
export function evictionOutcome(eviction: {
  readonly answer: EvictionAnswer;
  readonly pod: PodView;
  readonly node: string;
  readonly refusals: number;
}): EvictionOutcome {
  const { answer, pod, node, refusals } = eviction;
  const name = `Pod ${podKey(pod)}`;
  const pauseMs = pauseOf(pod, refusals);
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
      const says = notAsked.test(answer.message)
        ? `${denier} cannot be asked, so the API server refuses the eviction of`
        : `${denier} refuses the eviction of`;
      return held({
        objects: [denier, name],
        message: `${says} ${name}: ${answer.message}`,
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
      return uncertain(name, `The API server did not answer the eviction of ${name} (${answer.message})`, pauseMs);
    case 'refused':
      if (severalBudgets.test(answer.message)) return { kind: 'never', finding: conflict(name, answer.message, node) };
      // A server that fails, or gives up waiting for its store, may have done it all the same.
      if (answer.status >= 500) {
        const said = `The API server failed at the eviction of ${name} (${String(answer.status)}: ${answer.message})`;
        return uncertain(name, said, pauseMs);
      }
      return held({
        objects: [name],
        message: `The API server refuses the eviction of ${name} (${String(answer.status)}): ${answer.message}`,
        hint:
          answer.status === 403
            ? 'Grant create on pods/eviction: bind the ClusterRole turnus.'
            : 'It is tried again until the timeout.',
      });
  }
}

function uncertain(name: string, said: string, forMs: number): EvictionOutcome {
  return {
    kind: 'uncertain',
    forMs,
    wait: {
      for: 'retry',
      objects: [name],
      message: `${said}; whether it was accepted shows in the pod. If not, it is tried again.`,
      hint: 'Nothing to do unless the API server keeps failing.',
    },
  };
}

/** How long the pod is left alone, whole milliseconds. */
function pauseOf({ uid }: PodView, refusals: number): number {
  const seed = `${uid}/${String(refusals)}`;
  let share = 7;
  for (let place = 0; place < seed.length; place += 1) share = (share * 31 + seed.charCodeAt(place)) % 1000;
  return Math.round(Math.min(longestPauseMs, firstPauseMs * 2 ** refusals) * (1 + (jitter * share) / 1000));
}

/** A webhook that gave no answer, with failurePolicy Fail. */
const notAsked = /failed calling webhook/;

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
