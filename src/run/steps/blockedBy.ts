import type { Finding } from '../../gates/finding.js';
import type { StepEnd } from '../outcome.js';

/** What may be over at the next attempt without anybody changing an object. */
const passing: ReadonlySet<Finding['code']> = new Set<Finding['code']>([
  'budget-not-now',
  'budget-not-synced',
  'budget-stale',
  'replica-spread',
  'not-recovered',
  'rollout-under-way',
  'job-running',
  'no-room',
  'node-not-ready',
  'api-not-ready',
  'cluster-not-healthy',
  'system-owner-short',
  'host-unreachable',
]);

/** The end of a step that these findings block: deferred where all of them may pass, else blocked. */
export function blockedBy(findings: readonly Finding[]): StepEnd {
  const message = findings.map((finding) => `${finding.message} ${finding.hint}`).join(' ');
  const isPassing = findings.every((finding) => passing.has(finding.code));
  return { kind: isPassing ? 'deferred' : 'blocked', message };
}
