import type { DrainForecast } from '../drain/forecast.js';
import type { Finding, FindingCode } from './finding.js';

const codes: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'budget-never',
  'budget-not-now',
  'budget-conflict',
  'budget-not-synced',
  'budget-stale',
  'budget-managed',
]);

/** Do the disruption budgets let every pod leave? The forecast has run the drain to its end. */
export function budgetGate(forecast: DrainForecast): readonly Finding[] {
  return forecast.findings.filter(({ code }) => codes.has(code));
}
