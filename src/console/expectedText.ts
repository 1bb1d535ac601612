import type { ExpectedTime } from '../run/expectedTime.js';
import type { Plan } from '../run/plan.js';
import { formatDuration } from '../time/duration.js';

/** `about 12 min`, or `about 12 min (guess)` where no former turn tells; a dash where there is nothing to be done. */
export function expectedText({ expectedMs, basis }: ExpectedTime): string {
  if (basis === undefined) return '-';
  return `about ${roundedText(expectedMs)}${basis === 'estimate' ? ' (guess)' : ''}`;
}

/** The line of the whole run, and what it rests on; none where no node can have its turn. */
export function expectedRunText(plan: Pick<Plan, 'nodes' | 'expectedMs' | 'basis'>): string[] {
  const counted = plan.nodes.filter(({ basis }) => basis !== undefined);
  if (counted.length === 0) return [];
  const known = counted.filter(({ basis }) => basis === 'history').length;
  const nodes = `${String(counted.length)} node${counted.length === 1 ? '' : 's'}`;
  const restsOn =
    known === counted.length
      ? 'as former turns took'
      : known === 0
        ? 'guess: no former turn'
        : `${String(known)} as former turns took, the others a guess`;
  return [`Expected: about ${roundedText(plan.expectedMs)} for ${nodes} (${restsOn})`];
}

/** No more exact than it can be: whole minutes, from an hour on in steps of five. */
function roundedText(ms: number): string {
  const [second, minute, hour] = [1000, 60_000, 3_600_000];
  const step = ms < 2 * minute ? second : ms < hour ? minute : 5 * minute;
  return formatDuration(Math.max(second, Math.round(ms / step) * step));
}
