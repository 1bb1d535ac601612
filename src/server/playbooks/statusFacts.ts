import type { PlaybookStatus } from '../../playbook/playbookStatus.js';
import type { PlaybookCoverage } from '../../run/coverage.js';
import type { RunObject } from '../../run/objects.js';

/** The newest run that is no rehearsal. */
export function lastRunOf(playbook: string, runs: readonly RunObject[]): PlaybookStatus['lastRun'] {
  const [newest] = runs
    .filter(({ spec }) => spec.playbook.name === playbook && !spec.rehearsal)
    .sort((one, other) => other.name.localeCompare(one.name, 'en', { numeric: true }));
  if (newest === undefined) return undefined;
  const { phase, message, finishedAt } = newest.status;
  return {
    name: newest.name,
    phase,
    ...(message === undefined ? {} : { message }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
  };
}

/** Coverage as the status tells it. */
export function coverageStatus({ nodes }: PlaybookCoverage): NonNullable<PlaybookStatus['coverage']> {
  const oldest = nodes
    .flatMap(({ lastTurn }) => (lastTurn === undefined ? [] : [lastTurn.at]))
    .sort((a, b) => a - b)[0];
  return {
    nodes: nodes.length,
    overdue: nodes.filter(({ isAlarm }) => isAlarm).length,
    ...(oldest === undefined ? {} : { oldestTurn: new Date(oldest).toISOString() }),
  };
}
