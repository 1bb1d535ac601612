import { findingCatalogue, type FindingCode } from './finding.js';

/** Whether a person may take on what a finding warns of; where not, why. */
export type Acceptance =
  { readonly kind: 'acceptable'; readonly code: FindingCode } | { readonly kind: 'refused'; readonly message: string };

/**
 * What Turnus would do if it were allowed to. Everything else is no matter of opinion: a budget is the word of the team
 * that wrote it, and the API server holds to it; a host that is not proved to be the node stays untouched whoever asks.
 */
const acceptableCodes: readonly FindingCode[] = [
  'replica-spread',
  'not-recovered',
  'singleton-blocked',
  'last-webhook-backend',
  'no-capacity',
  'unmanaged-pod',
  'local-data-blocked',
  'job-running',
  'pod-objects',
  'pod-blocked',
  'other-rebooter',
  'cluster-not-healthy',
  'condition-unreadable',
  'system-owner-short',
];

/** Reads the code of a request, written by whoever may write requests. */
export function acceptableCode(text: string | undefined): Acceptance {
  const code = acceptableCodes.find((known) => known === text);
  if (code !== undefined) return { kind: 'acceptable', code };
  const list = acceptableCodes.join(', ');
  if (text === undefined || !Object.hasOwn(findingCatalogue, text)) {
    const what = text === undefined ? 'No finding is named' : `${JSON.stringify(text)} is no finding`;
    return { kind: 'refused', message: `${what}; these can be accepted: ${list}.` };
  }
  if (text.startsWith('budget-')) {
    const message = `${text} is never accepted: a PodDisruptionBudget holds for everybody. Change the budget or the workload that the finding names.`;
    return { kind: 'refused', message };
  }
  return { kind: 'refused', message: `${text} cannot be accepted; these can: ${list}.` };
}
