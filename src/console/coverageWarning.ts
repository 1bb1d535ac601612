import { coverageFindings } from '../calendar/coverage.js';
import type { Playbook } from '../playbook/playbook.js';
import type { Plan } from '../run/plan.js';

/** Why the windows cannot give every node its turn within the coverage that the playbook promises, as the plan reckons. */
export function coverageWarning(seen: {
  readonly playbook: Pick<Playbook, 'schedule' | 'nodes'>;
  readonly plan: Pick<Plan, 'nodes'>;
  readonly now: number;
}): string[] {
  const { schedule, nodes } = seen.playbook;
  const { coverageMs } = schedule;
  const turns = seen.plan.nodes.filter(({ verdict }) => verdict !== 'done');
  if (coverageMs === undefined || turns.length === 0) return [];
  const totalMs = turns.reduce(
    (sum, { expectedMs, estimateMs }) => sum + (expectedMs === 0 ? estimateMs : expectedMs),
    0,
  );
  return coverageFindings({
    schedule,
    coverageMs,
    now: seen.now,
    turns: { count: turns.length, expectedMs: totalMs / turns.length, concurrency: nodes.concurrency },
  }).flatMap(({ code, message, hint }) => ['', `caution ${code}`, `  ${message}`, `  ${hint}`]);
}
