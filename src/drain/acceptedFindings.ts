import type { Finding, FindingCode } from '../gates/finding.js';
import type { Permission } from './nextStep.js';
import { codeOfWait } from './waitCode.js';

/** What a person has taken on for one node, by the code of the finding: who, and why (`turnus accept`). */
export type AcceptedFindings = ReadonlyMap<FindingCode, { readonly by: string; readonly reason: string }>;

export const nothingAccepted: AcceptedFindings = new Map();

/** True where what stands in the way of a pod is something that a person has taken on. */
export function isAccepted(permission: Permission, accepted: AcceptedFindings): boolean {
  switch (permission.kind) {
    case 'go':
      return false;
    case 'never':
      return accepted.has(permission.finding.code);
    case 'wait': {
      const code = codeOfWait(permission.wait.for);
      return code !== undefined && accepted.has(code);
    }
  }
}

/** The finding as it stands where somebody has taken it on: it holds nothing up, and says who lets it stand. */
export function asAccepted(finding: Finding, accepted: AcceptedFindings): Finding {
  const acceptance = accepted.get(finding.code);
  if (acceptance === undefined || finding.severity !== 'block') return finding;
  const { by, reason } = acceptance;
  return { ...finding, severity: 'caution', message: `${finding.message} Accepted by ${by}: ${reason}` };
}
