import { windowsFrom, type Window } from '../../../src/calendar/windows.js';
import { seededRandom, type SeededRandom } from '../../../src/sandbox/seededRandom.js';
import type { NodeDescription } from '../../../src/sandbox/simulatedCluster.js';
import type { NightPlaybook, NightWorkload } from '../night.js';
import { generateSchedule } from './generateSchedule.js';
import { generateYearTroubles } from './generateYearTroubles.js';
import type { Year, YearCall } from './year.js';

const second = 1000;
const minute = 60 * second;
const day = 24 * 3600 * second;
/** A year, and the rest of the month that it ends in. */
const lastsMs = 380 * day;

/** The year of this seed: a cluster, a schedule, the calls of the command and troubles. One year in six has no trouble. */
export function generateYear(seed: number): Year {
  const random = seededRandom(seed);
  const beginsAt = Date.UTC(random.between(2026, 2031), random.between(0, 11), random.between(1, 28), 12);
  const endsAt = beginsAt + lastsMs;
  const isQuiet = random.chance(1 / 6);
  const nodes = generateNodes(random.fork());
  const workloads = generateWorkloads(random.fork());
  const playbook = generatePlaybook(random.fork());
  const schedule = generateSchedule({ beginsAt, endsAt, random: random.fork() });
  const windows = windowsFrom({ schedule, from: beginsAt, until: endsAt });
  const calls = generateCalls({ beginsAt, endsAt, windows, isQuiet, random: random.fork() });
  const troubles =
    isQuiet || calls.length === 0
      ? []
      : generateYearTroubles({ beginsAt, endsAt, calls, nodes, workloads, playbook, random: random.fork() });
  return {
    ...{ seed, beginsAt, endsAt, nodes, workloads, playbook, schedule, calls, troubles },
    coverageMs: random.pick([20, 40, 70]) * day,
    runHistoryLimit: random.pick([1, 3, 13, 13]),
    ...(random.chance(0.3) ? { expectedTurnMs: random.between(2, 9) * minute } : {}),
  };
}

function generateNodes(random: SeededRandom): readonly NodeDescription[] {
  const zones = random.pick([['a'], ['a', 'b'], ['a', 'b', 'c']]);
  return Array.from({ length: random.pick([2, 2, 3, 3, 4, 5]) }, (_, number) => ({
    name: `node-${String(number + 1)}`,
    zone: zones[number % zones.length] ?? 'a',
  }));
}

/** Few, and such as can move: what a drain does with others is what nights are about. */
function generateWorkloads(random: SeededRandom): readonly NightWorkload[] {
  return Array.from({ length: random.between(1, 3) }, (_, number): NightWorkload => {
    const common = {
      name: `w${String(number + 1)}`,
      namespace: 'shop',
      startMs: random.between(1, 6) * second,
      stopMs: random.between(1, 3) * second,
    };
    if (random.chance(0.2)) return { ...common, kind: 'DaemonSet', replicas: 0 };
    const budget = random.chance(0.5) ? { budget: { maxUnavailable: 1 } } : {};
    const kind = random.pick(['Deployment', 'Deployment', 'StatefulSet'] as const);
    return { ...common, kind, replicas: random.pick([1, 2, 2, 3]), ...budget };
  });
}

function generatePlaybook(random: SeededRandom): NightPlaybook {
  const concurrency = random.chance(0.15) ? 2 : 1;
  const around = random.chance(0.2);
  return {
    concurrency,
    maxUnavailable: concurrency,
    stopAfterFailures: random.pick([1, 1, 2]),
    reboot: random.pick(['required', 'always', 'always', 'never'] as const),
    stages: [
      ...(random.chance(0.15) ? (['prepare'] as const) : []),
      ...(around ? (['leave'] as const) : []),
      'update',
      ...(around ? (['join'] as const) : []),
    ],
    drainTimeoutMs: random.pick([3, 10]) * minute,
    attempts: random.between(1, 2),
    jobMs: random.between(5, random.pick([20, 90])) * second,
    bootMs: random.between(5, random.pick([20, 90])) * second,
    steer: random.chance(0.7),
  };
}

/**
 * The command is started in each window: at the opening, some time later, or shortly before the close. A machine may be
 * away for weeks; people start it as well, also outside of windows.
 */
function generateCalls({
  beginsAt,
  endsAt,
  windows,
  isQuiet,
  random,
}: {
  readonly beginsAt: number;
  readonly endsAt: number;
  readonly windows: readonly Window[];
  readonly isQuiet: boolean;
  readonly random: SeededRandom;
}): readonly YearCall[] {
  const missing = random.pick([0, 0.05, 0.3]);
  const away = random.chance(0.3) ? absence(random.between(beginsAt, endsAt), random) : { from: endsAt, until: endsAt };
  const times: number[] = [];
  for (const { opensAt, closesAt } of windows) {
    const within = () => random.between(opensAt, closesAt - 1);
    const isAway = away.from <= opensAt && opensAt < away.until;
    if (!isAway && !random.chance(missing)) {
      const late = () => Math.max(opensAt, closesAt - random.between(minute, 12 * minute));
      times.push(random.pick([() => opensAt + random.between(0, 30 * second), within, late])());
    }
    if (random.chance(0.15)) times.push(within());
    if (random.chance(0.06)) times.push(...random.pick([[opensAt - 1], [closesAt], [closesAt - 1], [closesAt + 1]]));
  }
  const others = Array.from({ length: random.between(0, 10) }, () => random.between(beginsAt, endsAt));
  return [...new Set([...times, ...others])]
    .filter((at) => at > beginsAt + 10 * minute && at < endsAt)
    .sort((one, other) => one - other)
    .map((at, number) => {
      const crash = !isQuiet && random.chance(0.12) ? { crash: generateCrash(random) } : {};
      return { id: `c${String(number + 1)}`, at, ...crash };
    });
}

function absence(from: number, random: SeededRandom): { readonly from: number; readonly until: number } {
  return { from, until: from + random.between(10, 80) * day };
}

function generateCrash(random: SeededRandom): NonNullable<YearCall['crash']> {
  return {
    // About the first hundred make the plan; of the others nobody knows how many there are.
    call: random.chance(0.3) ? random.between(1, 110) : Math.round(110 * Math.exp(random.next() * Math.log(10))),
    moment: random.pick(['before', 'after'] as const),
    ...(random.chance(0.5) ? { restartAfterMs: random.between(5, 600) * second } : {}),
  };
}
