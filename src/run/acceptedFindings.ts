import type { AcceptedFindings } from '../drain/acceptedFindings.js';
import { acceptableCode } from '../gates/acceptance.js';
import type { TurnStatus } from './state.js';

/** What people have taken on for this turn. What may never be accepted is not, whoever wrote it into the status. */
export function acceptedFindings({ accepted = [] }: Pick<TurnStatus, 'accepted'>): AcceptedFindings {
  return new Map(
    accepted.flatMap(({ code, by, reason }) => {
      const acceptance = acceptableCode(code);
      return acceptance.kind === 'acceptable' ? [[acceptance.code, { by, reason }] as const] : [];
    }),
  );
}
