import type { DrainForecast } from '../drain/forecast.js';
import type { Finding, FindingCode } from './finding.js';

const codes: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'unmanaged-pod',
  'local-data-lost',
  'local-data-blocked',
  'grace-exceeds-timeout',
  'job-running',
  'pod-objects',
  'objection-overruled',
  'pod-blocked',
  'pod-awaited',
  'left-by-policy',
]);

/** Does the playbook's drain policy let every pod leave, and what is lost with it? */
export function podPolicyGate(forecast: DrainForecast): readonly Finding[] {
  return forecast.findings.filter(({ code }) => codes.has(code));
}
