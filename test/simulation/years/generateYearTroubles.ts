import type { Window } from '../../../src/calendar/windows.js';
import type { SeededRandom } from '../../../src/sandbox/seededRandom.js';
import type { NodeDescription } from '../../../src/sandbox/simulatedCluster.js';
import type { NightPlaybook, NightWorkload } from '../night.js';
import type { Happening, YearTrouble } from './year.js';

const minute = 60_000;
const hour = 60 * minute;

interface Situation {
  readonly beginsAt: number;
  readonly endsAt: number;
  readonly windows: readonly Window[];
  readonly nodes: readonly NodeDescription[];
  readonly workloads: readonly NightWorkload[];
  readonly playbook: NightPlaybook;
  readonly random: SeededRandom;
}

/** One to twelve troubles, most of them shortly before a window or in the beginning of it, where they do harm. */
export function generateYearTroubles(situation: Situation): readonly YearTrouble[] {
  const { random } = situation;
  return Array.from({ length: random.between(1, 12) }, () => ({
    at: someTime(situation),
    what: random.pick(makers)(situation),
  }))
    .sort((one, other) => one.at - other.at)
    .map((trouble, number) => ({ id: `t${String(number + 1)}`, ...trouble }));
}

function someTime({ beginsAt, endsAt, windows, random }: Situation): number {
  if (windows.length === 0 || random.chance(0.3)) return random.between(beginsAt + hour, endsAt - hour);
  const { opensAt, closesAt } = random.pick(windows);
  return Math.max(beginsAt + hour, random.between(opensAt - 5 * minute, Math.min(opensAt + 12 * minute, closesAt)));
}

const makers: readonly ((situation: Situation) => Happening)[] = [
  ({ nodes, random }) => ({ kind: 'node-deleted', node: random.pick(nodes).name }),
  ({ nodes, random }) => ({
    kind: 'node-added',
    node: random.pick([...nodes.map(({ name }) => name), 'node-8', 'node-9']),
  }),
  ({ nodes, random }) => ({ kind: 'node-registered-anew', node: random.pick(nodes).name }),
  scriptFails,
  scriptFails,
  scriptFails,
  ({ nodes, random }) => ({
    kind: 'boot-never-returns',
    node: random.pick(nodes).name,
    mendedAfterMs: random.between(1, 30) * minute,
  }),
  ({ workloads, random }) => ({
    kind: 'never-ready',
    workload: random.pick(workloads).name,
    forMs: random.between(1, 40) * minute,
  }),
  ({ random }) => ({ kind: 'pause', resumedAfterMs: pauseMs(random) }),
];

function scriptFails({ nodes, playbook, random }: Situation): Happening {
  return {
    kind: 'script-fails',
    node: random.pick(nodes).name,
    stage: random.pick(playbook.stages),
    changed: random.chance(0.5),
    then: random.pick(['retry-soon', 'retry-at-next-call', 'resume-at-next-call', 'nothing'] as const),
  };
}

/** Within the window, or days later. */
function pauseMs(random: SeededRandom): number {
  return random.chance(0.5) ? random.between(1, 10) * minute : random.between(1, 40) * 24 * hour;
}
