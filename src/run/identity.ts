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
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: run.timeZone,
    year: 'numeric',
    month: '2-digit',
  }).formatToParts(run.at);
  const part = (type: string) => parts.find((candidate) => candidate.type === type)?.value ?? '';
  const name = `${run.playbook}-${part('year')}-${part('month')}`;
  return run.rehearsal === undefined ? name : `${name}-rehearsal-${String(run.rehearsal)}`;
}
