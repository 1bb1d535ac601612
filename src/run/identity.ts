import { periodOf } from '../calendar/period.js';

/**
 * Name of a run: `<playbook>-<yyyy-mm>` with the month of `at` in the playbook's time zone. Creating it twice means
 * continuing it. A rehearsal has a name of its own, so that it never counts for the month.
 */
export function runName(run: {
  playbook: string;
  at: number;
  timeZone: string;
  rehearsal: number | undefined;
}): string {
  const name = `${run.playbook}-${periodOf(run.at, run.timeZone)}`;
  return run.rehearsal === undefined ? name : `${name}-rehearsal-${String(run.rehearsal)}`;
}
