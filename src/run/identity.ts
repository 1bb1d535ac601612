/**
 * Name of a run: `<playbook>-<yyyy-mm>` with its period, the month of the opening of its window. Creating it twice means
 * continuing it. Further runs of a month are numbered; a rehearsal has a name of its own, so that it never counts.
 */
export function runName(run: {
  readonly playbook: string;
  /** `yyyy-mm` */
  readonly period: string;
  /** 0: the month's first. Rehearsals begin at 1. */
  readonly number: number;
  readonly rehearsal: boolean;
}): string {
  const name = `${run.playbook}-${run.period}`;
  if (run.rehearsal) return `${name}-rehearsal-${String(run.number)}`;
  return run.number === 0 ? name : `${name}-x${String(run.number)}`;
}

/** Sorts names of runs of one playbook, the newest first: the tenth of a month after its ninth. */
export function newestFirst(one: string, other: string): number {
  return other.localeCompare(one, 'en', { numeric: true });
}

/** The period of the run of this playbook, by its name; undefined where the name is not of that form. */
export function periodOfRun(name: string, playbook: string): string | undefined {
  if (!name.startsWith(`${playbook}-`)) return undefined;
  return /^(\d{4}-\d{2})(-(rehearsal-|x)\d+)?$/.exec(name.slice(playbook.length + 1))?.[1];
}
