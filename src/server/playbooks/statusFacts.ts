import type { PlaybookStatus } from '../../playbook/playbookStatus.js';
import type { PlaybookCoverage } from '../../run/coverage.js';
import { newestFirst } from '../../run/identity.js';
import type { RunObject } from '../../run/objects.js';
import { ofPlaybook } from './servedRuns.js';

/** The newest run that is no rehearsal. */
export function lastRunOf(playbook: string, runs: readonly RunObject[]): PlaybookStatus['lastRun'] {
  const [newest] = ofPlaybook(playbook, runs).sort((one, other) => newestFirst(one.name, other.name));
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
