import type { DrainForecast } from '../drain/forecast.js';
import type { Finding, FindingCode } from './finding.js';

const codes: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'replica-spread',
  'singleton-outage',
  'singleton-surge',
  'rollout-under-way',
  'singleton-blocked',
  'short-during-turn',
]);

/** Does every owner keep enough Ready replicas at each step of the drain? */
export function replicaSpreadGate(forecast: DrainForecast): readonly Finding[] {
  return forecast.findings.filter(({ code }) => codes.has(code));
}
