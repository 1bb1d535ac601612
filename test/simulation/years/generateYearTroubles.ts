import type { SeededRandom } from '../../../src/sandbox/seededRandom.js';
import type { NodeDescription } from '../../../src/sandbox/simulatedCluster.js';
import type { NightPlaybook, NightWorkload } from '../night.js';
import type { Happening, YearCall, YearTrouble } from './year.js';

const minute = 60_000;
const hour = 60 * minute;

interface Situation {
  readonly beginsAt: number;
  readonly endsAt: number;
  readonly calls: readonly YearCall[];
  readonly nodes: readonly NodeDescription[];
  readonly workloads: readonly NightWorkload[];
  readonly playbook: NightPlaybook;
  readonly random: SeededRandom;
}

/** One to twelve troubles, and some that let turns last into the close of their window. */
export function generateYearTroubles(situation: Situation): readonly YearTrouble[] {
  const { random } = situation;
  const scattered = Array.from({ length: random.between(1, 12) }, () => ({
    at: someTime(situation),
    what: random.pick(makers)(situation),
  }));
  const slow = Array.from({ length: random.pick([0, 2, 4, 6]) }, () => ({
    at: random.pick(situation.calls).at - 10_000,
    what: random.pick([podsHang, podsHang, bootIsLate])(situation),
  }));
  return [...scattered, ...slow]
    .sort((one, other) => one.at - other.at)
    .map((trouble, number) => ({ id: `t${String(number + 1)}`, ...trouble }));
}

function someTime({ beginsAt, endsAt, calls, random }: Situation): number {
  if (random.chance(0.25)) return random.between(beginsAt + hour, endsAt - hour);
  return random.pick(calls).at + random.between(-2 * minute, 6 * minute);
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
  bootIsLate,
  podsHang,
  podsHang,
  ({ random }) => ({ kind: 'pause', resumedAfterMs: pauseMs(random) }),
];

function bootIsLate({ nodes, random }: Situation): Happening {
  return { kind: 'boot-never-returns', node: random.pick(nodes).name, mendedAfterMs: random.between(1, 30) * minute };
}

/** Replacements do not become Ready for a while: a drain waits for them. */
function podsHang({ workloads, random }: Situation): Happening {
  return { kind: 'never-ready', workload: random.pick(workloads).name, forMs: random.between(1, 40) * minute };
}

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
